"""Renders a composed message into MIME: fetches what travels by reference, checks it, assembles, measures."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from typing import Final, Protocol

from contracts import limits
from contracts.blob import BlobRef
from contracts.message import InlineImage, MessageComposed
from services.kit.images import without_image
from services.outbox.adapters.mime import File, HeaderRefused, Image, render
from services.outbox.ports import Rendered, Unrenderable

_OFF_THE_LOOP: Final = 256 * limits.KIB


class ReadsBlobs(Protocol):
    """The one thing needed of the blobs."""

    async def get(self, tenant: str, blob_id: str) -> bytes | None:
        """The octets, None where there is no such blob; raises Unavailable."""
        ...


class _Wrong(Exception):
    """What makes the message unrenderable: a code."""


@dataclass(frozen=True, slots=True)
class MimeComposer:
    """The Composer over the shared blobs."""

    blobs: ReadsBlobs

    async def render(self, tenant: str, message: MessageComposed) -> Rendered | Unrenderable:
        """See Composer; codes: blob_missing, blob_altered, not_utf8, header_refused, too_large.

        An image is fetched here and nowhere else; one that is gone or altered is left out, and the mail goes on.
        """
        try:
            text = await self._text(tenant, message.text, message.text_ref)
            html = await self._text(tenant, message.html, message.html_ref)
            files = [
                File(each.file_name, each.blob.media_type, await self._octets(tenant, each.blob))
                for each in message.attachments
            ]
            named = message.images if html is not None else ()
            found = await self._images(tenant, named) if named else {}
            lost = [each.content_id for each in named if each.content_id not in found]
            html = reduce(without_image, lost, html) if html is not None else None
            octets = await self._rendered(message, text, html, files, list(found.values()))
        except _Wrong as wrong:
            return Unrenderable(str(wrong))
        except HeaderRefused:
            return Unrenderable("header_refused")
        if len(octets) > limits.MESSAGE_SIZE:
            return Unrenderable("too_large")
        return Rendered(octets, sha256(octets).hexdigest(), len(lost))

    async def _rendered(
        self, message: MessageComposed, text: str | None, html: str | None, files: list[File], images: list[Image]
    ) -> bytes:
        size = len(text or "") + len(html or "") + sum(len(file.content) for file in (*files, *images))
        if size > limits.MESSAGE_SIZE:
            raise _Wrong("too_large")
        if size > _OFF_THE_LOOP:
            return await asyncio.to_thread(render, message, text, html, files, images)
        return render(message, text, html, files, images)

    async def _images(self, tenant: str, named: tuple[InlineImage, ...]) -> dict[str, Image]:
        """Those that are there, by content id."""
        found = {}
        for each in named:
            with suppress(_Wrong):
                octets = await self._octets(tenant, each.blob)
                found[each.content_id] = Image(each.file_name, each.blob.media_type, octets, each.content_id)
        return found

    async def _text(self, tenant: str, inline: str | None, ref: BlobRef | None) -> str | None:
        if ref is None:
            return inline
        try:
            return (await self._octets(tenant, ref)).decode()
        except UnicodeDecodeError:
            raise _Wrong("not_utf8") from None

    async def _octets(self, tenant: str, ref: BlobRef) -> bytes:
        if ref.size > limits.MESSAGE_SIZE:
            raise _Wrong("too_large")
        octets = await self.blobs.get(tenant, ref.blob_id)
        if octets is None:
            raise _Wrong("blob_missing")
        if len(octets) != ref.size or sha256(octets).hexdigest() != ref.sha256:
            raise _Wrong("blob_altered")
        return octets
