"""What a mailbox is watched with: the part of a channel that ingest needs, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

ChannelKey = tuple[str, str]
"""Tenant and channel_id."""

INBOX = "INBOX"
"""The one mailbox of a channel that is watched (RFC 9051 section 5.1)."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where and as whom we log in. ``version`` is the channel's; ``security`` tls, starttls or none; ``auth`` password
    or oauth2; ``sealed`` the secret as a compact JWE, None where the channel has none.

    ``import_days``: mails of so many days are imported when the channel is first watched.
    """

    tenant: str
    channel_id: str
    version: int
    address: str
    host: str
    port: int
    security: str
    user_name: str
    auth: str = "password"
    sealed: str | None = field(default=None, repr=False)
    sealed_version: int = 0
    reconnect_seq: int = 0
    import_days: int = 0

    @property
    def key(self) -> ChannelKey:
        """Which channel it is."""
        return self.tenant, self.channel_id


def reconnects(before: Account, after: Account) -> bool:
    """Whether the change must be followed by a new connection: another login, or somebody asked for one."""
    return _login(before) != _login(after)


def _login(account: Account) -> Account:
    return replace(account, version=0, address="", import_days=0)
