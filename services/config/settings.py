"""Every environment variable config reads; there is no key among them, for config opens no secret."""

from __future__ import annotations

from contracts import limits
from services.config.domain.validation import Allowed
from services.kit.settings import KitSettings


class Settings(KitSettings):
    """Prefix ``MALOTE_``; the ports are JSON lists of extra ones."""

    instance: str = "config-0"
    imap_ports: tuple[int, ...] = ()
    smtp_ports: tuple[int, ...] = ()
    allow_plain_smtp: bool = False

    def allowed(self) -> Allowed:
        """What channels may ask for."""
        imap, smtp = limits.IMAP_PORTS | {*self.imap_ports}, limits.SMTP_PORTS | {*self.smtp_ports}
        return Allowed(imap, smtp, self.allow_plain_smtp)
