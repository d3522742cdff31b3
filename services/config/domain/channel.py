"""The channel: what it is, and how a wish changes it.

    (absent) --create--> live --change, reconnect--> live --remove--> removed --30 days--> (null record, gone)

Each arrow raises ``version`` by one. A removed channel keeps no secret and takes no more wishes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.config.domain.outcome import Recent, Refusal, Unchanged


@dataclass(frozen=True, slots=True)
class Server:
    """One direction: where the mail server is and as whom we log in."""

    host: str
    port: int
    security: str
    user_name: str
    auth: str = "password"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an administrator set; ``rest`` is what no rule here looks at, by name."""

    imap: Server
    smtp: Server
    rest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Secret:
    """A sealed secret; nobody here can open it."""

    jwe: str = field(repr=False)
    sealed_version: int


@dataclass(frozen=True, slots=True)
class Secrets:
    """One sealed secret per direction."""

    imap: Secret | None = None
    smtp: Secret | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel as it is stored."""

    channel_id: str
    version: int
    settings: Settings
    secrets: Secrets
    created_at: datetime
    changed_at: datetime
    request_id: str
    reconnect_seq: int = 0
    removed: bool = False
    recent: Recent = field(default_factory=Recent)


Decision = Channel | Refusal | Unchanged


def settle(channel: Channel | None, request_id: str, expected: int | None) -> Refusal | Unchanged | None:
    """What ends a wish before its content is looked at: granted before, removed, missing, or another version."""
    if channel is not None and channel.recent.has(request_id):
        return Unchanged()
    if channel is not None and channel.removed:
        return Refusal("not_found", "This channel was removed. Create a new one.")
    current = channel.version if channel else 0
    if expected is not None and expected != current:
        if channel is None:
            return Refusal("not_found", "There is no such channel.")
        detail = "Somebody else changed this channel meanwhile. Read it again and repeat your change."
        return Refusal("version_mismatch", detail, current_version=current)
    return None


def created(channel_id: str, settings: Settings, secrets: Secrets, request_id: str, at: datetime) -> Channel:
    """A new channel."""
    return Channel(channel_id, 1, settings, secrets, at, at, request_id, recent=Recent((request_id,)))


def changed(channel: Channel, settings: Settings, secrets: Secrets, request_id: str, at: datetime) -> Channel:
    """The channel with other settings; a secret that is not given stays."""
    kept = Secrets(secrets.imap or channel.secrets.imap, secrets.smtp or channel.secrets.smtp)
    return replace(_next(channel, request_id, at), settings=settings, secrets=kept)


def removed(channel: Channel, request_id: str, at: datetime) -> Channel:
    """The channel without its secrets, removed for ever."""
    return replace(_next(channel, request_id, at), secrets=Secrets(), removed=True)


def reconnected(channel: Channel, request_id: str, at: datetime) -> Channel:
    """The channel, with the sign to connect again now."""
    return replace(_next(channel, request_id, at), reconnect_seq=channel.reconnect_seq + 1)


def _next(channel: Channel, request_id: str, at: datetime) -> Channel:
    version, recent = channel.version + 1, channel.recent.plus(request_id)
    return replace(channel, version=version, changed_at=at, request_id=request_id, recent=recent)
