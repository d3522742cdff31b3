"""How long an IMAP connection may take for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. ``open_s``: from the look-up of the name to INBOX; ``command_s``: silence within one command;
    ``plus_s``: from IDLE to its ``+``; ``renew_s``: an IDLE is renewed after so long (NATs forget at 350 s);
    ``poll_s``: between two NOOPs where there is no IDLE."""

    open_s: float = 30.0
    command_s: float = 30.0
    plus_s: float = 10.0
    renew_s: tuple[float, float] = (240.0, 290.0)
    poll_s: float = 5.0
