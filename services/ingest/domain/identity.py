"""The ids of what arrives: derived from where and what it is, so that a repeat after a crash is the same again."""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import UUID

from services.ingest.domain.account import INBOX, ChannelKey

NAMESPACE: Final = UUID("0d6a51f4-6d52-5b4b-8f0c-1f5a4d616c6f")
"""The namespace of message, conversation and blob ids of what arrives (RFC 9562 section 5.5)."""
_PREFIX: Final = NAMESPACE.bytes


def mail_id(key: ChannelKey, generation: int, uidvalidity: int, uid: int) -> str:
    """The id of the mail first seen at this place. ``generation`` counts renumberings: a server may come back to an old
    UIDVALIDITY and give its UIDs to other mails."""
    again = () if generation == 0 else (str(generation),)
    return _id(*key, "mail", INBOX, str(uidvalidity), str(uid), *again)


def conversation_id(key: ChannelKey, root: str) -> str:
    """The conversation whose first mail has this Message-ID (or, without one, this id)."""
    return _id(*key, "conversation", root)


def blob_id(key: ChannelKey, sha256: str, part: str) -> str:
    """Where a part of the mail with these bytes is kept: ``raw``, ``text``, ``html``, or an attachment's number."""
    return _id(*key, "blob", sha256, part)


def _id(*parts: str) -> str:
    """A version 5 UUID as ``uuid.uuid5`` makes it, at a fifth of the price: there are several for each mail."""
    octets = bytearray(hashlib.sha1(_PREFIX + "/".join(parts).encode("utf-8", "replace")).digest()[:16])  # noqa: S324 - v5
    octets[6] = octets[6] & 0x0F | 0x50
    octets[8] = octets[8] & 0x3F | 0x80
    text = octets.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
