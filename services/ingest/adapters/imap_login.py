"""Logging in: one attempt, by the best mechanism both sides know; a second is made only where the first was unknown.

A refused password is not tried again by another mechanism: that locks accounts, and doubles every refusal.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Final

from aioimaplib.aioimaplib import quoted

from services.ingest.adapters.imap_asked import Answer
from services.ingest.adapters.imap_protocol import Conversation
from services.ingest.domain.imap_status import Sign, Stage, Trouble

PASSWORD: Final = "password"  # noqa: S105 - a field's name
TOKEN: Final = "access_token"  # noqa: S105 - a field's name


async def log_in(
    conversation: Conversation, user_name: str, auth: str, secret: Mapping[str, str], seconds: float
) -> Trouble | None:
    """None when logged in, else what was seen. ``secret`` holds ``password``, or ``access_token`` for oauth2.

    Raises LostConnection.
    """
    given = secret.get(TOKEN if auth == "oauth2" else PASSWORD)
    if given is None or "\0" in user_name + given:
        return Trouble(Stage.LOGIN, Sign.SECRET)
    if auth == "oauth2":
        answer = await _xoauth2(conversation, user_name, given, seconds)
    else:
        answer = await _password(conversation, user_name, given, seconds)
    if answer is None:
        return Trouble(Stage.LOGIN, Sign.BAD)
    if answer.ok:
        return None
    sign = Sign.NO if answer.status.result == "NO" else Sign.BAD
    return Trouble(Stage.LOGIN, sign, answer.status.code, answer.status.text)


async def _password(conversation: Conversation, user_name: str, password: str, seconds: float) -> Answer | None:
    """None where the server offers no way that we know."""
    answer: Answer | None = None
    if "AUTH=PLAIN" in conversation.offers:
        initial = b64encode(f"\0{user_name}\0{password}".encode())
        answer = await _authenticate(conversation, "PLAIN", initial, (), seconds)
    if (answer is None or answer.status.result == "BAD") and "LOGINDISABLED" not in conversation.offers:
        line, replies = login_lines(user_name, password)
        answer = await conversation.ask("LOGIN", line, replies=replies or None, seconds=seconds)
    return answer


async def _xoauth2(conversation: Conversation, user_name: str, token: str, seconds: float) -> Answer | None:
    """A refusal comes as ``+`` with details and waits for an empty line before its NO (Google's XOAUTH2)."""
    if "AUTH=XOAUTH2" not in conversation.offers:
        return None
    initial = b64encode(f"user={user_name}\1auth=Bearer {token}\1\1".encode())
    return await _authenticate(conversation, "XOAUTH2", initial, (b"",), seconds)


async def _authenticate(
    conversation: Conversation, mechanism: str, initial: bytes, after: tuple[bytes, ...], seconds: float
) -> Answer:
    """AUTHENTICATE, with the first response in the command where the server takes it (SASL-IR, RFC 4959)."""
    if "SASL-IR" in conversation.offers:
        return await conversation.ask(
            "AUTHENTICATE", mechanism, initial.decode(), replies=after or None, seconds=seconds
        )
    return await conversation.ask("AUTHENTICATE", mechanism, replies=(initial, *after), seconds=seconds)


def login_lines(user_name: str, password: str) -> tuple[str, list[bytes]]:
    """LOGIN's arguments: what stands in the command's own line, then what follows each ``+``.

    What is not printable ASCII goes as a literal (RFC 9051 section 4.3), the rest quoted.
    """
    lines = [b""]
    for place, word in enumerate((user_name, password)):
        lines[-1] += b" " if place else b""
        if word.isascii() and word.isprintable():
            lines[-1] += quoted(word).encode()
        else:
            octets = word.encode()
            lines[-1] += b"{%d}" % len(octets)
            lines.append(octets)
    return lines[0].decode(), lines[1:]
