"""One history of a run: what was asked, what was answered, what the outbox said, what the peer took.

Times are Unix seconds by one machine's wall clock: the caller's, the peer's and (for facts) the database's.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway took a message (202)."""

    tenant: str
    message_id: str
    recipients: tuple[str, ...]
    at: float
    shape: str = "plain"


@dataclass(frozen=True, slots=True)
class Wish:
    """A cancel was fired. `foreign`: by a tenant that does not own the message. `via`: rest or kafka."""

    wish: str
    tenant: str
    message_id: str
    via: str
    fired_at: float
    cancel_id: str | None = None
    foreign: bool = False
    shape: str = "race"


@dataclass(frozen=True, slots=True)
class Reply:
    """What REST said to a wish: HTTP `code`, and `status` of the message where the body names one."""

    wish: str
    at: float
    code: int
    outcome: str | None = None
    status: str | None = None
    cancel_id: str | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """One record of `mail.outbound.v1`: `kind` is the event's type, `at` its time by the database's clock.

    `recipients` maps address to state where the event lists them; `body` is a digest of the data.
    """

    tenant: str
    message_id: str
    kind: str
    event_id: str
    version: int
    at: float
    body: str = ""
    reason: str | None = None
    recipients: Mapping[str, str] = field(default_factory=dict)
    due_at: float | None = None
    cancel_id: str | None = None
    outcome: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """One transmission as the peer saw it: `complete` when the final dot came, `code` 0 when no reply was sent."""

    message_id: str
    recipients: tuple[str, ...]
    began_at: float
    ended_at: float
    size: int
    complete: bool
    code: int
    sent: bool
    answered_at: float | None = None

    @property
    def accepted(self) -> bool:
        """The peer said 2yz to the content."""
        return self.complete and self.sent and 200 <= self.code < 300

    @property
    def in_doubt(self) -> bool:
        """The whole content is there and nobody was told what became of it."""
        return self.complete and not self.sent


@dataclass(frozen=True, slots=True)
class Killed:
    """A process was killed; `resumed_at` is its next sign of life."""

    what: str
    at: float
    resumed_at: float | None = None


Record = Accepted | Wish | Reply | Spoken | Taken | Killed
_KINDS: dict[str, Any] = {kind.__name__: kind for kind in (Accepted, Wish, Reply, Spoken, Taken, Killed)}


@dataclass(slots=True)
class History:
    """All records of a run, by kind."""

    accepted: list[Accepted] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    spoken: list[Spoken] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    killed: list[Killed] = field(default_factory=list)

    def add(self, *records: Record) -> History:
        """Append records; returns itself."""
        for record in records:
            self._of(record).append(record)
        return self

    def _of(self, record: Record) -> list[Any]:
        lists: dict[type, list[Any]] = {
            Accepted: self.accepted, Wish: self.wishes, Reply: self.replies,
            Spoken: self.spoken, Taken: self.taken, Killed: self.killed,
        }  # fmt: skip
        return lists[type(record)]

    def __iter__(self) -> Iterator[Record]:
        for records in (self.accepted, self.wishes, self.replies, self.spoken, self.taken, self.killed):
            yield from records

    def save(self, path: Path) -> None:
        """Write the history as JSON lines, for evidence and for judging it again."""
        with path.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps({"record": type(one).__name__} | asdict(one)) + "\n" for one in self)

    @classmethod
    def load(cls, path: Path) -> History:
        """Read what `save` wrote."""
        made = cls()
        for line in path.read_text(encoding="utf-8").splitlines():
            raw = json.loads(line)
            kind = _KINDS[raw.pop("record")]
            if isinstance(raw.get("recipients"), list):
                raw["recipients"] = tuple(raw["recipients"])
            made.add(kind(**raw))
        return made


def by_message(records: Iterable[Any]) -> dict[str, list[Any]]:
    """Records grouped by `message_id`, in their order."""
    grouped: dict[str, list[Any]] = defaultdict(list)
    for record in records:
        grouped[record.message_id].append(record)
    return grouped
