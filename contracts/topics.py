"""Every topic: what it carries, from whom, how it is keyed and kept. Frozen per topic version.

``publish`` takes an event and nothing else: topic and key come from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts import (
    channel,
    channel_status,
    conversation,
    inbound,
    message,
    operator,
    outbound,
    outcome,
    signature,
    tenant,
)
from contracts.limits import DAY
from contracts.payload import Payload


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. ``retention`` in seconds, None where it is compacted; ``sources``: the services that may write it."""

    name: str
    about: str
    events: tuple[type[Payload], ...]
    sources: tuple[str, ...]
    readers: tuple[str, ...]
    partitions: int
    retention: int | None
    public: bool = False
    segment_seconds: int | None = None
    max_compaction_lag: int | None = None

    @property
    def dead_letters(self) -> str:
        """Where an event of this topic goes that could not be handled."""
        return f"{self.name}.dlq"

    @property
    def compacted(self) -> bool:
        """Whether the topic keeps the last record of each key."""
        return self.retention is None


INBOUND: Final = Topic(
    "mail.inbound.v1", "What arrived on the channels' mailboxes, keyed by conversation.",
    (inbound.MessageReceived, inbound.BounceReceived, inbound.AutoReplyReceived, inbound.MessageQuarantined,
     inbound.MailboxReset),
    ("ingest",), ("gateway",), 32, 14 * DAY, public=True,
)  # fmt: skip
OUTBOUND: Final = Topic(
    "mail.outbound.v1", "What happened to outbound messages, keyed by message.",
    (outbound.MessageQueued, outbound.MessageCommitted, outbound.MessageDeferred, outbound.MessageSent,
     outbound.MessageFailed, outbound.MessageInterrupted, outbound.InterruptAnswered),
    ("outbox",), ("gateway", "ingest"), 32, 14 * DAY, public=True,
)  # fmt: skip
CHANNEL_STATUS: Final = Topic(
    "mail.channel-status.v1", "The state of each direction of each channel.",
    (channel_status.ChannelStatusChanged,), ("outbox", "ingest"), ("gateway",), 8, None, public=True,
)  # fmt: skip
CHANNEL_REQUESTS: Final = Topic(
    "malote.channel-requests.v1", "Wishes about tenants and channels.",
    (channel.ChannelChangeRequested, channel.ChannelRemovalRequested, channel.ReconnectRequested,
     tenant.TenantChangeRequested),
    ("gateway",), ("config",), 8, 7 * DAY,
)  # fmt: skip
TENANTS: Final = Topic(
    "malote.tenants.v1", "Each tenant as it is.",
    (tenant.TenantChanged,), ("config",), ("gateway", "outbox", "signature", "config", "ingest"), 8, None,
)  # fmt: skip
CHANNELS: Final = Topic(
    "malote.channels.v1", "Each channel as it is, credentials sealed.",
    (channel.ChannelChanged,), ("config",), ("gateway", "signature", "outbox", "config", "ingest"), 64, None,
    segment_seconds=6 * 3600, max_compaction_lag=DAY,
)  # fmt: skip
SIGNATURE_REQUESTS: Final = Topic(
    "malote.signature-requests.v1", "Wishes about signatures.",
    (signature.SignatureChangeRequested, signature.SignaturePolicyChangeRequested),
    ("gateway",), ("signature",), 8, 7 * DAY,
)  # fmt: skip
SIGNATURES: Final = Topic(
    "malote.signatures.v1", "Each signature and each channel's switches as they are.",
    (signature.SignatureChanged, signature.SignaturePolicyChanged), ("signature",), ("gateway", "signature"), 8, None,
)  # fmt: skip
OPERATORS: Final = Topic(
    "malote.operators.v1", "Each operator as they are.",
    (operator.OperatorChanged,), ("gateway",), ("signature", "gateway"), 8, None,
)  # fmt: skip
CONVERSATIONS: Final = Topic(
    "malote.conversations.v1", "Each conversation as it is.",
    (conversation.ConversationChanged,), ("gateway",), ("ingest", "gateway"), 8, None,
)  # fmt: skip
SEND_REQUESTS: Final = Topic(
    "malote.send-requests.v1", "Accepted messages, to be signed.",
    (message.SendRequested,), ("gateway",), ("signature",), 32, 7 * DAY,
)  # fmt: skip
COMPOSED: Final = Topic(
    "malote.composed.v1", "Signed messages, to be held and submitted.",
    (message.MessageComposed,), ("signature",), ("outbox",), 32, 7 * DAY,
)  # fmt: skip
CANCEL_REQUESTS: Final = Topic(
    "malote.cancel-requests.v1", "Wishes to interrupt a message.",
    (message.CancelRequested,), ("gateway",), ("outbox",), 32, 7 * DAY,
)  # fmt: skip
SENT_COPIES: Final = Topic(
    "malote.sent-copies.v1", "Sent messages, to be filed in the accounts' Sent mailboxes.",
    (message.SentCopyOffered,), ("outbox",), ("ingest",), 8, 7 * DAY,
)  # fmt: skip
SENT_COPIES_FOUND: Final = Topic(
    "malote.sent-copies-found.v1", "Messages of unknown outcome that stand in the accounts' Sent mailboxes.",
    (message.SentCopyFound,), ("ingest",), ("outbox",), 8, 7 * DAY,
)  # fmt: skip
REQUEST_OUTCOMES: Final = Topic(
    "malote.request-outcomes.v1", "Wishes that were refused, and why.",
    (outcome.ChannelChangeRejected, outcome.SignatureChangeRejected), ("config", "signature"), ("gateway",), 8, DAY,
)  # fmt: skip

TOPICS: Final = (
    INBOUND, OUTBOUND, CHANNEL_STATUS, CHANNEL_REQUESTS, TENANTS, CHANNELS, SIGNATURE_REQUESTS, SIGNATURES, OPERATORS,
    CONVERSATIONS, SEND_REQUESTS, COMPOSED, CANCEL_REQUESTS, SENT_COPIES, SENT_COPIES_FOUND,
    REQUEST_OUTCOMES,
)  # fmt: skip

DEAD_LETTER_RETENTION: Final = 30 * DAY

EVENTS: Final[dict[str, type[Payload]]] = {kind.__name__: kind for topic in TOPICS for kind in topic.events}
_TOPIC_OF: Final = {kind: topic for topic in TOPICS for kind in topic.events}


def topic_of(payload: Payload | type[Payload]) -> Topic:
    """The topic that carries this data."""
    return _TOPIC_OF[payload if isinstance(payload, type) else type(payload)]
