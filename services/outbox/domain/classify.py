"""The classifier: what a server's answer at some stage means, as a table (RFC 5321, RFC 3463, RFC 4954).

The first row that fits decides. Enhanced codes are matched by prefix, codes exactly or by their first digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.outbox.domain.replies import Answer, NoReply, Reply, Stage


class Kind(StrEnum):
    """What follows from an answer; the last two pause the lane, not the message."""

    ACCEPTED = "accepted"
    RECIPIENT_FINAL = "recipient_final"
    MESSAGE_FINAL = "message_final"
    TEMPORARY = "temporary"
    UNKNOWN = "unknown"
    CHANNEL_THROTTLED = "channel_throttled"
    CHANNEL_AUTH = "channel_auth"


PAUSES: Final = frozenset({Kind.CHANNEL_THROTTLED, Kind.CHANNEL_AUTH})


@dataclass(frozen=True, slots=True)
class Verdict:
    """A kind, and the reply that led to it (None: there was none)."""

    kind: Kind
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; an empty field fits everything."""

    kind: Kind
    stages: frozenset[Stage] = frozenset()
    codes: tuple[str, ...] = ()
    enhanced: tuple[str, ...] = ()

    def fits(self, stage: Stage, reply: Reply) -> bool:
        """Whether this row speaks of that answer."""
        if self.stages and stage not in self.stages:
            return False
        if self.codes and not str(reply.code).startswith(self.codes):
            return False
        return not self.enhanced or _has_prefix(reply.enhanced, self.enhanced)


def _has_prefix(enhanced: str | None, prefixes: tuple[str, ...]) -> bool:
    return enhanced is not None and any(enhanced == each or enhanced.startswith(f"{each}.") for each in prefixes)


_RCPT: Final = frozenset({Stage.RCPT})
_WHOLE: Final = frozenset({Stage.MAIL, Stage.DATA, Stage.CONTENT})

TABLE: Final = (
    Row(Kind.ACCEPTED, frozenset({Stage.MAIL, Stage.RCPT, Stage.CONTENT}), ("2",)),
    # The server wants another login: RFC 4954 section 6, and 534/538 of RFC 2554. 454: it can't check one now.
    Row(Kind.CHANNEL_AUTH, codes=("530", "534", "535", "538")),
    Row(Kind.CHANNEL_AUTH, enhanced=("5.7.8", "5.7.9", "5.7.13", "5.7.14")),
    Row(Kind.CHANNEL_THROTTLED, codes=("454",)),
    # Too much from this account: Gmail 421-4.7.0, 4.7.28, 550-5.4.5; Exchange Online 432-4.3.2, 4.7.500, 5.1.90.
    Row(Kind.CHANNEL_THROTTLED, codes=("421",), enhanced=("4.7", "4.3.2", "4.4.5")),
    Row(Kind.CHANNEL_THROTTLED, enhanced=("4.7.28", "4.7.500", "4.7.650", "4.3.2", "5.4.5", "5.1.90", "5.7.508")),
    Row(Kind.CHANNEL_THROTTLED, codes=("432",)),
    # RFC 5321 section 4.5.3.1.10: a 552 to RCPT that means "too many recipients" is temporary.
    Row(Kind.TEMPORARY, _RCPT, ("552",), ("5.5.3",)),
    Row(Kind.RECIPIENT_FINAL, _RCPT, ("552",), ("5.2.2", "5.3.4")),
    Row(Kind.TEMPORARY, _RCPT, ("552",)),
    Row(Kind.TEMPORARY, codes=("4",)),
    Row(Kind.RECIPIENT_FINAL, _RCPT, ("5",)),
    Row(Kind.MESSAGE_FINAL, _WHOLE, ("5",)),
)  # fmt: skip


def classify(stage: Stage, answer: Answer) -> Verdict:
    """What this answer means; one that fits no row (3yz where none belongs) is temporary."""
    if isinstance(answer, NoReply):
        return Verdict(Kind.UNKNOWN if answer.dot_sent else Kind.TEMPORARY)
    kind = next((row.kind for row in TABLE if row.fits(stage, answer)), Kind.TEMPORARY)
    return Verdict(kind, answer)
