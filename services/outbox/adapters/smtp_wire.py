"""What goes over an SMTP connection, as octets: commands, content, and replies read into values. Pure.

RFC 5321 (commands, transparency), RFC 1870 (SIZE), RFC 2034 (enhanced codes), RFC 6531 (SMTPUTF8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from services.outbox.domain.replies import Reply

TEXT_LENGTH: Final = 500
_ENHANCED: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:[ \t]+|$)")
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f<>]")
_NOT_TEXT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_LONE: Final = re.compile(rb"\r\n|\r|\n")
NEEDS_UTF8: Final = Reply(553, "5.6.7", "The server does not offer SMTPUTF8, which this address needs.")
NO_ADDRESS: Final = Reply(553, "5.1.3", "This is no address that can stand in a command.")
TOO_LARGE: Final = Reply(552, "5.3.4", "The message is larger than the server says it takes.")


def read_reply(code: int, message: str) -> Reply:
    """The reply as a value; its text on one line, without control characters, at most 500 characters of it."""
    text = message.encode("utf-8", "replace").decode("utf-8", "replace")
    found = _ENHANCED.match(text)
    if found:
        text = text[found.end() :].replace(f"\n{found[1]} ", "\n")
    return Reply(code, found[1] if found else None, _NOT_TEXT.sub(" ", text).strip()[:TEXT_LENGTH])


def refusal(address: str, offers: Mapping[str, str]) -> Reply | None:
    """Why this address can't be given to a server that offers this; None where it can."""
    if not address or _UNSAFE.search(address):
        return NO_ADDRESS
    return None if address.isascii() or "smtputf8" in offers else NEEDS_UTF8


def too_large(size: int, offers: Mapping[str, str]) -> bool:
    """Whether the server's offered SIZE is smaller; 0 or none means no limit (RFC 1870 section 4)."""
    limit = offers.get("size", "").strip()
    return limit.isascii() and limit.isdigit() and 0 < int(limit) < size


def mail_command(sender: str, recipients: Sequence[str], size: int, offers: Mapping[str, str]) -> bytes:
    """MAIL FROM with the parameters that are needed and offered."""
    words = [f"MAIL FROM:<{sender}>"]
    if "size" in offers:
        words.append(f"SIZE={size}")
    if not all(address.isascii() for address in (sender, *recipients)):
        words += ["SMTPUTF8", *(["BODY=8BITMIME"] if "8bitmime" in offers else [])]
    return " ".join(words).encode() + b"\r\n"


def rcpt_command(recipient: str) -> bytes:
    """RCPT TO."""
    return f"RCPT TO:<{recipient}>\r\n".encode()


def content(octets: bytes) -> bytes:
    """What goes after DATA: CRLF everywhere, dots doubled at line starts, the final dot (RFC 5321 4.5.2)."""
    if octets.count(b"\r") != octets.count(b"\r\n") or octets.count(b"\n") != octets.count(b"\r\n"):
        octets = _LONE.sub(b"\r\n", octets)
    stuffed = octets.replace(b"\r\n.", b"\r\n..")
    start = b"." if octets.startswith(b".") else b""
    return b"".join((start, stuffed, b".\r\n" if octets.endswith(b"\r\n") else b"\r\n.\r\n"))
