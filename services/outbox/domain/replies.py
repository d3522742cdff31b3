"""What a mail server answered, as values; an adapter translates its library into these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """Where in a submission something happened (RFC 5321 section 3.3)."""

    CONNECT = "connect"
    TLS = "tls"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete SMTP reply: three-digit code, enhanced code like "5.1.1" (RFC 3463) if any, text of at most 500
    characters on one line."""

    code: int
    enhanced: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class NoReply:
    """The connection was lost, timed out or went out of step; it is closed.

    ``dot_sent``: the final dot may have left, so the outcome is unknown; False: surely no whole message left.
    ``detail`` is a short code such as "lost", "timeout", "deadline", "out_of_step".
    """

    dot_sent: bool = False
    detail: str = "lost"


Answer = Reply | NoReply


@dataclass(frozen=True, slots=True)
class NotOpen:
    """No session could be had. ``reason`` is a value of contracts' ConnectionReason, ``reply`` the server's, if any."""

    stage: Stage
    reason: str
    reply: Reply | None = None
