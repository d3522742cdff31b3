"""The last line of defence of the logs: what must never be written is taken out, whoever tried to write it.

Nobody should log a secret, an address, a subject or a body; this catches the slip. Structured values are dropped by
key, strings are masked by shape, and an exception is written as its type and its frames, never with its message,
because messages quote input (pydantic, MIME, SMTP replies).
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from datetime import date
from enum import Enum
from types import TracebackType
from uuid import UUID

_FORBIDDEN_KEYS = (
    "password passwd secret secrets credentials credential authorization auth token access_token refresh_token cookie "
    "set_cookie sealed private_key api_key subject body text html raw mime content to cc bcc from sender recipient "
    "recipients address addresses mail_from rcpt_to email user_name username user_input input_value value"
)
_FORBIDDEN = frozenset(_FORBIDDEN_KEYS.split())
_QUOTED_LOCAL_PART = re.compile(r'"[^"]*+"[@＠]\S*+')
_WORD_WITH_AT = re.compile(r"(?<!\S)[^\s@＠%]*+(?>(?:%(?!40)[^\s@＠%]*+)*)(?:[@＠]|%40)\S*+")
_TOKEN = re.compile(r"\beyJ[\w-]{8,}+[\w.-]*+")
_CREDENTIALS = re.compile(r"\b(?:bearer|basic|xoauth2|plain|login)\s++[\w+/=.~-]{8,}+", re.IGNORECASE)
_LONGEST = 2_000
_OVERHANG = 400  # masked before the final cut, so that no cut can separate a local part from its @
_DEEPEST = 6
_MOST = 50

_Exception = BaseException | None
ExcInfo = tuple[type[BaseException] | None, _Exception, TracebackType | None]


def mask(text: str) -> str:
    """The text without anything that looks like an address or a token, at most 2,000 characters."""
    text = text if len(text) <= _LONGEST + _OVERHANG else text[: _LONGEST + _OVERHANG] + "…"
    if "@" in text or "＠" in text or "%40" in text:
        text = _WORD_WITH_AT.sub("[address]", _QUOTED_LOCAL_PART.sub("[address]", text))
    if "eyJ" in text:
        text = _TOKEN.sub("[token]", text)
    if " " in text:
        text = _CREDENTIALS.sub("[token]", text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def scrub(value: object, depth: int = 0) -> object:
    """A JSON-ready copy of the value: forbidden keys dropped, strings masked, unknown objects named by type alone."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return mask(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, UUID | date):
        return str(value)
    if isinstance(value, Enum):
        return scrub(value.value, depth)
    return _scrub_many(value, depth)


def _scrub_many(value: object, depth: int) -> object:
    if depth < _DEEPEST and isinstance(value, Mapping):
        return scrub_fields(value, depth + 1)
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [scrub(item, depth + 1) for item in list(value)[:_MOST]]
    if isinstance(value, type):
        return value.__name__
    return f"<{type(value).__name__}>"


def scrub_fields(fields: Mapping[object, object], depth: int = 0) -> dict[str, object]:
    """The mapping without its forbidden keys, its values scrubbed."""
    return {_name(key): scrub(item, depth) for key, item in fields.items() if not _forbidden(key)}


def _name(key: object) -> str:
    return key if type(key) is str and key.isidentifier() else mask(str(key))


def _forbidden(key: object) -> bool:
    return str(key).lower().replace("-", "_") in _FORBIDDEN


def describe(error: BaseException) -> list[dict[str, object]]:
    """The error and its causes as types and frames, innermost cause last; never a message, never a local variable."""
    return [{"type": type(link).__qualname__, "frames": _frames(link)} for link in _chain(error)]


def _chain(error: _Exception) -> list[BaseException]:
    links: list[BaseException] = []
    while error is not None and error not in links and len(links) < _DEEPEST:
        links.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return links


def _frames(error: BaseException) -> list[str]:
    # lookup_lines=False: source lines are not read, so a literal in the code never gets into the log either.
    stack = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)
    return [f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno} {frame.name}" for frame in stack][-20:]


def without_messages(text: str, error: BaseException) -> str:
    """The text with every quotation of the error, or of one of its causes, replaced by the error's type."""
    for link in _chain(error):
        for quoted in sorted({repr(link), str(link)} - {""}, key=len, reverse=True):
            text = text.replace(quoted, type(link).__name__)
    return text
