"""Styles, script and drawings: small on the wire, kept by browsers under an address that names their content."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

FOLDER: Final = Path(__file__).parent / "static"
TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}  # fmt: skip


@cache
def files() -> dict[str, tuple[bytes, bytes]]:
    """Each file, plain and packed, by its path below the folder."""
    found = {str(path.relative_to(FOLDER)): path.read_bytes() for path in FOLDER.rglob("*") if path.suffix in TYPES}
    return {name: (content, gzip.compress(content, 9)) for name, content in found.items()}


@cache
def version() -> str:
    """Names the content of all of them."""
    mac = hashlib.sha256()
    for name, (content, _) in sorted(files().items()):
        mac.update(name.encode() + b"\0" + content)
    return mac.hexdigest()[:12]


async def static(request: Request) -> Response:
    """One of them, whatever version is asked for."""
    name = request.path_params["name"]
    found = files().get(name)
    if found is None:
        return Response(status_code=404)
    packed = "gzip" in request.headers.get("accept-encoding", "")
    headers = {**HEADERS, **({"Content-Encoding": "gzip"} if packed else {})}
    return Response(found[packed], 200, headers, TYPES[Path(name).suffix])
