"""The issuer's public keys: a JWKS (RFC 7517), kept until it changes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.kit import logs
from services.kit.unavailable import Unavailable

log = logs.get_logger()
PAUSE_S: Final = 10.0
"""An unknown key id makes us look again, but not more often than this."""
ALGORITHMS: Final = ("RS256", "ES256", "EdDSA", "Ed25519")
Fetch = Callable[[], Awaitable[bytes]]
"""Brings the key set's document; raises Unavailable."""


class TokenKeys:
    """``changed`` is called when other keys came: what was verified with the old ones must be verified again."""

    def __init__(self, fetch: Fetch, changed: Callable[[], None]) -> None:
        self._bring, self._changed = fetch, changed
        self._seen: list[dict[str, Any]] = []
        self._keys: KeySet | None = None
        self._fetched = float("-inf")
        self._fetching = asyncio.Lock()

    async def for_kid(self, kid: str | None) -> KeySet:
        """The keys, fetched anew where none has this id. Raises Unavailable while there are none at all."""
        if self._keys is None or (kid is not None and kid not in self._ids()):
            await self._look_again()
        if self._keys is None:
            raise Unavailable("the token issuer's keys are not here yet")
        return self._keys

    async def refresh(self) -> None:
        """Looks whether the keys changed; raises Unavailable when the issuer does not answer."""
        async with self._fetching:
            await self._fetch()

    def _ids(self) -> set[str]:
        return {str(key.get("kid")) for key in self._seen}

    async def _look_again(self) -> None:
        async with self._fetching:
            pause = PAUSE_S if self._keys is not None else 0.5
            if time.monotonic() - self._fetched < pause:
                return
            try:
                await self._fetch()
            except Unavailable as error:
                log.warning("token_keys_not_there", reason=str(error))

    async def _fetch(self) -> None:
        self._fetched = time.monotonic()
        document = await self._bring()
        try:
            found = _usable(json.loads(document))
            keys = KeySet.import_key_set({"keys": found})
        except (ValueError, KeyError, TypeError, RecursionError, JoseError) as error:
            raise Unavailable(f"the token issuer's keys cannot be read: {type(error).__name__}") from None
        if found != self._seen:
            self._seen, self._keys = found, keys
            self._changed()


def _usable(jwks: dict[str, Any]) -> list[dict[str, Any]]:
    """Public signing keys only; a symmetric key in a public set would let anybody sign."""
    found = [key for key in jwks["keys"] if key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"]
    if not found:
        raise ValueError("no usable key")
    return found
