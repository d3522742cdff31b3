"""The issuer's key set over HTTP(S), by the standard library: a request every few minutes needs no client."""

from __future__ import annotations

import asyncio
from http.client import HTTPException
from typing import Final
from urllib.error import URLError
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector

from services.kit.unavailable import Unavailable

LARGEST: Final = 256 * 1024
PATIENCE_S: Final = 5.0


class HttpKeySet:
    """No proxy, no redirect, no other scheme: the platform's operator gave this very address."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = OpenerDirector()
        self._opener.add_handler(HTTPHandler())
        self._opener.add_handler(HTTPSHandler())

    async def __call__(self) -> bytes:
        """The document; raises Unavailable."""
        return await asyncio.to_thread(self._get)

    def _get(self) -> bytes:
        try:
            with self._opener.open(self._url, timeout=PATIENCE_S) as answer:
                content: bytes = answer.read(LARGEST + 1)
                status: int = answer.status
        except (URLError, HTTPException, OSError, TypeError) as error:
            # An OpenerDirector that knows no handler for a scheme answers None, which has no context manager.
            raise Unavailable(f"the token issuer does not answer: {type(error).__name__}") from None
        if status != 200 or len(content) > LARGEST:
            raise Unavailable(f"the token issuer answered {status} with {len(content)} octets")
        return content
