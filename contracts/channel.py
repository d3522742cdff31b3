"""The channel: a tenant's connected mail account, its settings and its sealed credentials."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from contracts import limits
from contracts.addresses import Address, HeaderText
from contracts.payload import Id, Moment, Open, Part, Payload


class Security(StrEnum):
    """How the connection is protected: implicit TLS, STARTTLS required, or none (only where the platform allows it)."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Auth(StrEnum):
    """How we log in; the secret itself is sealed."""

    PASSWORD = "password"  # noqa: S105 - a kind of login, no secret
    OAUTH2 = "oauth2"


class Policy(Open):
    """What becomes of a recipient whose outcome nobody can know: parked, or tried again with the same bytes."""

    PARK = "park"
    RESEND = "resend"
    OTHER = "other"


class SentCopy(Open):
    """Whether a sent message is filed in the account's Sent mailbox: always, never, or where the provider does not."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"
    OTHER = "other"


class Server(Part):
    """One direction of a channel: where the mail server is and as whom we log in."""

    host: str = Field(min_length=1, max_length=253)
    port: int = Field(ge=1, le=65535)
    security: Security
    user_name: str = Field(min_length=1, max_length=320)
    auth: Auth = Auth.PASSWORD


class ChannelSettings(Part):
    """What an administrator sets; ``per_minute`` limits submissions, ``connections`` those open at once.

    ``import_days``: mails that arrived at most so long before the channel was connected are imported (0: none).
    """

    name: HeaderText = Field(min_length=1, max_length=limits.NAME_LENGTH)
    address: Address
    sender_name: HeaderText = Field(default="", max_length=limits.NAME_LENGTH)
    imap: Server
    smtp: Server
    write_first: bool = True
    undo_seconds: int = Field(default=limits.UNDO_DEFAULT, ge=0, le=limits.UNDO_MAX)
    per_minute: int | None = Field(default=None, ge=1, le=100_000)
    connections: int = Field(default=4, ge=1, le=20)
    policy: Policy = Policy.PARK
    sent_copy: SentCopy = SentCopy.AUTO
    import_days: int = Field(default=0, ge=0, le=limits.IMPORT_DAYS)


class SealedSecret(Part):
    """A JWE that only the services that log in can open; ``sealed_version`` rises with each new secret."""

    jwe: str = Field(repr=False)
    sealed_version: int = Field(ge=1)


class Credentials(Part):
    """One sealed secret per direction; None keeps the one that is stored."""

    imap: SealedSecret | None = None
    smtp: SealedSecret | None = None


class ChannelChangeRequested(Payload):
    """A wish: create the channel (``expected_version`` 0) or change it."""

    aggregate: ClassVar[str] = "channel-request"
    request_id: Id
    requested_by: str
    channel_id: Id
    expected_version: int | None
    settings: ChannelSettings
    credentials: Credentials

    def key(self) -> str:
        """Requests for one channel keep their order."""
        return self.channel_id

    def identity(self) -> str:
        """One wish, one id."""
        return self.request_id


class ChannelRemovalRequested(Payload):
    """A wish: remove the channel."""

    aggregate: ClassVar[str] = "channel-request"
    request_id: Id
    requested_by: str
    channel_id: Id
    expected_version: int | None = None

    def key(self) -> str:
        """Requests for one channel keep their order."""
        return self.channel_id

    def identity(self) -> str:
        """One wish, one id."""
        return self.request_id


class ReconnectRequested(Payload):
    """A wish: connect again now, whatever the state."""

    aggregate: ClassVar[str] = "channel-request"
    request_id: Id
    requested_by: str
    channel_id: Id

    def key(self) -> str:
        """Requests for one channel keep their order."""
        return self.channel_id

    def identity(self) -> str:
        """One wish, one id."""
        return self.request_id


class ChannelChanged(Payload):
    """The channel as it now is, whole; a removed one keeps no credentials."""

    aggregate: ClassVar[str] = "channel"
    request_id: Id | None
    channel_id: Id
    settings: ChannelSettings
    credentials: Credentials
    created_at: Moment
    changed_at: Moment
    reconnect_seq: int = 0
    removed: bool = False

    def key(self) -> str:
        """One record per channel."""
        return self.channel_id
