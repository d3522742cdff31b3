"""Mails of our own for the tests, and the whole reader with the real sanitiser, in this process."""

from __future__ import annotations

from services.ingest.adapters.parse_child import TOOLS
from services.ingest.domain.mail_reading import read
from services.ingest.domain.parsed import Parsed


def parsed(mail: str | bytes) -> Parsed:
    """Reads a mail; text is taken as UTF-8 and its lines end in CR LF."""
    octets = mail.lstrip("\n").replace("\n", "\r\n").encode() if isinstance(mail, str) else mail
    return read(octets, TOOLS)


def field(name: str, value: str) -> Parsed:
    """A mail with one field, read."""
    return parsed(f"{name}: {value}\n\nhello\n")


def multipart(subtype: str, *parts: str) -> str:
    """The field and the body of a multipart; each part is its headers, an empty line, its body."""
    inner = "".join(f"--=_edge\n{part}\n" for part in parts)
    return f'MIME-Version: 1.0\nContent-Type: multipart/{subtype}; boundary="=_edge"\n\n{inner}--=_edge--\n'
