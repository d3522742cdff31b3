"""Everything that can wake the outbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.channel import ChannelChanged
from contracts.channel_status import ChannelStatusChanged
from contracts.message import CancelRequested, MessageComposed, SentCopyFound
from contracts.tenant import TenantChanged
from contracts.topics import CANCEL_REQUESTS, CHANNEL_STATUS, CHANNELS, COMPOSED, SENT_COPIES_FOUND, TENANTS
from services.kit.consume import On
from services.kit.loops import Loop, Task
from services.kit.relay import Relay
from services.kit.runtime import Routes
from services.outbox.handlers.accept_message import AcceptMessage
from services.outbox.handlers.cancel_message import CancelMessage
from services.outbox.handlers.claim_lanes import ClaimLanes
from services.outbox.handlers.drive_lanes import DriveLanes
from services.outbox.handlers.expire_messages import ExpireMessages
from services.outbox.handlers.follow_lanes import FollowLanes
from services.outbox.handlers.forget_messages import ForgetMessages
from services.outbox.handlers.note_channel import NoteChannel
from services.outbox.handlers.note_tenant import NoteTenant
from services.outbox.handlers.recover_transmissions import RecoverTransmissions
from services.outbox.handlers.renew_lanes import RenewLanes
from services.outbox.handlers.resolve_message import ResolveMessage
from services.outbox.handlers.restate_status import RestateStatus
from services.outbox.handlers.sweep_lanes import SweepLanes

RELAY_S: Final = 2.0
CLAIM_S: Final = 1.0
RENEW_S: Final = 2.5
SWEEP_S: Final = 5.0
RECOVER_S: Final = 2.0
TIDY_S: Final = 30.0
FORGET_S: Final = 3600.0


@dataclass(frozen=True)
class Handlers:
    """The use cases, composed. ``tidy`` closes idle connections and hears the database's clock again."""

    accept: AcceptMessage
    cancel: CancelMessage
    note: NoteChannel
    tenant: NoteTenant
    restate: RestateStatus
    resolve: ResolveMessage
    drive: DriveLanes
    claim: ClaimLanes
    sweep: SweepLanes
    renew: RenewLanes
    follow: FollowLanes
    recover: RecoverTransmissions
    expire: ExpireMessages
    forget: ForgetMessages
    tidy: Callable[[], Awaitable[None]]


def routes(use: Handlers, relays: Sequence[Relay]) -> Routes:
    """Topics and loops with the handler that answers each."""
    composed = On("composed", (COMPOSED,), {MessageComposed: use.accept.handle})
    cancels = On(
        "cancels", (CANCEL_REQUESTS, SENT_COPIES_FOUND),
        {CancelRequested: use.cancel.handle, SentCopyFound: use.resolve.handle},
    )  # fmt: skip
    channels = On("channels", (CHANNELS,), {ChannelChanged: use.note.handle}, forget=use.note.forget)
    tenants = On("tenants", (TENANTS,), {TenantChanged: use.tenant.handle})
    own = On("own", (CHANNEL_STATUS,), {ChannelStatusChanged: use.restate.handle})
    loops: tuple[Loop | Task, ...] = (
        Task("drive", use.drive.handle),
        Task("follow", use.follow.handle),
        Loop("claim", use.claim.handle, CLAIM_S),
        Loop("renew", use.renew.handle, RENEW_S),
        Loop("sweep", use.sweep.handle, SWEEP_S),
        Loop("recover", use.recover.handle, RECOVER_S),
        Loop("expire", use.expire.handle, SWEEP_S),
        Loop("prove", use.note.prove.sweep, TIDY_S),
        Loop("tidy", use.tidy, TIDY_S),
        Loop("forget", use.forget.handle, FORGET_S),
        *(Loop(f"relay-{n}", relay.sweep, RELAY_S) for n, relay in enumerate(relays)),
    )
    return Routes(events=(composed, cancels, channels, tenants, own), loops=loops)
