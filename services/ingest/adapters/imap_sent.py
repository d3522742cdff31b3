r"""The mailbox for sent mail: found by its special use ``\Sent`` (RFC 6154), searched, appended to."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from aioimaplib.aioimaplib import quoted, time2internaldate

from services.ingest.adapters.imap_answers import read_list, read_search
from services.ingest.adapters.imap_protocol import Conversation
from services.ingest.domain.imap_status import Sign, Stage, Trouble
from services.ingest.domain.session import Streamed

_USUAL: Final = ("sent", "sent items", "sent messages", "inbox.sent", "inbox/sent")
_SLOWEST: Final = 16 * 1024
"""Octets a second: slower uploads are given up."""


class SentMail:
    """Sent mail of one connection. Everything raises LostConnection."""

    def __init__(self, conversation: Conversation, command_s: float) -> None:
        self._conversation, self._command_s = conversation, command_s
        self._name: str | None = None

    async def name(self) -> str | None:
        """The mailbox, None where there is none. Where the server knows no special uses, one with a usual name."""
        if self._name is None:
            special = "SPECIAL-USE" in self._conversation.offers
            words = ("(SPECIAL-USE)", '""', '"*"') if special else ('""', '"*"')
            answer = await self._conversation.ask("LIST", *words, seconds=self._command_s, keep=(b"LIST",))
            listed = [found for response in answer.kept if (found := read_list(response)) is not None]
            marked = [name for attributes, name in listed if r"\sent" in attributes]
            usual = [] if special else [name for _, name in listed if name.decode("latin-1").lower() in _USUAL]
            self._name = next((text for each in marked + usual if (text := _sayable(each)) is not None), None)
        return self._name

    async def holds(self, name: str, internet_message_id: str) -> bool | None:
        """Whether it holds this Message-ID; None where it can't be said. That mailbox is selected afterwards."""
        examined = await self._conversation.ask("EXAMINE", quoted(name), seconds=self._command_s)
        if not examined.ok or not internet_message_id.isascii() or _sayable(internet_message_id.encode()) is None:
            return None
        header = ("HEADER", "Message-ID", quoted(internet_message_id))
        found = await self._conversation.ask(
            "SEARCH", *header, prefix="UID", seconds=self._command_s, keep=(b"SEARCH",)
        )
        return any(read_search(response) for response in found.kept) if found.ok else None

    async def append(self, name: str, octets: Streamed, at: datetime) -> bool:
        """Append, seen, with this INTERNALDATE; False where the server refuses."""
        words = (quoted(name), r"(\Seen)", time2internaldate(at), f"{{{octets.size}}}")
        asked = self._conversation.begin("APPEND", *words, replies=())
        if not await self._conversation.accepted(asked, self._command_s):
            return (await self._conversation.ended(asked, self._command_s)).ok
        slowest = self._command_s + octets.size / _SLOWEST
        try:
            async for piece in octets.pieces:
                await self._conversation.sent(piece, slowest)
        except BaseException:
            self._conversation.drop(Trouble(Stage.WATCH, Sign.LOST), "a literal cut short")
            raise
        await self._conversation.sent(b"\r\n", slowest)
        return (await self._conversation.ended(asked, slowest)).ok


def _sayable(name: bytes) -> str | None:
    """The name as it can stand in a command."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text and text.isprintable() else None
