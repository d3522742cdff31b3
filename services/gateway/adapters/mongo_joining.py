"""What messages do to their conversation: single atomic updates, so that repeats and races add nothing twice."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from contracts import limits
from services.gateway.adapters.mongo_forms import last_form
from services.gateway.domain.conversation import Direction, Last, preview_of
from services.gateway.domain.inbound import Joining
from services.gateway.domain.message import Message
from services.gateway.domain.words import words_of
from services.kit.mongo import Document

REMEMBERED: Final = 100
UNREAD: Final = 500
"""So many unread mails of one conversation are counted."""
_TROUBLED: Final[Document] = {"$set": {"has_trouble": {"$gt": [{"$size": {"$ifNull": ["$trouble", []]}}, 0]}}}
_COUNTED: Final[list[Document]] = [
    {"$set": {"unread": {"$size": {"$ifNull": ["$unread_mails", []]}}}},
    {"$set": {"has_unread": {"$gt": ["$unread", 0]}}},
]


def extending(message: Message) -> list[Document]:
    """An accepted message; who writes again has seen to what did not arrive."""
    last = Last(message.message_id, Direction.OUT, "sent", message.accepted_at, preview_of(message.text or ""))
    authors = [one for one in (message.requested_by, message.operator_id) if one]
    change = {
        "thread": _threaded(message.internet_message_id), "last_at": {"$max": ["$last_at", message.accepted_at]},
        "subject": {"$ifNull": ["$subject", {"$literal": message.subject}]}, "last": _newest(last),
        "authors": _united("$authors", authors), "words": _united("$words", words_of((message.subject,))),
        "trouble": [], "has_trouble": False,
    }  # fmt: skip
    return [{"$set": change}]


def joining_in(it: Joining) -> list[Document]:
    """A mail that arrived; ``joined`` remembers the last ones, so that a repeat changes nothing."""
    joined, message_id = _known("$joined"), it.last.message_id
    fresh = {"$not": [{"$in": [message_id, joined]}]}
    sender = f"{it.sender.name} {it.sender.address}" if it.sender else ""
    change: Document = {
        "joined": _if(fresh, _sliced(joined, message_id, REMEMBERED), joined),
        "last_at": {"$max": ["$last_at", it.last.at]}, "last": _newest(it.last),
        "words": _united("$words", words_of((sender, it.subject or ""))),
    }  # fmt: skip
    if it.subject is not None:
        change["subject"] = {"$ifNull": ["$subject", {"$literal": it.subject}]}
    if it.thread_id is not None:
        change["thread"] = _if(fresh, _threaded(it.thread_id), "$thread")
    if it.wants_reading:
        mails, mail = _known("$unread_mails"), {"id": message_id, "at": it.last.at}
        change["unread_mails"] = _if(fresh, _sliced(mails, mail, UNREAD), mails)
    if it.returned_id is not None:
        trouble = _known("$trouble")
        change["trouble"] = _if(fresh, {"$setUnion": [trouble, [it.returned_id]]}, trouble)
    return [{"$set": change}, *_COUNTED, _TROUBLED]


def asking(message_id: str) -> list[Document]:
    """A message wants a person; ``troubled`` remembers the last ones, so that a repeat asks nobody twice."""
    trouble, troubled = _known("$trouble"), _known("$troubled")
    fresh = {"$not": [{"$in": [message_id, troubled]}]}
    change = {
        "trouble": _if(fresh, _sliced(trouble, message_id, REMEMBERED), trouble),
        "troubled": _if(fresh, _sliced(troubled, message_id, REMEMBERED), troubled),
    }
    return [{"$set": change}, _TROUBLED]


def attending(message_id: str | None) -> list[Document]:
    """A person has seen to this message, or to all."""
    left: Any = []
    if message_id is not None:
        left = {"$setDifference": [_known("$trouble"), [message_id]]}
    return [{"$set": {"trouble": left}}, _TROUBLED]


def reading(up_to: tuple[datetime, str] | None) -> list[Document]:
    """What arrived up to there was read; what came meanwhile was not."""
    left: Any = []
    if up_to is not None:
        at, message_id = up_to
        later = {"$and": [{"$eq": ["$$it.at", at]}, {"$gt": ["$$it.id", message_id]}]}
        left = {
            "$filter": {
                "input": _known("$unread_mails"), "as": "it", "cond": {"$or": [{"$gt": ["$$it.at", at]}, later]}
            }
        }  # fmt: skip
    return [{"$set": {"unread_mails": left}}, *_COUNTED]


def _threaded(mail_id: str) -> Document:
    """The thread with this Message-ID at its end, where it is not in it yet."""
    thread = _known("$thread")
    known = {"$in": [{"$literal": mail_id}, thread]}
    return _if(known, thread, _sliced(thread, {"$literal": mail_id}, limits.REFERENCES))


def _newest(last: Last) -> Document:
    older = {"$lte": [{"$ifNull": ["$last.at", None]}, last.at]}  # null sorts before every date
    return _if(older, {"$literal": last_form(last)}, "$last")


def _known(name: str) -> Document:
    return {"$ifNull": [name, []]}


def _sliced(before: Any, one: Any, most: int) -> Document:
    return {"$slice": [{"$concatArrays": [before, [one]]}, -most]}


def _united(name: str, more: Any) -> Document:
    return {"$setUnion": [_known(name), {"$literal": list(more)}]}


def _if(condition: Any, then: Any, otherwise: Any) -> Document:
    return {"$cond": [condition, then, otherwise]}
