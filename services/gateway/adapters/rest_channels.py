"""The channel as people and programs read it: no secret, sealed or not."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from contracts.channel import Server
from contracts.channel_status import ChannelStatusChanged, ConnectionReason, ConnectionState, Direction
from services.gateway.adapters.cursors import cursor_of
from services.gateway.adapters.rest_messages import Resource
from services.gateway.domain.page import Page
from services.gateway.ports import Connected


class ServerResource(Resource):
    """One direction; ``secret_set`` says whether a secret is stored."""

    host: str
    port: int
    security: str
    user_name: str
    auth: str
    secret_set: bool


class DirectionResource(Resource):
    """The state of one direction: connecting, connected, throttled, auth_failed, unreachable or disabled; and why."""

    state: str
    reason: str
    since: datetime | None
    next_retry_at: datetime | None


class StatusResource(Resource):
    """Both directions."""

    imap: DirectionResource
    smtp: DirectionResource


class ChannelResource(Resource):
    """A tenant's connected mail account."""

    channel_id: str
    messenger: str
    name: str
    address: str
    sender_name: str
    imap: ServerResource
    smtp: ServerResource
    status: StatusResource
    write_first: bool
    undo_seconds: int
    per_minute: int | None
    connections: int
    policy: str
    sent_copy: str
    import_days: int
    created_at: datetime
    changed_at: datetime
    removed: bool
    version: int

    @classmethod
    def of(cls, connected: Connected) -> Self:
        """What the reader sees of a channel."""
        channel, settings = connected.channel, connected.channel.settings
        return cls(
            **settings.model_dump(mode="json", exclude={"imap", "smtp"}), channel_id=channel.channel_id,
            messenger="email", imap=_server(settings.imap, channel.credentials.imap is not None),
            smtp=_server(settings.smtp, channel.credentials.smtp is not None), status=_status(connected),
            created_at=channel.created_at, changed_at=channel.changed_at, removed=channel.removed,
            version=channel.version,
        )  # fmt: skip


class ChannelPage(Resource):
    """Channels in order of creation."""

    items: tuple[ChannelResource, ...]
    next: str | None

    @classmethod
    def of(cls, page: Page[Connected]) -> Self:
        """What the reader sees of the list."""
        return cls(items=tuple(map(ChannelResource.of, page.items)), next=cursor_of(page.after))


def _server(server: Server, stored: bool) -> ServerResource:
    return ServerResource(**server.model_dump(mode="json"), secret_set=stored)


def _status(connected: Connected) -> StatusResource:
    known = {str(one.direction): one for one in connected.statuses}
    channel = connected.channel
    smtp = DirectionResource(
        state=ConnectionState.CONNECTING, reason=ConnectionReason.SETTINGS_CHANGED, since=channel.changed_at,
        next_retry_at=None,
    )  # fmt: skip
    imap = DirectionResource(
        state=ConnectionState.DISABLED, reason=ConnectionReason.NOT_WATCHED, since=channel.created_at,
        next_retry_at=None,
    )  # fmt: skip
    return StatusResource(imap=_direction(known, Direction.IMAP, imap), smtp=_direction(known, Direction.SMTP, smtp))


def _direction(known: dict[str, ChannelStatusChanged], way: str, unknown: DirectionResource) -> DirectionResource:
    one = known.get(way)
    if one is None:
        return unknown
    return DirectionResource(
        state=str(one.state), reason=str(one.reason), since=one.since, next_retry_at=one.next_retry_at
    )
