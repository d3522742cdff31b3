"""Upload a file, and hand one out: only what a document of the tenant refers to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from services.gateway.domain.files import (
    ATTACHMENT,
    LARGEST,
    SIGNATURE_IMAGE,
    File,
    media_type_of,
    safe_name,
)
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused, invalid
from services.gateway.domain.who import Principal
from services.gateway.ports import Files
from services.kit.images import image_type

NO_PURPOSE = invalid("purpose", "unknown", f"Choose one of {', '.join(LARGEST)}.")
NO_NAME = invalid("file_name", "missing", "Say what the file is called: ?file_name=…")
NO_IMAGE = invalid("body", "no_image", "Upload a PNG, JPEG, GIF or WebP image.")
EMPTY = invalid("body", "empty", "The file is empty.")
HEAD = 16
"""So many octets tell an image."""


class _TooMany(Exception):
    """More octets than the purpose allows."""


@dataclass(frozen=True, slots=True)
class KeepFile:
    """Streams in and out; at most a few chunks are in memory."""

    files: Files

    async def handle(
        self, who: Principal, name: str | None, purpose: str | None, declared: str | None,
        octets: AsyncIterator[bytes],
    ) -> File | Refused:  # fmt: skip
        """The stored file. ``declared``: its media type as the caller says; an image's is looked up in its octets."""
        purpose, clean = purpose or ATTACHMENT, safe_name(name or "")
        if purpose not in LARGEST:
            return NO_PURPOSE
        if not clean:
            return NO_NAME
        counted = _counted(octets, LARGEST[purpose])
        try:
            head = await _head(counted)
            if not head:
                return EMPTY
            found = image_type(head) if purpose == SIGNATURE_IMAGE else media_type_of(declared)
            return await self.files.keep(who.tenant, clean, found, _joined(head, counted)) if found else NO_IMAGE
        except _TooMany:
            return Refused(Code.TOO_LARGE, f"A file for this purpose has at most {LARGEST[purpose]} octets.")

    async def open(self, who: Principal, blob_id: str) -> tuple[File, AsyncIterator[bytes]] | Refused:
        """The file and its octets."""
        return await self.files.open(who.tenant, blob_id) or NOT_FOUND


async def _counted(octets: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in octets:
        size += len(chunk)
        if size > most:
            raise _TooMany
        yield chunk


async def _head(octets: AsyncIterator[bytes]) -> bytes:
    """The first chunks, until they tell what it is."""
    head = b""
    async for chunk in octets:
        head += chunk
        if len(head) >= HEAD:
            break
    return head


async def _joined(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk
