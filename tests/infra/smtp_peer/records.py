"""What the peer writes down: one entry per event of a transmission, and the raw content beside it.

Events, in the order a good transmission has them: `connected`, `secured`, `authenticated`, `mail`, `rcpt` (one per
recipient, with the code answered), `data` (354 sent), `content` (the final dot arrived), `answered` (`code`, and
`sent` false when a rule kept the reply back). A cut leaves `partial` instead of `content`; `rset`, `quit`, `dropped`
and `silent` say themselves. The instant sink writes only `answered` and `partial`, with the same fields.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r\n[ \t]+)?([^\r\n]+?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_BARE_LF = re.compile(rb"(?<!\r)\n")
_BARE_CR = re.compile(rb"\r(?!\n)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history: `n` counts from 0, `wall` is Unix time and `mono` the monotonic clock, in seconds.

    `transmission` counts the MAIL commands of the peer's life; 0 means outside of one.
    """

    n: int
    wall: float
    mono: float
    connection: int
    transmission: int
    event: str
    fields: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The entry as one flat JSON object."""
        head = {name: getattr(self, name) for name in ("n", "wall", "mono", "connection", "transmission", "event")}
        return head | self.fields

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Entry:
        """Read what `as_json` wrote."""
        rest = dict(raw)
        head = {name: rest.pop(name) for name in ("n", "wall", "mono", "connection", "transmission", "event")}
        return cls(**head, fields=rest)


def message_id_of(content: bytes) -> str:
    """The Message-ID header of raw content, or the empty string; looks at the header section alone."""
    found = _MESSAGE_ID.search(content.partition(b"\r\n\r\n")[0])
    return found.group(1).decode("utf-8", "replace") if found else ""


def digest(content: bytes) -> dict[str, Any]:
    """The least an entry says about raw content: size, sha256, Message-ID."""
    sha256 = hashlib.sha256(content).hexdigest()
    return {"size": len(content), "sha256": sha256, "message_id": message_id_of(content)}


def describe(content: bytes) -> dict[str, Any]:
    """What an entry says about raw content as it came over the wire (dot-stuffing still in it)."""
    return digest(content) | {
        "bare_lf": len(_BARE_LF.findall(content)),
        "bare_cr": len(_BARE_CR.findall(content)),
    }


class History:
    """The entries of one peer in memory and, when a path is given, as JSON lines in a file; content in `<path>.raw`."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self.counts: Counter[str] = Counter()
        self._lines: IO[str] | None = path.open("w", encoding="utf-8", buffering=1) if path else None
        self._raw: IO[bytes] = (
            path.with_suffix(path.suffix + ".raw").open("w+b") if path else tempfile.TemporaryFile("w+b")  # noqa: SIM115
        )
        self._end = 0

    def write(self, connection: int, transmission: int, event: str, **fields: Any) -> Entry:
        """Append one entry, stamped now."""
        entry = Entry(len(self.entries), time.time(), time.monotonic(), connection, transmission, event, fields)
        self.entries.append(entry)
        self._count(entry)
        if self._lines:
            self._lines.write(json.dumps(entry.as_json()) + "\n")
        return entry

    def _count(self, entry: Entry) -> None:
        self.counts[entry.event] += 1
        if entry.event == "answered":
            self.counts[f"answered_{entry.fields['code'] if entry.fields['sent'] else 'never'}"] += 1

    def keep(self, content: bytes) -> int:
        """Store raw content; returns the offset `content` finds it at."""
        offset = self._raw.seek(0, 2)
        self._raw.write(content)
        return offset

    def content(self, n: int) -> bytes:
        """The raw content entry `n` speaks of; raises KeyError when it kept none."""
        fields = self.entries[n].fields
        self._raw.seek(fields["offset"])
        return self._raw.read(fields["size"])

    def since(self, n: int, limit: int) -> Sequence[Entry]:
        """Up to `limit` entries from number `n` on."""
        return self.entries[n : n + limit]

    def clear(self) -> None:
        """Forget everything; numbers start at 0 again."""
        self.entries.clear()
        self.counts.clear()
        for stream in (self._lines, self._raw):
            if stream:
                stream.seek(0)
                stream.truncate()

    def close(self) -> None:
        """Close the files."""
        self._raw.close()
        if self._lines:
            self._lines.close()
