"""Whether a channel's two directions work: the public contract of ``mail.channel-status.v1``."""

from __future__ import annotations

from typing import ClassVar

from contracts.payload import Id, Moment, Open, Payload


class Direction(Open):
    """IMAP brings mail in, SMTP takes it out."""

    IMAP = "imap"
    SMTP = "smtp"
    OTHER = "other"


class ConnectionState(Open):
    """The state of one direction; ``connected`` comes from a completed cycle, never from an open socket alone."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    THROTTLED = "throttled"
    AUTH_FAILED = "auth_failed"
    UNREACHABLE = "unreachable"
    DISABLED = "disabled"
    OTHER = "other"


class ConnectionReason(Open):
    """Why a direction is in its state; the console has a sentence and a next step for each."""

    NONE = "none"
    NOT_WATCHED = "not_watched"
    REMOVED = "removed"
    SETTINGS_CHANGED = "settings_changed"
    HOST_NOT_ALLOWED = "host_not_allowed"
    UNRESOLVABLE = "unresolvable"
    REFUSED_CONNECTION = "refused_connection"
    TIMEOUT = "timeout"
    CONNECTION_LOST = "connection_lost"
    TLS_CERTIFICATE = "tls_certificate"
    TLS_FAILED = "tls_failed"
    STARTTLS_MISSING = "starttls_missing"
    AUTHENTICATION_FAILED = "authentication_failed"
    REFUSED_WITHOUT_CODE = "refused_without_code"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - a reason, no secret
    SERVER_UNAVAILABLE = "server_unavailable"
    RATE_LIMITED = "rate_limited"
    SENDER_REFUSED = "sender_refused"
    PROTOCOL_ERROR = "protocol_error"
    OTHER = "other"


class ChannelStatusChanged(Payload):
    """One direction of a channel changed its state; ``next_retry_at`` where we try again by ourselves."""

    aggregate: ClassVar[str] = "channel-status"
    channel_id: Id
    direction: Direction
    state: ConnectionState
    reason: ConnectionReason
    since: Moment
    next_retry_at: Moment | None = None

    def key(self) -> str:
        """One record per channel and direction."""
        return f"{self.channel_id}/{self.direction}"
