"""A person's mailbox as their mail program sees it: IMAP over TLS to the sandbox, standard library alone."""

from __future__ import annotations

import asyncio
import email
import email.policy
import imaplib
import ssl
import time
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One login; `ca_file` is the sandbox's authority."""

    port: int
    user: str
    password: str
    ca_file: Path

    async def with_subject(self, subject: str) -> list[EmailMessage]:
        """All mails of the INBOX that carry exactly this subject."""
        return [mail for mail in await asyncio.to_thread(self._read) if mail["Subject"] == subject]

    async def wait_for(self, subject: str, within_s: float = 20) -> list[EmailMessage]:
        """The mails with this subject as soon as there is one; an empty list when the time is up."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if found := await self.with_subject(subject):
                return found
            await asyncio.sleep(0.2)
        return []

    def _read(self) -> list[EmailMessage]:
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        with imaplib.IMAP4_SSL("127.0.0.1", self.port, ssl_context=trust, timeout=10) as server:
            server.login(self.user, self.password)
            server.select("INBOX", readonly=True)
            numbers = server.search(None, "ALL")[1][0].split()
            return [self._fetch(server, number.decode()) for number in numbers]

    @staticmethod
    def _fetch(server: imaplib.IMAP4, number: str) -> EmailMessage:
        answer = server.fetch(number, "(BODY.PEEK[])")[1][0]
        if not isinstance(answer, tuple):
            raise RuntimeError("the server fetched no body")
        return email.message_from_bytes(answer[1], policy=email.policy.default)


def text_of(mail: EmailMessage) -> str:
    """The plain text a reader is shown, with LF line ends."""
    part = mail.get_body(("plain",))
    return str(part.get_content()).replace("\r\n", "\n") if part else ""


def html_of(mail: EmailMessage) -> str:
    """The HTML a reader is shown, empty where there is none."""
    part = mail.get_body(("html",))
    return str(part.get_content()) if part else ""


def shown(mail: EmailMessage) -> list[str]:
    """The mail as evidence: lines of its headers and its text."""
    wanted = ("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References")
    head = [f"{name}: {mail[name]}" for name in wanted if mail[name]]
    return [f"| {line}" for line in [*head, "", *text_of(mail).rstrip().splitlines()]]
