"""The steps from a connected socket to INBOX: TLS either way, greeting, capabilities, ID, SELECT."""

from __future__ import annotations

import ssl
from typing import Final

from aioimaplib.aioimaplib import arguments_rfs2971

from services.ingest.adapters.imap_answers import read_fetch
from services.ingest.adapters.imap_asked import Answer
from services.ingest.adapters.imap_protocol import Conversation
from services.ingest.adapters.imap_timing import Timing
from services.ingest.domain.imap_status import Sign, Stage, Trouble
from services.ingest.domain.session import Opened

_NAME: Final = {"name": "Malote"}


async def shake_hands(
    conversation: Conversation, security: str, context: ssl.SSLContext, server_name: str,
    session: ssl.SSLSession | None, timing: Timing,
) -> Trouble | None:  # fmt: skip
    """TLS and greeting, so that a login may follow; None, or what was seen. Raises LostConnection, OSError."""
    seconds = timing.command_s
    if security == "tls":
        conversation.stage = Stage.TLS
        await conversation.wire.start_tls(context, server_name, session)
    conversation.stage = Stage.GREETING
    greeting = await conversation.greeted(seconds)
    if greeting.result != "OK":  # PREAUTH: as whom? and STARTTLS could not follow
        return Trouble(Stage.GREETING, Sign.NO_STARTTLS if security == "starttls" else Sign.GARBLED)
    if security == "starttls":
        trouble = await _start_tls(conversation, context, server_name, session, seconds)
        if trouble is not None:
            return trouble
    conversation.stage = Stage.LOGIN
    await _know(conversation, seconds)
    return None


async def _start_tls(
    conversation: Conversation,
    context: ssl.SSLContext,
    server_name: str,
    session: ssl.SSLSession | None,
    seconds: float,
) -> Trouble | None:
    """STARTTLS (RFC 9051 section 6.2.1); everything heard before the handshake is forgotten."""
    conversation.stage = Stage.TLS
    await _know(conversation, seconds)
    offered = "STARTTLS" in conversation.offers
    if not offered or not (await conversation.ask("STARTTLS", seconds=seconds)).ok:
        return Trouble(Stage.TLS, Sign.NO_STARTTLS)
    conversation.forget()
    await conversation.wire.start_tls(context, server_name, session)
    return None


async def _know(conversation: Conversation, seconds: float) -> None:
    if not conversation.offers:
        await conversation.ask("CAPABILITY", seconds=seconds)


async def select_inbox(conversation: Conversation, seconds: float, *, near: bool) -> Opened | Trouble:
    """After the login: what the server can now, who we are where it wants to know (RFC 2971), and INBOX."""
    conversation.stage = Stage.SELECT
    await _know(conversation, seconds)
    if "ID" in conversation.offers:
        await conversation.ask("ID", *arguments_rfs2971(**_NAME), seconds=seconds)
    selected = await conversation.ask("SELECT", "INBOX", seconds=seconds)
    if not selected.ok:
        sign = Sign.NO if selected.status.result == "NO" else Sign.BAD
        return Trouble(Stage.SELECT, sign, selected.status.code, selected.status.text)
    uidnext = _number(selected, "UIDNEXT") or await _after_last(conversation, seconds)
    uidvalidity = _number(selected, "UIDVALIDITY") or None
    return Opened(uidvalidity, uidnext, conversation.exists, "IDLE" in conversation.offers, near)


async def _after_last(conversation: Conversation, seconds: float) -> int:
    """UIDNEXT as it must be, where SELECT did not say it."""
    if not conversation.exists:
        return 1
    answer = await conversation.ask("FETCH", "*", "(UID)", prefix="UID", seconds=seconds, keep=(b"FETCH",))
    last = [part.uid for response in answer.kept if (part := read_fetch(response)) is not None]
    return max(last, default=0) + 1


def _number(answer: Answer, code: str) -> int | None:
    told = answer.codes.get(code, b"")
    return int(told) if told.isdigit() and len(told) < 20 else None
