"""Signature's ports in memory."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import uuid4

from contracts.blob import BlobRef
from contracts.event import AnyEvent, Event
from contracts.payload import Payload
from contracts.signature import SignatureTemplate
from services.kit.images import named_in
from services.kit.rendering import EMPTY, Rendered, RenderFailed, Variables
from services.kit.unavailable import Unavailable
from services.signature.domain.signature import ChannelSignatures, Image, Signature, Switches, subject
from services.signature.ports import ImagesDue

P = TypeVar("P", bound=Payload)


@dataclass
class FakeSignatures:
    """As strict as the real one: version n is written only over version n - 1. ``owed`` in order of writing."""

    stored: dict[tuple[str, str], Signature | Switches] = field(default_factory=dict)
    owed: list[AnyEvent] = field(default_factory=list)
    kept_until: dict[tuple[str, str], datetime] = field(default_factory=dict)
    misses: int = 0

    async def of(self, tenant: str, channel_id: str) -> ChannelSignatures:
        """See ports.Signatures; never late."""
        await asyncio.sleep(0)
        found = [one for (owner, name), one in self.stored.items() if owner == tenant and _of(name, channel_id)]
        switches = next((one for one in found if isinstance(one, Switches)), Switches())
        return ChannelSignatures(switches, {one.operator_id: one for one in found if isinstance(one, Signature)})

    async def read(self, tenant: str, channel_id: str, operator_id: str | None) -> Signature | None:
        """See ports.Signatures."""
        found = self.stored.get((tenant, subject(channel_id, operator_id)))
        assert not isinstance(found, Switches)
        return found

    async def switches(self, tenant: str, channel_id: str) -> Switches:
        """See ports.Signatures."""
        found = self.stored.get((tenant, f"{channel_id}/policy"), Switches())
        assert isinstance(found, Switches)
        return found

    async def write(self, tenant: str, channel_id: str, signature: Signature, owed: AnyEvent) -> bool:
        """See ports.Signatures."""
        return await self._write(tenant, subject(channel_id, signature.operator_id), signature, owed)

    async def write_switches(self, tenant: str, channel_id: str, switches: Switches, owed: AnyEvent) -> bool:
        """See ports.Signatures."""
        return await self._write(tenant, f"{channel_id}/policy", switches, owed)

    async def subjects(self, tenant: str, channel_id: str) -> Sequence[str]:
        """See ports.Signatures."""
        return sorted(name for owner, name in self.stored if owner == tenant and _of(name, channel_id))

    async def remove(self, tenant: str, channel_id: str) -> None:
        """See ports.Signatures."""
        for name in await self.subjects(tenant, channel_id):
            del self.stored[tenant, name]

    async def with_images_due(self, now: datetime, limit: int) -> Sequence[ImagesDue]:
        """See ports.Signatures."""
        found = [
            ImagesDue(tenant, name, state.version, state.blob_ids)
            for (tenant, name), state in self.stored.items()
            if isinstance(state, Signature) and state.blob_ids and self.kept_until.get((tenant, name), now) <= now
        ]
        return found[:limit]

    async def images_kept(self, due: ImagesDue, again_at: datetime) -> None:
        """See ports.Signatures."""
        if self.stored[due.tenant, due.subject].version == due.version:
            self.kept_until[due.tenant, due.subject] = again_at

    async def _write(self, tenant: str, name: str, state: Signature | Switches, owed: AnyEvent) -> bool:
        await asyncio.sleep(0)
        if self.misses > 0:
            self.misses -= 1
            return False
        before = self.stored.get((tenant, name))
        if state.version != (before.version if before else 0) + 1:
            return False
        self.stored[tenant, name] = state
        self.kept_until.pop((tenant, name), None)
        self.owed.append(owed)
        return True


def _of(name: str, channel_id: str) -> bool:
    return name.startswith(f"{channel_id}/")


@dataclass
class FakeCopies(Generic[P]):
    """Copies that do not wait: what is not here raises at once."""

    held: dict[tuple[str, str], P] = field(default_factory=dict)

    async def put(self, event: Event[P]) -> bool:
        """See ports.Copy."""
        known = self.held.get((event.tenant, event.subject))
        if known is not None and known.version >= event.data.version:
            return False
        self.held[event.tenant, event.subject] = event.data
        return True

    async def get(self, tenant: str, subject: str) -> P | None:
        """See ports.Copy."""
        return self.held.get((tenant, subject))

    async def at_least(self, tenant: str, subject: str, version: int) -> P:
        """See ports.Copy."""
        found = self.held.get((tenant, subject))
        if found is None or found.version < version:
            raise Unavailable("not here yet")
        return found

    async def drop(self, tenant: str, subject: str) -> None:
        """See ports.Copy."""
        self.held.pop((tenant, subject), None)


@dataclass
class FakeRenderer:
    """Puts the operator's and the client's name in; a template with ``broken`` in it fails, images are told apart."""

    calls: int = 0

    async def render(self, template: SignatureTemplate, variables: Variables) -> Rendered | RenderFailed:
        """See ports.Renders."""
        self.calls += 1
        if template.mode == "none" or not (template.html or template.text):
            return EMPTY
        if "broken" in template.html + template.text:
            return RenderFailed("syntax", "Close it.", "html" if "broken" in template.html else "text", 3)
        html, text = (_filled(part, variables) for part in (template.html, template.text))
        images, plain = named_in(html), text or re.sub("<[^>]*>", "", html)
        shown = re.sub(r'"blob:([^"]*)"', r'"cid:\1@malote"', html)
        return Rendered(shown or text, plain, html.count("<img") - html.count("blob:"), images, "<" in html)

    async def clean(self, body: str) -> Rendered | RenderFailed:
        """See ports.Renders; a body with ``hostile`` in it is refused."""
        self.calls += 1
        if "hostile" in body:
            return RenderFailed("too_large", "It nests too deeply.")
        return Rendered(body.replace("<script>x</script>", ""), body.replace("<p>", "").replace("</p>", ""))


def _filled(part: str, variables: Variables) -> str:
    for root, values in variables.of(("operator", "client", "tenant")).items():
        for name, value in values.items():
            part = part.replace(f"{{{{ {root}.{name} }}}}", value)
    return part


@dataclass
class FakeImages:
    """Images by tenant and blob, and which were asked to be kept."""

    stored: dict[tuple[str, str], Image] = field(default_factory=dict)
    kept: list[tuple[str, str]] = field(default_factory=list)

    def upload(self, tenant: str) -> str:
        """A PNG; its blob id."""
        blob_id = str(uuid4())
        self.stored[tenant, blob_id] = Image(blob_id, "ab" * 32, 67, "image/png")
        return blob_id

    async def find(self, tenant: str, blob_id: str) -> Image | None:
        """See ports.Images."""
        return self.stored.get((tenant, blob_id))

    async def keep(self, tenant: str, blob_ids: Sequence[str]) -> bool:
        """See ports.Images."""
        found = [(tenant, blob_id) for blob_id in blob_ids if (tenant, blob_id) in self.stored]
        self.kept += found
        return len(found) == len(blob_ids)


@dataclass
class FakeBodies:
    """Blobs in a dict, by tenant."""

    stored: dict[tuple[str, str], str] = field(default_factory=dict)

    async def fetch(self, tenant: str, ref: BlobRef) -> str | None:
        """See ports.Bodies."""
        return self.stored.get((tenant, ref.blob_id))

    async def store(self, tenant: str, body: str, media_type: str) -> BlobRef:
        """See ports.Bodies."""
        blob_id = str(uuid4())
        self.stored[tenant, blob_id] = body
        return BlobRef(blob_id=blob_id, sha256="", size=len(body.encode()), media_type=media_type)
