"""Address lists (RFC 5322 section 3.4) in linear time, with what mailers make of them; never raises.

One pass over tokens: quoted strings, comments, `<…>`, and the separators `,` `;` `:`. An entry without an address
before one with a name in `<…>` is taken as a name with a bare comma in it (`Doe, Ana <ana@example.com>`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from services.ingest.domain.mail_charset import one_line
from services.ingest.domain.mail_words import words
from services.ingest.domain.parsed import Address

MOST = 1_000
NAME_LENGTH = 200
ADDRESS_LENGTH = 320

_PLAIN = re.compile(r'\s*+(?:"([^"\\=]*+)"\s*+|([\w .\'=?*+/-]*+))<([^\s<>@",;:()\\]++@[\w.-]++)>\s*+')
_BARE = re.compile(r"\s*+([\w.+=/'-]++@[\w.-]++)\s*+")
_TOKEN = re.compile(
    r'"((?>(?:[^"\\]|\\[\s\S])*))("?)|<([^<>]*+)>|([(),;:])|(\s++)|((?>(?:[^"<(),;:\s\\]|\\.)+)|[\s\S])'
)
_COMMENT = re.compile(r"\([^()]*+\)")
_SPACED = re.compile(r"\s*+(@)\s*+")
_DOTS = re.compile(r"\s*+\.\s*+")
_ESCAPED = re.compile(r"\\([\s\S])")
_IN_WORD = re.compile(r"<?([^\s<>\"(),;:@]++@(?:\[[^\]\s]*+\]|[^\s<>\"(),;:@]++))>?")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufff9-\ufffb]")


def addresses(value: str) -> tuple[list[Address], bool]:
    """The addresses of one field in order, and whether some were left out because they are too many."""
    for simple in (_PLAIN, _BARE):
        if found := simple.fullmatch(value):
            return [_simple(found)], False
    reading = _read(value)
    if reading.open_quote:  # a quote that never closes is a character like another
        reading = _read(value.replace('"', " "))
    return reading.found, reading.full


def _simple(found: re.Match[str]) -> Address:
    groups = found.groups()
    if len(groups) == 1:
        return Address(groups[0])
    return Address(groups[2], _name(groups[0] or groups[1] or ""))


@dataclass(slots=True)
class _Reading:
    """One list while it is read: the entries found, and the pieces of the one at hand.

    ``depth`` is that of open comments, ``grouped`` that a group's name was read and its ``;`` not yet.
    """

    found: list[Address] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    angle: str | None = None
    depth: int = 0
    grouped: bool = False
    full: bool = False
    open_quote: bool = False

    def end(self) -> None:
        """An entry is complete."""
        name, angle = "".join(self.name).strip(), self.angle
        comment = "".join(self.comments).strip()
        self.name, self.comments, self.angle = [], [], None
        if not name and angle is None:
            return
        if len(self.found) >= MOST:
            self.full = True
            return
        self._take(name, angle, comment)

    def _take(self, name: str, angle: str | None, comment: str) -> None:
        if angle is not None:
            if self.found and "@" not in self.found[-1].address and name and not self.grouped:
                name = f"{self.found.pop().address}, {name}"
            entry = _entry(angle, name or comment)
        else:
            entry = _word(name, comment)
        if entry:
            self.found.append(entry)


def _read(value: str) -> _Reading:
    reading = _Reading()
    for found in _TOKEN.finditer(value):
        quoted, closed, angle, mark, space, word = found.groups()
        if mark:
            _mark(reading, mark)
        elif reading.depth:
            reading.comments.append(found[0])
        elif quoted is not None:
            reading.open_quote |= not closed
            reading.name.append(_ESCAPED.sub(r"\1", quoted) if reading.angle is None else "")
            if _after_quote(value, found.end()):
                reading.name[-1] = found[0]  # a quoted local part keeps its quotes
        elif angle is not None:
            reading.angle = angle if reading.angle is None or "@" not in reading.angle else reading.angle
        elif space or word:
            reading.name.append(" " if space else word)
    reading.end()
    return reading


def _after_quote(value: str, at: int) -> bool:
    return value.startswith("@", at)


def _mark(reading: _Reading, mark: str) -> None:
    if mark == "(":
        reading.depth += 1
    elif mark == ")":
        reading.depth = max(0, reading.depth - 1)
    elif reading.depth:
        reading.comments.append(mark)
    elif mark == ":":
        _colon(reading)
    else:
        reading.end()
        reading.grouped = False if mark == ";" else reading.grouped


def _colon(reading: _Reading) -> None:
    """What stands before it is the name of a group, or `mailto`; in an address literal it is a character."""
    if "[" in "".join(reading.name):
        reading.name.append(":")
        return
    reading.grouped = reading.grouped or "".join(reading.name).strip().lower() != "mailto"
    reading.name = []


def _entry(angle: str, name: str) -> Address | None:
    address = angle.rpartition(":")[2] if angle[:1] == "@" or angle[:7].lower() == "mailto:" else angle
    if "(" in address:
        address = _COMMENT.sub("", address)
    address = _clean("".join(address.split()) if '"' not in address else address)
    if "=?" in address:
        address = _clean(words(address))
    if "@" not in address and (inside := _IN_WORD.search(words(name))):
        return Address(_clean(inside[1])[:ADDRESS_LENGTH], "")
    shown = _name(name)
    return Address(address, shown) if (address or shown) and len(address) <= ADDRESS_LENGTH else None


def _word(text: str, comment: str) -> Address | None:
    """An entry without `<…>`: an address, perhaps with spaces in it (RFC 5322 section 4.4), or encoded whole."""
    shown = words(text)
    if (at := text.find("@")) >= 0 and " " in text:
        text = text[:at] + _DOTS.sub(".", text[at:])
    inside = _IN_WORD.search(shown if "@" not in text else _SPACED.sub(r"\1", text))
    if inside:
        name = shown[: max(0, shown.find(inside[0]))] if "=?" in text or " " in text else ""
        return Address(_clean(inside[1])[:ADDRESS_LENGTH], _name(name.strip(' "') or comment))
    address = _clean(shown)
    return Address(address[:ADDRESS_LENGTH], _name(comment)) if address else None


def _clean(text: str) -> str:
    return _INVISIBLE.sub("", one_line(text)).strip("'` ") if not text.isascii() else one_line(text).strip("'` ")


def _name(text: str) -> str:
    name = words(text)
    if "  " in name or not name.isascii():
        name = " ".join(_INVISIBLE.sub("", name).split())
    return name.strip("'\" ")[:NAME_LENGTH].strip()
