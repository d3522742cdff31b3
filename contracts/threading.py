"""Message-IDs of ours carry a token that proves the conversation a reply belongs to.

``<{b32 message_id}.{b32 conversation_id}.{kid}{mac}@domain>``: b32 is RFC 4648 base32 in lower case without padding,
mac the first 80 bits of HMAC-SHA256 over tenant, channel, message and conversation. A ring of keys signs with the
current one and verifies with all that are not yet revoked.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

_TOKEN: Final = re.compile(r"<?([a-z2-7]{26})\.([a-z2-7]{26})\.([a-z0-9]{1,8})([a-z2-7]{16})@[^\s<>@]+>?")
_MAC_OCTETS: Final = 10


@dataclass(frozen=True, slots=True)
class Keyring:
    """The HMAC keys by id; ``current`` signs. Key ids are 1-8 lower-case letters or digits, keys 32 octets."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """What a verified Message-ID of ours says."""

    message_id: str
    conversation_id: str


def mint(ring: Keyring, *, tenant: str, channel_id: str, message_id: str, conversation_id: str, domain: str) -> str:
    """The Message-ID, with angle brackets, for one message of ours."""
    mac = _mac(ring.keys[ring.current], tenant, channel_id, message_id, conversation_id)
    return f"<{_b32(UUID(message_id).bytes)}.{_b32(UUID(conversation_id).bytes)}.{ring.current}{mac}@{domain}>"


def read(ring: Keyring, message_id_header: str, *, tenant: str, channel_id: str) -> Token | None:
    """The token in one Message-ID if it is ours, of this tenant and channel, and signed with a key of the ring."""
    found = _TOKEN.fullmatch(message_id_header.strip().lower())
    if not found or (key := ring.keys.get(found[3])) is None:
        return None
    try:
        token = Token(str(UUID(bytes=_unb32(found[1]))), str(UUID(bytes=_unb32(found[2]))))
    except ValueError:
        return None
    mac = _mac(key, tenant, channel_id, token.message_id, token.conversation_id)
    return token if hmac.compare_digest(mac, found[4]) else None


def _mac(key: bytes, *parts: str) -> str:
    return _b32(hmac.digest(key, "/".join(parts).encode(), hashlib.sha256)[:_MAC_OCTETS])


def _b32(octets: bytes) -> str:
    return base64.b32encode(octets).decode("ascii").rstrip("=").lower()


def _unb32(text: str) -> bytes:
    return base64.b32decode(text.upper() + "=" * (-len(text) % 8))
