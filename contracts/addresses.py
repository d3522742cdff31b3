"""E-mail addresses as we take and give them: RFC 5321 section 4.1.2 with RFC 6531's UTF-8, domains by IDNA 2008.

Strict on purpose: one bare address, no display name, comment, angle bracket, quoted local part, route or address
literal. CR, LF, NUL and every other control character are refused, so an address can stand in an SMTP command or a
header as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Final

import idna
from pydantic import AfterValidator

LOCAL_OCTETS: Final = 64
DOMAIN_OCTETS: Final = 255
ADDRESS_OCTETS: Final = 254

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LOCAL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_INVISIBLE: Final = r"\u2028\u2029\ufeff\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL: Final = re.compile(rf"[\x00-\x20\x7f-\x9f{_INVISIBLE}]")


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a text is no address: a ``code`` for programs and a sentence for people."""

    code: str
    detail: str


def parse(text: str) -> str | Refused:
    """The canonical form of one address (domain lower case and in A-labels), or why it is none."""
    if _CONTROL.search(text):
        return Refused("control_character", "Take out spaces, line breaks and invisible characters.")
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        return Refused("no_at", "An address looks like name@example.com.")
    if len(local.encode()) > LOCAL_OCTETS or not _LOCAL.fullmatch(local):
        return Refused("local_part", "The part before the @ has characters that an address can't have here.")
    canonical = _domain(domain)
    if isinstance(canonical, Refused):
        return canonical
    if len(local.encode()) + 1 + len(canonical) > ADDRESS_OCTETS:
        return Refused("too_long", f"An address has at most {ADDRESS_OCTETS} octets.")
    return f"{local}@{canonical}"


@lru_cache(maxsize=10_000)  # domains repeat, and IDNA is most of what an event's decoding costs
def _domain(text: str) -> str | Refused:
    try:
        labels = idna.encode(text, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return Refused("domain", "The part after the @ is no domain name.")
    if "." not in labels or labels.endswith(".") or len(labels) > DOMAIN_OCTETS or labels.rsplit(".", 1)[1].isdigit():
        return Refused("domain", "The part after the @ must be a full domain name, like example.com.")
    return labels


def domain_of(address: str) -> str:
    """The domain of a canonical address, in A-labels."""
    return address.rpartition("@")[2]


def needs_smtputf8(address: str) -> bool:
    """Whether this address can be given only to a server that offers SMTPUTF8 (RFC 6531)."""
    return not address.isascii()


def breaks_header(text: str) -> bool:
    """Whether this text has CR, LF or NUL and would break out of a header field (RFC 5322 section 2.2)."""
    return "\r" in text or "\n" in text or "\0" in text


def _address(text: str) -> str:
    found = parse(text)
    if isinstance(found, Refused):
        raise ValueError(found.detail)
    return found


def _header_text(text: str) -> str:
    if breaks_header(text):
        raise ValueError("Take out line breaks and NUL characters.")
    return text


def _header_texts(texts: tuple[str, ...]) -> tuple[str, ...]:
    """All in one look: a call from pydantic for each would cost more than the rest of an event's decoding."""
    _header_text("".join(texts))
    return texts


Address = Annotated[str, AfterValidator(_address)]
"""A pydantic type: one canonical address; a ValueError says what to change."""

HeaderText = Annotated[str, AfterValidator(_header_text)]
"""A pydantic type: text that is safe in a header field."""

HeaderTexts = Annotated[tuple[str, ...], AfterValidator(_header_texts)]
"""The same for several."""
