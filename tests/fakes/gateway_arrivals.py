"""What arrived, files and changes in memory, with the promises of the gateway's ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from services.gateway.domain.change import Beat, Ended, Signal
from services.gateway.domain.files import File
from services.gateway.domain.inbound import Inbound, Quarantined
from services.gateway.domain.page import Cut, Page
from tests.fakes.blobs import FakeBlobs

T = TypeVar("T")


@dataclass
class FakeArrivals:
    """See ``ports.Arrivals``."""

    kept: dict[tuple[str, str], Inbound] = field(default_factory=dict)
    quarantined: dict[tuple[str, str], Quarantined] = field(default_factory=dict)

    async def knows(self, tenant: str, message_id: str) -> bool:
        """See the port."""
        return (tenant, message_id) in self.kept

    async def keep(self, mail: Inbound) -> None:
        """See the port."""
        self.kept.setdefault((mail.tenant, mail.message_id), mail)

    async def get(self, tenant: str, message_id: str) -> Inbound | None:
        """See the port."""
        return self.kept.get((tenant, message_id))

    async def of_conversation(self, tenant: str, conversation_id: str, cut: Cut) -> Page[Inbound]:
        """See the port."""
        found = [
            ((one.at, one.message_id), one) for one in self.kept.values()
            if one.tenant == tenant and one.conversation_id == conversation_id and not one.hidden
        ]  # fmt: skip
        return _page(found, cut)

    async def hide(self, tenant: str, message_id: str) -> Inbound | None:
        """See the port."""
        known = self.kept.get((tenant, message_id))
        if known is not None:
            known = self.kept[tenant, message_id] = replace(known, hidden=True)
        return known

    async def set_aside(self, mail: Quarantined) -> None:
        """See the port."""
        self.quarantined.setdefault((mail.tenant, mail.message_id), mail)

    async def hide_aside(self, tenant: str, message_id: str) -> Quarantined | None:
        """See the port."""
        known = self.quarantined.get((tenant, message_id))
        if known is not None:
            known = self.quarantined[tenant, message_id] = replace(known, hidden=True)
        return known

    async def count_aside(self, tenant: str, most: int) -> int:
        """See the port."""
        return min(most, len((await self.aside(tenant, None, Cut(most))).items))

    async def aside(self, tenant: str, channel_id: str | None, cut: Cut) -> Page[Quarantined]:
        """See the port."""
        mine = [
            one for one in self.quarantined.values()
            if one.tenant == tenant and channel_id in (None, one.channel_id) and not one.hidden
        ]  # fmt: skip
        return _page([((one.received_at, one.message_id), one) for one in mine], cut)


def _page(found: list[tuple[tuple[datetime, str], T]], cut: Cut) -> Page[T]:
    found.sort(key=lambda pair: pair[0], reverse=True)
    if cut.after:
        after = (datetime.fromisoformat(cut.after[0]), cut.after[1])
        found = [pair for pair in found if pair[0] < after]
    shown = found[: cut.limit]
    last = (shown[-1][0][0].isoformat(), shown[-1][0][1]) if len(found) > cut.limit else None
    return Page(tuple(one for _, one in shown), last)


@dataclass
class FakeFiles:
    """See ``ports.Files``; ``arrivals`` and ``signatures`` say which blobs mails and signatures refer to."""

    arrivals: FakeArrivals
    blobs: FakeBlobs = field(default_factory=FakeBlobs)
    uploads: dict[tuple[str, str], File] = field(default_factory=dict)
    signatures: dict[tuple[str, str], Any] = field(default_factory=dict)

    async def open(self, tenant: str, blob_id: str) -> tuple[File, AsyncIterator[bytes]] | None:
        """See the port."""
        file = await self.find(tenant, blob_id)
        octets = await self.blobs.stream(tenant, blob_id) if file else None
        return (file, octets) if file is not None and octets is not None else None

    async def find(self, tenant: str, blob_id: str) -> File | None:
        """See the port."""
        found = self.uploads.get((tenant, blob_id)) or self._of_a_signature(tenant, blob_id)
        return found or self._of_a_mail(tenant, blob_id)

    async def keep(self, tenant: str, name: str, media_type: str, octets: AsyncIterator[bytes]) -> File:
        """See the port."""
        ref = await self.blobs.put(tenant, octets, media_type)
        file = File(ref.blob_id, name, media_type, ref.size, ref.sha256)
        self.uploads[tenant, ref.blob_id] = file
        return file

    def _of_a_signature(self, tenant: str, blob_id: str) -> File | None:
        for (owner, _), state in self.signatures.items():
            for one in getattr(state, "images", ()):
                if (owner, one.blob_id) == (tenant, blob_id):
                    return File(blob_id, "image", one.media_type, one.size, one.sha256)
        return None

    def _of_a_mail(self, tenant: str, blob_id: str) -> File | None:
        for mail in self.arrivals.kept.values():
            named = ((mail.raw, "message.eml"), *((one.blob, one.file_name) for one in mail.attachments))
            for blob, name in named:
                if mail.tenant == tenant and blob.blob_id == blob_id:
                    return File(blob_id, name, blob.media_type, blob.size, blob.sha256)
        return None


@dataclass
class FakeFollower:
    """Tells what a test queues."""

    queue: asyncio.Queue[Signal] = field(default_factory=asyncio.Queue)
    closed: bool = False

    async def next(self, seconds: float) -> Sequence[Signal]:
        """See the port."""
        try:
            async with asyncio.timeout(seconds):
                return [await self.queue.get()]
        except TimeoutError:
            return [Beat("1.beat")]

    def close(self) -> None:
        """See the port."""
        self.closed = True


@dataclass
class FakeChanges:
    """See ``ports.Changes``."""

    followers: list[tuple[str, str | None, FakeFollower]] = field(default_factory=list)
    most: int = 10

    def follow(self, tenant: str, after: str | None) -> FakeFollower | Ended:
        """See the port."""
        if len(self.followers) >= self.most:
            return Ended("full")
        made = FakeFollower()
        self.followers.append((tenant, after, made))
        return made
