"""``ChannelChangeRequested``: create a channel or change its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.channel import ChannelChangeRequested
from contracts.event import Event
from services.config.domain import channel as rules
from services.config.domain import secrets, tenant, validation
from services.config.domain.outcome import Fault, Refusal, Unchanged
from services.config.handlers.facts import channel_event
from services.config.handlers.read_wish import secrets_of, settings_of
from services.config.handlers.reject_request import RejectRequest
from services.config.handlers.return_slot import ReturnSlot
from services.config.handlers.take_slot import TakeSlot
from services.config.ports import Channels, Clock, Publishes, ReadsHeaders, Tenants
from services.kit.unavailable import Unavailable

ATTEMPTS: Final = 5
Wish = Event[ChannelChangeRequested]


@dataclass(frozen=True)
class ChangeChannel:
    """Validates, stores and tells, or rejects naming the fields."""

    channels: Channels
    tenants: Tenants
    take_slot: TakeSlot
    return_slot: ReturnSlot
    reject: RejectRequest
    publisher: Publishes
    clock: Clock
    allowed: validation.Allowed
    read_header: ReadsHeaders

    async def handle(self, event: Wish) -> None:
        """One wish, one answer; a miss reads and decides again."""
        if await self.reject.again(event):
            return
        for _ in range(ATTEMPTS):
            if await self._attempt(event):
                return
        raise Unavailable("the channel is contended")

    async def _attempt(self, event: Wish) -> bool:
        before = await self.channels.read(event.tenant, event.data.channel_id)
        decided = await self._decide(event, before)
        if isinstance(decided, Refusal):
            await self._refuse(event, before, decided)
            return True
        if isinstance(decided, Unchanged):
            assert before is not None
            await self.publisher.publish(channel_event(event.tenant, before, event.trace))
            return True
        return await self.channels.write(event.tenant, decided, channel_event(event.tenant, decided, event.trace))

    async def _decide(self, event: Wish, before: rules.Channel | None) -> rules.Decision:
        data, now = event.data, self.clock.now()
        if ended := rules.settle(before, data.request_id, data.expected_version):
            return ended
        owner = await self.tenants.read(event.tenant)
        settings, given = settings_of(data.settings), secrets_of(data.credentials, self.read_header)
        if refused := tenant.may_write(owner) or self._refused(event, before, settings, given):
            return refused
        if before is not None:
            return rules.changed(before, settings, given.secrets, data.request_id, now)
        assert owner is not None
        if refused := await self.take_slot.handle(event.tenant, data.channel_id, owner):
            return refused
        return rules.created(data.channel_id, settings, given.secrets, data.request_id, now)

    def _refused(
        self, event: Wish, before: rules.Channel | None, settings: rules.Settings, given: secrets.Given
    ) -> Refusal | None:
        faults: tuple[Fault, ...] = validation.check(settings, self.allowed)
        if faults:
            return Refusal("invalid", "Some settings can't be taken.", faults)
        return secrets.check(event.tenant, event.data.channel_id, before, settings, given)

    async def _refuse(self, event: Wish, before: rules.Channel | None, refusal: Refusal) -> None:
        if before is None:  # a slot that an earlier, cut off attempt took
            await self.return_slot.handle(event.tenant, event.data.channel_id)
        await self.reject.handle(event, event.data.channel_id, refusal)
