"""One replica of the outbox: the real handlers on the world's ports, and the loops that drive them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from contracts.event import AnyEvent
from services.kit.unavailable import Unavailable
from services.outbox.domain import attempt
from services.outbox.domain.backoff import Backoff
from services.outbox.domain.document import Message
from services.outbox.handlers.accept_message import AcceptMessage
from services.outbox.handlers.cancel_message import CancelMessage
from services.outbox.handlers.commit_message import CommitMessage, DataLimit
from services.outbox.handlers.expire_messages import ExpireMessages
from services.outbox.handlers.forget_messages import ForgetMessages
from services.outbox.handlers.record_decision import Record
from services.outbox.handlers.recover_transmissions import RecoverTransmissions
from services.outbox.handlers.resolve_message import ResolveMessage
from services.outbox.handlers.settle_transmission import SettleTransmission
from services.outbox.handlers.submit_message import SubmitMessage
from tests.model.peer import PeerSession
from tests.model.scheduler import step
from tests.model.story import DATA_LIMIT, MARGIN, TENANT

if TYPE_CHECKING:
    from tests.model.world import World

RETRY = Backoff(4.0, 60.0)


class Hands:
    """A relay that hears nothing from memory: the sweep publishes, as after a crash.

    It remembers what it has published and not pulled yet: a write of this replica may take that off.
    """

    def __init__(self) -> None:
        self.acknowledged: dict[str, list[str]] = {}

    def hand_over(self, doc_id: str, events: Sequence[AnyEvent], taken_off: Collection[str] = ()) -> None:
        """Left to the sweep."""

    def spoken(self, doc_id: str) -> Collection[str]:
        """What the sweep has published and not pulled."""
        return tuple(self.acknowledged.get(doc_id, ()))


class NoOffer:
    """Lanes are an optimisation: the model's replicas look at the due index."""

    async def handle(self, message: Message) -> None:
        """Left to the sweep."""


class Replica:
    """The handlers of one incarnation; ``number`` is 0 or 1, each incarnation stamps differently."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number = world, number
        self.session = PeerSession(world, number, TENANT)
        self.hands = Hands()
        record = Record(world.store, self.hands, world.clock)
        settle = SettleTransmission(record, world, world.half, RETRY)
        commit = CommitMessage(record, world, self._stamp, DataLimit(DATA_LIMIT, MARGIN))
        self.accept = AcceptMessage(record, world.channels, world.composer, world.blobs, NoOffer())
        self.cancel = CancelMessage(record, world)
        self.submit = SubmitMessage(record, commit, settle, world.blobs, world, world.half, RETRY)
        self.recover = RecoverTransmissions(record, world.half, RETRY)
        self.expire = ExpireMessages(record)
        self.resolve = ResolveMessage(record)
        self.forget = ForgetMessages(record)

    async def lane(self) -> None:
        """Takes up whatever is due, for ever."""
        while True:
            await step("looks for work")
            try:
                await self._take_up()
            except Unavailable:
                continue

    async def sweeps(self) -> None:
        """Recovery and expiry, for ever."""
        while True:
            await step("sweeps")
            try:
                await self.recover.handle()
                await self.expire.handle()
            except Unavailable:
                continue

    async def _take_up(self) -> None:
        world = self.world
        for ticket in await world.store.due(TENANT, world.channel_id, world.soon(), 5):
            message = await world.store.load(ticket.tenant, ticket.message_id)
            if message is None or not attempt.can_be_taken_up(message):
                continue
            self.session = PeerSession(world, self.number, ticket.tenant)
            await self.submit.handle(message, "desk@example.com", self.session, lambda: None)

    def _stamp(self) -> str:
        stamp = f"r{self.number}.{self.world.next_session()}"
        self.session.stamps.append(stamp)
        return stamp
