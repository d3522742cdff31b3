"""Whether a sent message is offered for the account's Sent mailbox."""

from __future__ import annotations

from typing import Final

_FILE_IT_THEMSELVES: Final = ("gmail.com", "googlemail.com", "office365.com", "outlook.com", "hotmail.com", "live.com")
"""Providers whose submission servers put what they take into the Sent mailbox."""


def wants_copy(sent_copy: str, host: str) -> bool:
    """``sent_copy``: always, never, or auto: where the provider, by the name of its server, is not known to do so."""
    if sent_copy != "auto":
        return sent_copy == "always"
    name = host.lower().rstrip(".")
    return not any(name == each or name.endswith("." + each) for each in _FILE_IT_THEMSELVES)
