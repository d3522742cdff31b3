"""Everything that can wake config."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.channel import ChannelChanged, ChannelChangeRequested, ChannelRemovalRequested, ReconnectRequested
from contracts.tenant import TenantChanged, TenantChangeRequested
from contracts.topics import CHANNEL_REQUESTS, CHANNELS, TENANTS
from services.config.handlers.change_channel import ChangeChannel
from services.config.handlers.change_tenant import ChangeTenant
from services.config.handlers.forget_channels import ForgetChannels
from services.config.handlers.reconnect_channel import ReconnectChannel
from services.config.handlers.remove_channel import RemoveChannel
from services.config.handlers.watch_topics import WatchTopics
from services.kit.consume import On
from services.kit.loops import Loop
from services.kit.relay import Relay
from services.kit.runtime import Routes

HOUR = 3600.0
RELAY_S = 2.0


@dataclass(frozen=True)
class Handlers:
    """The use cases, composed."""

    change_channel: ChangeChannel
    remove_channel: RemoveChannel
    reconnect_channel: ReconnectChannel
    change_tenant: ChangeTenant
    watch: WatchTopics
    forget: ForgetChannels


def routes(use: Handlers, relays: Sequence[Relay]) -> Routes:
    """Topics and loops with the handler that answers each."""
    requests = On(
        "requests", (CHANNEL_REQUESTS,),
        {
            ChannelChangeRequested: use.change_channel.handle,
            ChannelRemovalRequested: use.remove_channel.handle,
            ReconnectRequested: use.reconnect_channel.handle,
            TenantChangeRequested: use.change_tenant.handle,
        },
    )  # fmt: skip
    own = On("own", (CHANNELS, TENANTS), {ChannelChanged: use.watch.channel, TenantChanged: use.watch.tenant})
    sweeps = tuple(Loop(f"relay-{n}", relay.sweep, RELAY_S) for n, relay in enumerate(relays))
    return Routes(events=(requests, own), loops=(*sweeps, Loop("forget", use.forget.handle, HOUR)))
