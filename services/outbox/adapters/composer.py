"""Renders a composed message into MIME: fetches what travels by reference, checks it, assembles, measures."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol

from contracts import limits
from contracts.blob import BlobRef
from contracts.message import MessageComposed
from services.outbox.adapters.mime import File, HeaderRefused, render
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
        """See Composer; codes: blob_missing, blob_altered, not_utf8, header_refused, too_large."""
        try:
            text = await self._text(tenant, message.text, message.text_ref)
            html = await self._text(tenant, message.html, message.html_ref)
            files = [
                File(each.file_name, each.blob.media_type, await self._octets(tenant, each.blob))
                for each in message.attachments
            ]
            octets = await self._rendered(message, text, html, files)
        except _Wrong as wrong:
            return Unrenderable(str(wrong))
        except HeaderRefused:
            return Unrenderable("header_refused")
        if len(octets) > limits.MESSAGE_SIZE:
            return Unrenderable("too_large")
        return Rendered(octets, sha256(octets).hexdigest())

    async def _rendered(self, message: MessageComposed, text: str | None, html: str | None, files: list[File]) -> bytes:
        size = len(text or "") + len(html or "") + sum(len(file.content) for file in files)
        if size > limits.MESSAGE_SIZE:
            raise _Wrong("too_large")
        if size > _OFF_THE_LOOP:
            return await asyncio.to_thread(render, message, text, html, files)
        return render(message, text, html, files)

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
