"""What the recording peer took, as mails: who it was for, and the parsed content."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from tests.e2e.desk import Desk
from tests.infra.smtp_peer import Entry, Peer


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail the peer answered 250 for (or whatever `code` says; 0 where the answer was never sent)."""

    sender: str
    recipients: tuple[str, ...]
    code: int
    raw: bytes
    content: EmailMessage

    @property
    def text(self) -> str:
        """The plain text part, line ends as LF."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML part, or the empty string."""
        return self._part("html")

    def header(self, name: str) -> str:
        """One header unfolded, or the empty string."""
        return str(self.content[name] or "")

    def _part(self, kind: str) -> str:
        part = self.content.get_body((kind,))
        return part.get_content().replace("\r\n", "\n") if part is not None else ""


def unstuffed(raw: bytes) -> bytes:
    """Content without the dots of RFC 5321 section 4.5.2."""
    return raw.replace(b"\r\n..", b"\r\n.")[1 if raw.startswith(b"..") else 0 :]


def mails(peer: Peer, to: str = "") -> list[Mail]:
    """Every mail whose content the peer took whole, in order; `to` keeps those with this recipient."""
    history = peer.history
    answered = {(e.connection, e.transmission): e for e in history.entries if e.event == "answered"}
    taken = [e for e in history.entries if e.event == "content" and (not to or to in e.fields["recipients"])]
    return [_mail(peer, entry, answered.get((entry.connection, entry.transmission))) for entry in taken]


def _mail(peer: Peer, entry: Entry, answer: Entry | None) -> Mail:
    raw = unstuffed(peer.history.content(entry.n))
    content = message_from_bytes(raw, policy=policy.default)
    assert isinstance(content, EmailMessage)
    code = answer.fields["code"] if answer and answer.fields["sent"] else 0
    return Mail(entry.fields["sender"], tuple(entry.fields["recipients"]), code, raw, content)


async def arrived(peer: Peer, to: str, number: int = 1, within_s: float = 20) -> list[Mail]:
    """Wait for so many mails to this address; raises AssertionError when they do not come, or more do."""
    limit = time.monotonic() + within_s
    while len(found := [mail for mail in mails(peer, to) if mail.code]) < number:
        assert time.monotonic() < limit, f"{len(found)} of {number} mails arrived within {within_s} s"
        await asyncio.sleep(0.05)
    assert len(found) == number
    return found


def octets_for(peer: Peer, address: str) -> int:
    """How many octets of content the peer took for this recipient, whole or cut."""
    kinds = ("content", "partial")
    return sum(e.fields["size"] for e in peer.history.entries if e.event in kinds and address in e.fields["recipients"])


async def signed(desk: Desk, channel: str, peer: Peer, client: str, operator: str, **words: Any) -> tuple[Mail, str]:
    """Send as this operator; the mail, and why it is signed as it is."""
    message = await desk.send(await desk.conversation(channel, client), operator=operator, **words)
    (mail,) = await arrived(peer, client)
    seen = await desk.reached(message, "sent")
    return mail, seen["signature"]["why"]
