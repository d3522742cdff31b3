"""Ids of server-sent events: a place in the stream of changes, signed for one tenant."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Final

from contracts.threading import Keyring

_ID: Final = re.compile(r"([0-9a-f]{1,16})\.([A-Za-z0-9_-]{16})")


class ChangeIds:
    """Signed with a key derived from the current threading key; any key of the ring verifies."""

    def __init__(self, ring: Keyring) -> None:
        derived = {kid: hmac.digest(octets, b"malote/changes", hashlib.sha256) for kid, octets in ring.keys.items()}
        self._current, self._keys = derived[ring.current], tuple(derived.values())

    def make(self, tenant: str, position: int) -> str:
        """The id of that place for this tenant."""
        return f"{position:x}.{_mac(self._current, tenant, position)}"

    def read(self, tenant: str, text: str) -> int | None:
        """The place, or None where the id is none of ours or another tenant's."""
        found = _ID.fullmatch(text)
        if found is None:
            return None
        position = int(found[1], 16)
        good = any(hmac.compare_digest(_mac(one, tenant, position), found[2]) for one in self._keys)
        return position if good else None


def _mac(key: bytes, tenant: str, position: int) -> str:
    octets = hmac.digest(key, f"{tenant}/{position}".encode(), hashlib.sha256)[:12]
    return base64.urlsafe_b64encode(octets).decode()
