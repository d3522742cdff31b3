"""Which conversation a mail belongs to, whether it is our own, what kind of event it is. Pure.

(1) a valid token in In-Reply-To or References, nearest first (for a report: in what it returns); (2) the ledger,
likewise; (3) the root of the thread (DESIGN §5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from contracts.threading import Token
from services.ingest.domain.account import ChannelKey
from services.ingest.domain.identity import conversation_id
from services.ingest.domain.parsed import Parsed

Reader = Callable[[str], Token | None]
"""Reads a Message-ID as a token of this tenant and channel, None where it is none."""
MOST_IDS = 40
"""So many ids of one mail are looked up, nearest first."""


@dataclass(frozen=True, slots=True)
class Threading:
    """The conversation found, and how; ``answered`` is the message of ours that the token names, if one did."""

    conversation_id: str
    by: Literal["token", "ledger", "root"]
    answered: str | None = None


def ancestors(mail: Parsed) -> tuple[str, ...]:
    """The ids the mail speaks of, nearest first, each once: those of the mail it returns come before its own."""
    return tuple(dict.fromkeys(_nearest(mail)))[:MOST_IDS]


def find_token(mail: Parsed, read: Reader) -> Token | None:
    """The nearest valid token."""
    return next((token for mail_id in ancestors(mail) if (token := read(mail_id)) is not None), None)


def find_bounced(mail: Parsed, read: Reader) -> Token | None:
    """The message of ours a report speaks of: by the id of what it returns, else by what it says it answers."""
    if mail.bounce is None:
        return None
    ids = (*((mail.bounce.internet_message_id,) if mail.bounce.internet_message_id else ()), *mail.in_reply_to)
    return next((token for mail_id in ids[:MOST_IDS] if (token := read(mail_id)) is not None), None)


def resolve(
    key: ChannelKey, mail: Parsed, token: Token | None, known: Mapping[str, str], fallback: str
) -> Threading:  # fmt: skip
    """``known``: the ledger's answers. ``fallback``: the root of a mail that names no id at all."""
    if token is not None:
        return Threading(token.conversation_id, "token", token.message_id)
    own = (mail.internet_message_id,) if mail.internet_message_id else ()
    near = ancestors(mail)
    for mail_id in (*near, *own):
        if mail_id in known:
            return Threading(known[mail_id], "ledger")
    return Threading(conversation_id(key, root(mail, fallback)), "root")


def root(mail: Parsed, fallback: str) -> str:
    """The Message-ID of the thread's first mail, as far as this one tells."""
    if mail.references:
        return mail.references[0]
    if mail.in_reply_to:
        return mail.in_reply_to[0]
    return mail.internet_message_id or fallback


def is_own(mail: Parsed, octets: bytes, address: str, sha256: str | None, size: int) -> bool:
    """Whether it is our message come back: From is the channel's address and its bytes, after what servers put before
    them, are those that were submitted (``sha256`` of ``size`` octets; None where we know of none)."""
    if sha256 is None or not is_from(mail, address):
        return False
    return 0 < size <= len(octets) and hashlib.sha256(memoryview(octets)[-size:]).hexdigest() == sha256


def is_from(mail: Parsed, address: str) -> bool:
    """Whether the mail says that it comes from this address."""
    return mail.sender is not None and mail.sender.address.lower() == address.lower()


def _nearest(mail: Parsed) -> Iterator[str]:
    if mail.bounce is not None:
        if mail.bounce.internet_message_id:
            yield mail.bounce.internet_message_id
        yield from mail.bounce.in_reply_to
        yield from reversed(mail.bounce.references)
    yield from mail.in_reply_to
    yield from reversed(mail.references)
