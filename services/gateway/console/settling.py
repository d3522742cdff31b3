"""How far a connection has come, step by step, from what its services tell. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from services.gateway.console.catalogue import Words
from services.gateway.console.moments import Moments

STEPS: Final = ("name", "addr", "tls", "login", "last")
FAILS_AT: Final = {
    "host_not_allowed": 0, "unresolvable": 0, "refused_connection": 1, "timeout": 1, "connection_lost": 1,
    "tls_certificate": 2, "tls_failed": 2, "starttls_missing": 2, "authentication_failed": 3,
    "refused_without_code": 3, "secret_unreadable": 3, "server_unavailable": 4, "rate_limited": 4,
    "sender_refused": 4, "protocol_error": 4, "other": 4,
}  # fmt: skip
LOOKS: Final = {
    "connected": "ok", "connecting": "clock", "throttled": "clock", "auth_failed": "bad", "unreachable": "bad",
    "disabled": "off",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One step: done, busy, bad or later."""

    word: str
    state: str


@dataclass(frozen=True, slots=True)
class Way:
    """One direction: its steps, its state in words, and what to do next where something is wrong."""

    direction: str
    state: str
    look: str
    word: str
    small: str
    steps: tuple[Step, ...]
    next_step: str


def way_of(status: Any, direction: str, words: Words, moments: Moments) -> Way:
    """The direction ``imap`` or ``smtp`` in the reader's words."""
    small = words("c.since", t=moments.near(status.since)) if status.since else ""
    if status.next_retry_at is not None:
        small += ", " + words("c.next", t=moments.near(status.next_retry_at))
    failing = status.state in ("auth_failed", "unreachable", "throttled")
    return Way(
        direction, status.state, LOOKS.get(status.state, "off"), words.one_of("c", status.state), small,
        steps_of(status, direction, words), words.one_of("why", status.reason) if failing else "",
    )  # fmt: skip


def steps_of(status: Any, direction: str, words: Words) -> tuple[Step, ...]:
    """Done up to where it stands; a step that failed is named, later ones were not tried."""
    names = [words(f"x.{one}") for one in STEPS[:-1]] + [words("x.box" if direction == "imap" else "x.send")]
    if status.state == "connected":
        return tuple(Step(name, "done") for name in names)
    if status.state in ("connecting", "disabled"):
        first = "busy" if status.state == "connecting" else "later"
        return tuple(Step(name, "later" if n else first) for n, name in enumerate(names))
    at = FAILS_AT.get(status.reason, len(names) - 1)
    return tuple(Step(name, "done" if n < at else "bad" if n == at else "later") for n, name in enumerate(names))


def heading(ways: tuple[Way, Way], words: Words) -> str:
    """One sentence for both."""
    states = {one.state for one in ways}
    if states == {"connected"}:
        return words("x.settled")
    if states & {"auth_failed", "unreachable", "throttled"}:
        good = {one.direction for one in ways if one.state == "connected"}
        return words("x.failed" if good == {"imap"} else "x.failed.in" if good == {"smtp"} else "x.failed.both")
    return words("x.busy") if "connecting" in states else words("x.title")


def diagnosis(channel: Any, now: str) -> str:
    """What support needs, without secrets."""
    lines = [f"channel   {channel.name} ({channel.channel_id})", f"at        {now}"]
    for direction in ("imap", "smtp"):
        server, status = getattr(channel, direction), getattr(channel.status, direction)
        place = f"{server.host}:{server.port} {server.security}"
        lines.append(f"{direction}      {place}  {status.state} ({status.reason})")
        if status.next_retry_at is not None:
            lines.append(f"next try  {status.next_retry_at.isoformat(timespec='seconds')}")
    return "\n".join(lines)
