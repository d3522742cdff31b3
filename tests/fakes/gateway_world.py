"""Everything else the gateway needs, in memory, and one function that makes a whole gateway of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from contracts.channel import ChannelChanged, SealedSecret
from contracts.channel_status import ChannelStatusChanged
from contracts.event import AnyEvent, Event
from contracts.operator import OperatorChanged
from contracts.signature import SignatureChanged, SignaturePolicyChanged, SignatureTemplate
from contracts.tenant import TenantChanged
from services.gateway.domain.draft import Draft
from services.gateway.domain.message import Stored
from services.gateway.domain.page import Cut, Page
from services.gateway.domain.place import Place
from services.gateway.domain.refusal import Refused, invalid
from services.gateway.ports import Ports, Preview, Signed, Wish
from services.kit.images import named_in
from tests.fakes.clock import FakeClock
from tests.fakes.gateway_arrivals import FakeArrivals, FakeChanges, FakeFiles
from tests.fakes.gateway_messages import FakeBacklog, FakeConversations, FakeMessages, Spoken

T = TypeVar("T")


@dataclass
class FakeStates:
    """What ``kit.copies`` keeps: the newest state by tenant and subject."""

    kept: dict[tuple[str, str], Any] = field(default_factory=dict)

    async def put(self, event: AnyEvent) -> bool:
        """See the ports."""
        known = self.kept.get((event.tenant, event.subject))
        if known is not None and known.version >= event.data.version:
            return False
        self.kept[event.tenant, event.subject] = event.data
        return True

    async def drop(self, tenant: str, subject: str) -> None:
        """See the ports."""
        self.kept.pop((tenant, subject), None)

    def under(self, tenant: str) -> list[Any]:
        """All of one tenant, in order of subject."""
        return [one for (owner, _), one in sorted(self.kept.items(), key=lambda pair: pair[0]) if owner == tenant]


class FakeTenants(FakeStates):
    """See ``ports.Tenants``."""

    async def get(self, tenant: str) -> TenantChanged | None:
        """See the port."""
        return self.kept.get((tenant, "tenant"))

    async def at_least(self, tenant: str, version: int) -> TenantChanged:
        """See the port."""
        found: TenantChanged = self.kept[tenant, "tenant"]
        assert found.version >= version
        return found


class FakeChannels(FakeStates):
    """See ``ports.Channels``."""

    async def get(self, tenant: str, channel_id: str) -> ChannelChanged | None:
        """See the port."""
        return self.kept.get((tenant, channel_id))

    async def at_least(self, tenant: str, channel_id: str, version: int) -> ChannelChanged:
        """See the port."""
        found: ChannelChanged = self.kept[tenant, channel_id]
        assert found.version >= version
        return found

    async def list(self, tenant: str, cut: Cut) -> Page[ChannelChanged]:
        """See the port."""
        found = [one for one in self.under(tenant) if not one.removed]
        found = [one for one in found if not cut.after or one.channel_id > cut.after[0]]
        items = tuple(found[: cut.limit])
        return Page(items, (items[-1].channel_id,) if len(found) > cut.limit else None)


class FakeStatuses(FakeStates):
    """See ``ports.Statuses``."""

    async def of(self, tenant: str, channel_ids: Sequence[str]) -> Mapping[str, Sequence[ChannelStatusChanged]]:
        """See the port."""
        found = [one for one in self.under(tenant) if one.channel_id in channel_ids]
        return {channel: [one for one in found if one.channel_id == channel] for channel in channel_ids}


class FakeSignatures(FakeStates):
    """See ``ports.Signatures``."""

    async def of(self, tenant: str, channel_id: str) -> Signed:
        """See the port."""
        found = [one for one in self.under(tenant) if one.channel_id == channel_id]
        signatures = [one for one in found if isinstance(one, SignatureChanged)]
        return Signed(
            next((one for one in found if isinstance(one, SignaturePolicyChanged)), None),
            next((one for one in signatures if one.operator_id is None), None),
            tuple(one for one in signatures if one.operator_id is not None),
        )


@dataclass
class FakeOperators:
    """See ``ports.Operators``."""

    spoken: Spoken = field(default_factory=list)
    kept: dict[tuple[str, str], OperatorChanged] = field(default_factory=dict)

    async def get(self, tenant: str, operator_id: str) -> OperatorChanged | None:
        """See the port."""
        return self.kept.get((tenant, operator_id))

    async def list(self, tenant: str, cut: Cut) -> Page[OperatorChanged]:
        """See the port."""
        found = sorted((one for (owner, _), one in self.kept.items() if owner == tenant), key=lambda o: o.operator_id)
        found = [one for one in found if not cut.after or one.operator_id > cut.after[0]]
        items = tuple(found[: cut.limit])
        return Page(items, (items[-1].operator_id,) if len(found) > cut.limit else None)

    async def put(self, event: Event[OperatorChanged]) -> bool:
        """See the port."""
        where = (event.tenant, event.data.operator_id)
        known = self.kept.get(where)
        if (known.version if known else 0) != event.data.version - 1:
            return False
        self.kept[where] = event.data
        self.spoken.append(("/".join(where), event))
        return True

    async def owe_again(self, event: Event[OperatorChanged]) -> None:
        """See the port."""
        self.spoken.append((f"{event.tenant}/{event.data.operator_id}", event))


Owner = Callable[[Wish, AnyEvent], Awaitable[None]]


@dataclass
class FakeWishes:
    """See ``ports.Wishes``; ``owner`` plays the service that answers, at once."""

    spoken: Spoken = field(default_factory=list)
    kept: dict[tuple[str, str], Wish] = field(default_factory=dict)
    owner: Owner | None = None

    async def ask(self, wish: Wish, event: AnyEvent) -> None:
        """See the port."""
        self.kept[wish.target, wish.request_id] = wish
        self.spoken.append((f"{wish.target}/{wish.request_id}", event))
        if self.owner is not None:
            await self.owner(wish, event)

    async def get(self, tenant: str, request_id: str) -> Wish | None:
        """See the port."""
        found = [one for one in self.kept.values() if one.tenant == tenant and one.request_id == request_id]
        return found[0] if found else None

    async def grant(self, target: str, request_id: str, version: int) -> None:
        """See the port."""
        if known := self.kept.get((target, request_id)):
            self.kept[target, request_id] = replace(known, granted=version)

    async def refuse(self, target: str, request_id: str, refused: Refused) -> None:
        """See the port."""
        if known := self.kept.get((target, request_id)):
            self.kept[target, request_id] = replace(known, refused=refused)


@dataclass
class FakeWaits:
    """Looks a few times and gives up; ``meanwhile`` runs between the looks."""

    woken: list[str] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def until(self, key: str, look: Callable[[], Awaitable[T | None]], seconds: float) -> T | None:
        """See the port."""
        for _ in range(3):
            if (found := await look()) is not None:
                return found
            if self.meanwhile is not None:
                await self.meanwhile()
            await asyncio.sleep(0)
        return None

    def wake(self, key: str) -> None:
        """See the port."""
        self.woken.append(key)


@dataclass
class FakeBodies:
    """See ``ports.Bodies``."""

    kept: dict[tuple[str, str], str] = field(default_factory=dict)

    async def put(self, tenant: str, body: str, media_type: str) -> Stored:
        """See the port."""
        blob_id = f"00000000-0000-7000-8000-{len(self.kept):012d}"
        self.kept[tenant, blob_id] = body
        return Stored(blob_id, "0" * 64, len(body.encode()), media_type)

    async def get(self, tenant: str, stored: Stored) -> str | None:
        """See the port."""
        return self.kept.get((tenant, stored.blob_id))


@dataclass
class FakeDrafts:
    """See ``ports.Drafts``."""

    kept: dict[tuple[str, str, str], Draft] = field(default_factory=dict)

    async def get(self, tenant: str, sub: str, name: str) -> Draft | None:
        """See the port."""
        return self.kept.get((tenant, sub, name))

    async def put(self, tenant: str, sub: str, draft: Draft, until: datetime) -> None:
        """See the port."""
        self.kept[tenant, sub, draft.name] = draft

    async def drop(self, tenant: str, sub: str, name: str) -> None:
        """See the port."""
        self.kept.pop((tenant, sub, name), None)


@dataclass
class FakeHosts:
    """Refuses the hosts in ``denied``."""

    denied: dict[str, Refused] = field(default_factory=dict)
    asked: list[tuple[str, Place]] = field(default_factory=list)

    async def objection(self, direction: str, place: Place) -> Refused | None:
        """See the port."""
        self.asked.append((direction, place))
        return self.denied.get(place.host)


class FakeSeals:
    """Seals by naming what a secret is bound to; the secret itself is nowhere."""

    def seal(
        self, secret: Mapping[str, str], *, tenant: str, channel_id: str, direction: str, place: Place, version: int
    ) -> SealedSecret:
        """See the port."""
        return SealedSecret(jwe=f"sealed:{direction}:{place.host}:{sorted(secret)}", sealed_version=version)


class FakeStamps:
    """Message-IDs one can read."""

    def mint(self, tenant: str, channel_id: str, message_id: str, conversation_id: str, domain: str) -> str:
        """See the port."""
        return f"<{message_id}@{domain}>"


class FakePreviews:
    """Renders by putting values in; refuses what has an open brace at its end."""

    async def render(self, template: SignatureTemplate, variables: Mapping[str, str]) -> Preview | Refused:
        """See the port."""
        if template.html.endswith("{{"):
            return invalid("html", "syntax", "Close each {{ with }}.")
        html = template.html
        for name, value in variables.items():
            html = html.replace("{{ " + name.replace("_", ".", 1) + " }}", value)
        return Preview(html, template.text, named_in(html))


def fake_ports() -> Ports:
    """A whole world in memory; its clock stands still."""
    messages, arrivals, signatures = FakeMessages(), FakeArrivals(), FakeSignatures()
    files = FakeFiles(arrivals, signatures=signatures.kept)
    return Ports(
        messages, FakeConversations(), arrivals, files, FakeDrafts(), FakeChanges(), FakeOperators(), FakeWishes(),
        FakeBacklog(messages), FakeTenants(), FakeChannels(), FakeStatuses(), signatures, FakeBodies(),
        FakeHosts(), FakeSeals(), FakeStamps(), FakePreviews(), FakeWaits(), FakeClock(),
    )  # fmt: skip
