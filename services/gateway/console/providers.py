"""Servers of well-known mail providers, as their own help pages give them; ``app``: where an app password is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Provider:
    """Receiving is IMAP over TLS on 993 everywhere; ``security`` is that of sending."""

    name: str
    imap: str
    smtp: str
    port: int = 465
    security: str = "tls"
    app: str = ""


KNOWN: Final = (
    Provider("Gmail, Google Workspace", "imap.gmail.com", "smtp.gmail.com", app="https://support.google.com/accounts/answer/185833"),
    Provider("Yahoo", "imap.mail.yahoo.com", "smtp.mail.yahoo.com", app="https://help.yahoo.com/kb/SLN15241.html"),
    Provider("iCloud", "imap.mail.me.com", "smtp.mail.me.com", 587, "starttls", "https://support.apple.com/102654"),
    Provider("Fastmail", "imap.fastmail.com", "smtp.fastmail.com", app="https://www.fastmail.help/hc/en-us/articles/360058752854"),
    Provider("Zoho", "imap.zoho.com", "smtp.zoho.com", app="https://www.zoho.com/mail/help/imap-access.html"),
    Provider("Locaweb", "email-ssl.com.br", "email-ssl.com.br"),
    Provider("UOL", "imap.uol.com.br", "smtps.uol.com.br"),
    Provider("KingHost", "imap.kinghost.net", "smtp.kinghost.net"),
    Provider("Titan (HostGator)", "imap.titan.email", "smtp.titan.email"),
    Provider("Hostinger", "imap.hostinger.com", "smtp.hostinger.com"),
)  # fmt: skip
