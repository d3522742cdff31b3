"""What a server's lines say, as values: status responses, FETCH, SEARCH and LIST. Pure; RFC 9051 section 7.

Data is taken from literals (or quoted strings), never from text that was joined or changed on the way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from services.ingest.adapters.imap_lines import Garbled, Response

TEXT: Final = 500
_STATUS: Final = re.compile(
    rb"(OK|NO|BAD|BYE|PREAUTH)(?![^ ])(?: +\[([^\] ]+)(?: ([^\]]*))?\])? *(.*)", re.IGNORECASE | re.DOTALL
)
_TOKEN: Final = re.compile(
    rb' *+(\(|\)|"(?>(?:[^"\\]|\\.)*)"|(?:BODY|BINARY)\[[^\]]*\](?:<\d+>)?|[^ ()"]+)', re.IGNORECASE | re.DOTALL
)
_USUAL: Final = re.compile(
    rb'\* \d+ FETCH \(UID (\d{1,10}) RFC822\.SIZE (\d{1,19}) INTERNALDATE "([^"\\]*)" BODY\[\](?:<0>)? \{\d+\}'
)
"""What nearly every server answers to what we ask; a shortcut."""
_LIST: Final = re.compile(rb'LIST \(([^)]*)\) (?:"(?:[^"\\]|\\.)*"|NIL) ?(.*)', re.IGNORECASE | re.DOTALL)
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_DATE: Final = re.compile(rb" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})")
_MONTHS: Final = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")


@dataclass(frozen=True, slots=True)
class Status:
    """``OK [CODE argument] text``; words in upper case, the text cut, never shown to anybody."""

    result: str
    code: str | None = None
    argument: bytes = b""
    text: str = ""


def read_status(line: bytes) -> Status | None:
    """The status response that stands there, or None."""
    found = _STATUS.match(line)
    if found is None:
        return None
    result, code, argument, text = found.groups()
    return Status(
        result.decode().upper(),
        code.decode("ascii", "replace").upper() if code else None,
        argument or b"",
        text[:TEXT].decode("utf-8", "replace"),
    )


@dataclass(frozen=True, slots=True)
class FetchedPart:
    """One message of a FETCH; ``octets`` is None where the server gave no body (NIL, or none at all)."""

    uid: int
    size: int | None
    internal_date: datetime | None
    octets: bytes | None

    @property
    def tells(self) -> bool:
        """Whether there is more than somebody's change of flags."""
        return self.size is not None or self.octets is not None

    def over(self, before: FetchedPart | None) -> FetchedPart:
        """Both together: a server may answer for one message in several responses."""
        if before is None:
            return self
        octets = before.octets if self.octets is None else self.octets
        size = before.size if self.size is None else self.size
        return FetchedPart(self.uid, size, self.internal_date or before.internal_date, octets)


def read_fetch(response: Response) -> FetchedPart | None:
    """``* n FETCH (…)`` with a UID, or None for one without (flags somebody changed). Raises Garbled."""
    usual = _USUAL.fullmatch(response[0]) if len(response) == 3 and response[2] == b")" else None
    if usual is not None:
        return FetchedPart(int(usual[1]), int(usual[2]), _date(usual[3]), response[1])
    tokens = _tokens(response)
    if not tokens or tokens[0] != b"(" or tokens[-1] != b")":
        raise Garbled("a FETCH without brackets")
    items = _items(tokens[1:-1])
    uid = _number(items.get(b"UID"))
    if uid is None:
        return None
    body = next((value for name, value in items.items() if name.startswith(b"BODY[")), None)
    return FetchedPart(uid, _number(items.get(b"RFC822.SIZE")), _date(items.get(b"INTERNALDATE")), body)


class _Data(bytes):
    """A literal or a quoted string, as distinct from an atom or a bracket."""


def _tokens(response: Response) -> list[bytes]:
    """All of ``(…)`` after FETCH, literals as single tokens."""
    tokens: list[bytes] = []
    for place, part in enumerate(response):
        if place % 2:
            tokens[-1] = _Data(part)
            continue
        at = part.index(b"(") if place == 0 and b"(" in part else 0
        while found := _TOKEN.match(part, at):
            at = found.end()
            tokens.append(_unquoted(found[1]))
        if part[at:].strip():
            raise Garbled("a FETCH that can't be read")
    return tokens


def _unquoted(token: bytes) -> bytes:
    return _Data(_ESCAPED.sub(rb"\1", token[1:-1])) if token.startswith(b'"') else token


def _items(tokens: list[bytes]) -> dict[bytes, bytes | None]:
    """Names and values; of a value in brackets only that there was one."""
    items: dict[bytes, bytes | None] = {}
    at = 0
    while at + 1 < len(tokens):
        name, value = tokens[at].upper(), tokens[at + 1]
        at += 2
        if value == b"(" and type(value) is bytes:
            at = _closing(tokens, at)
        items[name] = None if type(value) is bytes and value.upper() == b"NIL" else value
    if at != len(tokens):
        raise Garbled("a FETCH with half an item")
    return items


def _closing(tokens: list[bytes], at: int) -> int:
    depth = 1
    while at < len(tokens) and depth:
        token = tokens[at]
        if type(token) is bytes:
            depth += (token == b"(") - (token == b")")
        at += 1
    return at


def _number(value: bytes | None) -> int | None:
    return int(value) if value is not None and len(value) < 20 and value.isdigit() else None


@lru_cache(maxsize=1024)
def _date(value: bytes | None) -> datetime | None:
    """INTERNALDATE in UTC; a date that is none is None: no mail is lost for it."""
    found = _DATE.fullmatch(value or b"")
    if found is None or found[2].lower() not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(found[group]) for group in (1, 3, 4, 5, 6))
    away = timedelta(hours=int(found[8]), minutes=int(found[9]))
    try:
        zone = timezone(-away if found[7] == b"-" else away)
        local = datetime(year, _MONTHS.index(found[2].lower()) + 1, day, hour, minute, min(second, 59), tzinfo=zone)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_search(response: Response) -> list[int]:
    """``* SEARCH 4 7 …``; words that are no number (MODSEQ) are left out."""
    return [int(word) for word in response[0].split()[2:] if word.isdigit() and len(word) < 20]


def read_list(response: Response) -> tuple[frozenset[str], bytes] | None:
    """Attributes in lower case and the name as the server has it, without quotes; None where it is no LIST."""
    found = _LIST.match(response[0], 2)
    if found is None:
        return None
    name = response[1] if len(response) > 1 else _unquoted(found[2])
    return frozenset(found[1].decode("ascii", "replace").lower().split()), bytes(name)
