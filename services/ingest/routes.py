"""Everything that can wake ingest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from contracts.channel import ChannelChanged
from contracts.channel_status import ChannelStatusChanged
from contracts.conversation import ConversationChanged
from contracts.event import Event
from contracts.message import SentCopyOffered
from contracts.outbound import MessageFailed, MessageQueued
from contracts.payload import Payload
from contracts.tenant import TenantChanged
from contracts.topics import CHANNEL_STATUS, CHANNELS, CONVERSATIONS, OUTBOUND, SENT_COPIES, TENANTS, Topic
from services.ingest.handlers.assign_shards import AssignShards
from services.ingest.handlers.doubt_statuses import DoubtStatuses
from services.ingest.handlers.file_copies import FileCopies
from services.ingest.handlers.hold_mailboxes import HoldMailboxes
from services.ingest.handlers.note_channel import NoteChannel
from services.ingest.handlers.note_copy import NoteCopy
from services.ingest.handlers.note_message import NoteMessage
from services.ingest.handlers.note_tenants import NoteTenants
from services.ingest.handlers.restate_status import RestateStatus
from services.ingest.handlers.seek_copy import SeekCopy
from services.kit.consume import On
from services.kit.loops import Loop, Task
from services.kit.relay import Relay
from services.kit.runtime import Routes

TENANTS_S: Final = 5.0
FLUSH_S: Final = 20.0
DOUBT_S: Final = 60.0
RELAY_S: Final = 2.0
TRIM_S: Final = 5.0
FILE_S: Final = 5.0


@dataclass(frozen=True)
class Handlers:
    """The use cases, composed. ``keep``/``lose``: the copies of conversations; ``trim`` gives memory back."""

    hold: HoldMailboxes
    assign: AssignShards
    note: NoteChannel
    tenants: NoteTenants
    message: NoteMessage
    copy: NoteCopy
    seek: SeekCopy
    file: FileCopies
    restate: RestateStatus
    doubt: DoubtStatuses
    keep: Callable[[Event[Any]], Awaitable[object]]
    lose: Callable[[str, str], Awaitable[None]]
    trim: Callable[[], Awaitable[None]]


def routes(use: Handlers, relay: Relay) -> Routes:
    """Topics and loops with the handler that answers each."""

    async def keep(changed: Event[ConversationChanged]) -> None:
        await use.keep(changed)

    async def lose(topic: Topic, tenant: str, subject: str) -> None:
        if topic is CONVERSATIONS:
            await use.lose(tenant, subject)

    channels = On(
        "channels", (CHANNELS,), {ChannelChanged: use.note.handle}, forget=use.note.forget, assigned=use.assign.handle
    )
    around: dict[type[Payload], Callable[[Event[Any]], Awaitable[None]]] = {
        TenantChanged: use.tenants.handle,
        ConversationChanged: keep,
        MessageQueued: use.message.handle,
        MessageFailed: use.seek.handle,
        SentCopyOffered: use.copy.handle,
        ChannelStatusChanged: use.restate.handle,
    }
    others = On("around", (TENANTS, CONVERSATIONS, OUTBOUND, SENT_COPIES, CHANNEL_STATUS), around, forget=lose)
    loops: tuple[Loop | Task, ...] = (
        Task("watch", use.hold.handle),
        Loop("tenants", use.tenants.look, TENANTS_S),
        Loop("flush", use.hold.report.flush, FLUSH_S),
        Loop("doubt", use.doubt.handle, DOUBT_S),
        Loop("relay", relay.sweep, RELAY_S),
        Loop("file", use.file.handle, FILE_S),
        Loop("trim", use.trim, TRIM_S),
    )
    return Routes(events=(channels, others), loops=loops)
