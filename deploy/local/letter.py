"""A client's mail program: writes a mail and hands it to the sandbox by plain SMTP, standard library alone."""

from __future__ import annotations

import asyncio
import smtplib
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid


@dataclass(frozen=True, slots=True)
class Letter:
    """What a client writes; ``answers`` is the mail it answers, whose thread it continues (RFC 5322 section 3.6.4)."""

    sender: str
    to: str
    subject: str
    text: str
    answers: EmailMessage | None = None

    def mail(self) -> EmailMessage:
        """As a mail program writes it, with a Message-ID of its own."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.sender, self.to, self.subject
        mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="client.test")
        if self.answers is not None:
            before = str(self.answers["Message-ID"])
            mail["In-Reply-To"] = before
            mail["References"] = " ".join(filter(None, (self.answers["References"], before)))
        mail.set_content(self.text)
        return mail

    async def post(self, port: int) -> str:
        """Hand it over; its Message-ID when the server took it. Raises OSError or SMTPException when it did not."""
        mail = self.mail()
        await asyncio.to_thread(_hand_over, port, mail)
        return str(mail["Message-ID"])


def quoted(text: str) -> str:
    """The text as an answer quotes it."""
    return "\n".join(f"> {line}" for line in text.rstrip().splitlines())


def _hand_over(port: int, mail: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
        server.send_message(mail)
