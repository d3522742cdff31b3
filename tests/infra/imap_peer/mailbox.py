"""One mailbox in memory."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Mail:
    """One mail; ``listed_only``: the server shows it and gives no body; ``refused``: a FETCH of it is answered NO."""

    uid: int
    octets: bytes
    listed_only: bool = False
    refused: bool = False


@dataclass(slots=True)
class Mailbox:
    """Mails by ascending UID; ``uidvalidity`` None: SELECT does not tell it; ``tells_next``: UIDNEXT."""

    uidvalidity: int | None = 1_700_000_000
    tells_next: bool = True
    mails: list[Mail] = field(default_factory=list)
    uidnext: int = 1

    def add(self, octets: bytes, *, gap: int = 0, listed_only: bool = False, refused: bool = False) -> Mail:
        """A new mail, ``gap`` UIDs above what would be next."""
        mail = Mail(self.uidnext + gap, octets, listed_only, refused)
        self.uidnext = mail.uid + 1
        self.mails.append(mail)
        return mail

    def chosen(self, numbers: str) -> list[Mail]:
        """The mails of a UID set; ``*`` is the last one, and a range may be given backwards (RFC 9051 section 9)."""
        last = self.mails[-1].uid if self.mails else 0
        wanted: list[tuple[int, int]] = []
        for piece in numbers.split(","):
            low, _, high = piece.partition(":")
            ends = [last if end == "*" else int(end) for end in (low, high or low)]
            wanted.append((min(ends), max(ends)))
        return [mail for mail in self.mails if any(low <= mail.uid <= high for low, high in wanted)]
