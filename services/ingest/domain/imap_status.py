"""What a failed IMAP connection means for the channel: a table from what was seen to state, reason and pause. Pure.

```
an explicit refusal -----------------------------------------> auth_failed   (pause: refused, 1 h, 6 h, 24 h)
NO to a login without a code --2nd in a row--> auth_failed     (the 1st is taken for a bad day of the server)
a limit of the server ---------------------------------------> throttled     (pause: throttled)
everything else ---------------------------------------------> unreachable   (pause: soon, with jitter, for ever)
```

Codes are RFC 5530's (and LIMIT of RFC 9051). A code that is unknown, or says nothing of the cause (ALERT), is ignored,
as RFC 9051 section 7.1 asks; then the server's words decide whether it speaks of a limit or of itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

Pause = Literal["soon", "throttled", "refused"]
REFUSALS: Final = 2
"""So many refusals without a code, in a row and each after a healthy greeting, are one with a code."""


class Stage(StrEnum):
    """How far the connection had come."""

    CONNECT = "connect"
    TLS = "tls"
    GREETING = "greeting"
    LOGIN = "login"
    SELECT = "select"
    WATCH = "watch"


class Sign(StrEnum):
    """What was seen. ``NO``, ``BAD`` and ``BYE`` are the server's words; the others are told by the machine."""

    DENIED = "denied"
    UNRESOLVABLE = "unresolvable"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    LOST = "lost"
    CERTIFICATE = "certificate"
    TLS_BROKEN = "tls_broken"
    NO_STARTTLS = "no_starttls"
    GARBLED = "garbled"
    SECRET = "secret"  # noqa: S105 - a sign, no secret
    NO = "no"
    BAD = "bad"
    BYE = "bye"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no session, or no longer one. ``code`` without brackets, upper case; ``text`` is not for showing."""

    stage: Stage
    sign: Sign
    code: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``state`` and ``reason`` are values of the contract's ConnectionState and ConnectionReason.

    ``uncoded`` says that this was a refusal without a code: count it, and forget the count on any other outcome.
    """

    state: str
    reason: str
    pause: Pause
    uncoded: bool = False


def _unreachable(reason: str) -> Verdict:
    return Verdict("unreachable", reason, "soon")


_BUSY: Final = Verdict("throttled", "rate_limited", "throttled")
_DOWN: Final = _unreachable("server_unavailable")
_WRONG: Final = Verdict("auth_failed", "authentication_failed", "refused")

_BY_SIGN: Final[Mapping[Sign, Verdict]] = {
    Sign.DENIED: _unreachable("host_not_allowed"),
    Sign.UNRESOLVABLE: _unreachable("unresolvable"),
    Sign.REFUSED: _unreachable("refused_connection"),
    Sign.TIMEOUT: _unreachable("timeout"),
    Sign.LOST: _unreachable("connection_lost"),
    Sign.CERTIFICATE: _unreachable("tls_certificate"),
    Sign.TLS_BROKEN: _unreachable("tls_failed"),
    Sign.NO_STARTTLS: _unreachable("starttls_missing"),
    Sign.GARBLED: _unreachable("protocol_error"),
    Sign.BAD: _unreachable("protocol_error"),
    Sign.SECRET: Verdict("auth_failed", "secret_unreadable", "refused"),
}
_BY_CODE: Final[Mapping[str, Verdict]] = {
    "UNAVAILABLE": _DOWN,
    "CONTACTADMIN": _DOWN,
    "SERVERBUG": _DOWN,
    "INUSE": _DOWN,
    "LIMIT": _BUSY,
    "CLIENTBUG": _unreachable("protocol_error"),
    "NONEXISTENT": _unreachable("protocol_error"),
}
_BY_CODE_AT_LOGIN: Final[Mapping[str, Verdict]] = {
    **_BY_CODE,
    "AUTHENTICATIONFAILED": _WRONG,
    "EXPIRED": _WRONG,
    "PRIVACYREQUIRED": _WRONG,
}
_LIMIT: Final = re.compile(
    r"too many|too fast|rate.?limit|throttl|maximum number of|bandwidth|over quota", re.IGNORECASE
)
_ITSELF: Final = re.compile(
    r"shutting down|shut ?down|restart|maintenance|unavailable|temporar|try again later|internal (server )?error"
    r"|backend|overload|server (is )?busy",
    re.IGNORECASE,
)
_PARTING: Final = re.compile(r"inactiv|idle|autologout|timeout|timed out", re.IGNORECASE)


def judge(trouble: Trouble, refusals: int = 0) -> Verdict:
    """The verdict; ``refusals`` counts the refusals without a code before this one, in a row."""
    if trouble.sign is Sign.NO:
        return _refused(trouble, refusals)
    if trouble.sign is Sign.BYE:
        return _parted(trouble)
    return _BY_SIGN[trouble.sign]


def _refused(trouble: Trouble, refusals: int) -> Verdict:
    """A tagged NO: its code, else its words, else by where it was said."""
    at_login = trouble.stage is Stage.LOGIN
    told = (_BY_CODE_AT_LOGIN if at_login else _BY_CODE).get(trouble.code or "") or _by_words(trouble.text)
    if told is not None or not at_login:
        return told or _DOWN
    if refusals + 1 >= REFUSALS:
        return Verdict("auth_failed", "refused_without_code", "refused", uncoded=True)
    return Verdict("unreachable", "server_unavailable", "soon", uncoded=True)


def _parted(trouble: Trouble) -> Verdict:
    """A BYE: its code, else its words; a server that greets with one is not available, one that ends later is lost."""
    if _PARTING.search(trouble.text) and trouble.stage is Stage.WATCH:
        return _BY_SIGN[Sign.LOST]
    told = _BY_CODE.get(trouble.code or "") or _by_words(trouble.text)
    at_the_door = trouble.stage in (Stage.CONNECT, Stage.TLS, Stage.GREETING, Stage.LOGIN)
    return told or (_DOWN if at_the_door else _BY_SIGN[Sign.LOST])


def _by_words(text: str) -> Verdict | None:
    if _LIMIT.search(text):
        return _BUSY
    return _DOWN if _ITSELF.search(text) else None
