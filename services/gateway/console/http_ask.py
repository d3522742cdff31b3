"""The few HTTP calls of signing in, by the standard library: no proxy, no redirect, small answers."""

from __future__ import annotations

import asyncio
import json
from http.client import HTTPException
from typing import Any, Final
from urllib.error import URLError
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

from services.kit.unavailable import Unavailable

LARGEST: Final = 256 * 1024
PATIENCE_S: Final = 5.0


async def ask(
    url: str, body: bytes | None = None, media_type: str = "application/json", authorization: str = ""
) -> dict[str, Any]:
    """The JSON object that is answered, ``{}`` where the answer is a refusal; raises Unavailable."""
    headers = {"Accept": "application/json"} | ({"Content-Type": media_type} if body is not None else {})
    if authorization:
        headers["Authorization"] = authorization
    return await asyncio.to_thread(_ask, url, body, headers)


def _ask(url: str, body: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
    opener = OpenerDirector()
    for handler in (HTTPHandler, HTTPSHandler):
        opener.add_handler(handler())
    try:
        with opener.open(Request(url, body, headers), timeout=PATIENCE_S) as answer:  # noqa: S310 - configured by the platform
            content, status = answer.read(LARGEST + 1), answer.status
    except (URLError, HTTPException, OSError, TypeError) as error:
        raise Unavailable(f"the issuer does not answer: {type(error).__name__}") from None
    if status >= 500 or len(content) > LARGEST:
        raise Unavailable(f"the issuer answered {status} with {len(content)} octets")
    try:
        found = json.loads(content) if status == 200 else {}
    except ValueError:
        raise Unavailable("the issuer answered no JSON") from None
    return found if isinstance(found, dict) else {}
