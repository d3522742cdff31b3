"""Files over HTTP: always as an attachment, never sniffed, never run in our origin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Self
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from services.gateway.adapters.endpoint import Streamed
from services.gateway.adapters.rest_messages import Resource
from services.gateway.domain.files import File

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "private, max-age=3600, immutable",
}  # fmt: skip
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._-()")


class FileResource(Resource):
    """A stored file; ``size`` in octets, ``sha256`` in hex."""

    blob_id: str
    file_name: str
    media_type: str
    size: int
    sha256: str

    @classmethod
    def of(cls, file: File) -> Self:
        """What the reader sees of a file."""
        return cls(
            blob_id=file.blob_id, file_name=file.name, media_type=file.media_type, size=file.size, sha256=file.sha256
        )


def respond(opened: tuple[File, AsyncIterator[bytes]]) -> Response:
    """The octets of a file, chunk by chunk."""
    file, octets = opened
    headers = {**_HEADERS, "Content-Disposition": disposition(file.name), "Content-Length": str(file.size)}
    return StreamingResponse(octets, headers=headers, media_type=file.media_type)


def disposition(name: str) -> str:
    """An attachment of that name (RFC 6266), with the plain form for old readers."""
    plain = "".join(one if one in _PLAIN else "_" for one in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


FILE: Final = Streamed("*/*", "The file's octets, under its own media type.", respond)
