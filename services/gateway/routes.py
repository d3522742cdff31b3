"""Everything that can wake the gateway: HTTP, topics, loops, each with the use case that answers."""

from __future__ import annotations

from collections.abc import Sequence

from contracts import topics
from contracts.inbound import AutoReplyReceived, BounceReceived, MessageQuarantined, MessageReceived
from contracts.payload import Payload
from services.gateway.adapters.endpoint import Either, Endpoint, Trait
from services.gateway.adapters.rest_channels import ChannelPage, ChannelResource
from services.gateway.adapters.rest_conversations import (
    ConversationPage,
    ConversationResource,
    OpenedResource,
    ReadBody,
    StartedResource,
    WaitingResource,
)
from services.gateway.adapters.rest_drafts import DraftBody, DraftResource
from services.gateway.adapters.rest_events import EVENTS
from services.gateway.adapters.rest_files import FILE, FileResource
from services.gateway.adapters.rest_inbound import QuarantinedPage, QuarantinedResource, SaidResource
from services.gateway.adapters.rest_messages import InterruptResource, MessageResource
from services.gateway.adapters.rest_requests import (
    ChannelBody,
    OperatorBody,
    PolicyBody,
    PreviewBody,
    SendBody,
    StartBody,
    TemplateBody,
    TenantBody,
)
from services.gateway.adapters.rest_settings import (
    OperatorPage,
    OperatorResource,
    PreviewResource,
    RequestResource,
    SignaturesResource,
    TenantResource,
)
from services.gateway.domain.answers import Undecided
from services.gateway.handlers import Handlers
from services.kit.consume import On
from services.kit.dispatch import Handler
from services.kit.loops import Loop, Task
from services.kit.relay import Relay
from services.kit.runtime import Routes

RELAY_S, SWEEP_S, KEYS_S, BLOBS_S = 2.0, 60.0, 300.0, 15.0
SETTINGS = (topics.TENANTS, topics.CHANNELS, topics.CHANNEL_STATUS, topics.SIGNATURES, topics.REQUEST_OUTCOMES)
INTERRUPTED = Either((200, 202), lambda answer: 202 if isinstance(answer, Undecided) else 200)
STARTED = Either((202, 201), lambda answer: 202 if answer.message else 201)
E = Endpoint


def endpoints(use: Handlers) -> tuple[Endpoint, ...]:
    """HTTP: method, path, use case, what it does, scopes (one of them), what it gives and takes."""
    return (*_writing(use), *_accounts(use), *_people(use), *_streams(use))


def _writing(use: Handlers) -> tuple[Endpoint, ...]:
    sends, resolves = ("messages:send",), ("messages:resolve",)
    interrupts = ("messages:interrupt", "messages:interrupt:any")
    reads, writes = ("conversations:read",), ("conversations:write",)
    said, talk = "/v1/messages/{message_id}", "/v1/conversations/{conversation_id}"
    # fmt: off
    return (
        E("POST", "/v1/messages", use.send.handle, "Send a message into a conversation",
          sends, MessageResource, SendBody, Trait.KEYED, 202),
        E("GET", said, use.message.handle, "Read a message", reads, SaidResource),
        E("POST", f"{said}/interrupt", use.interrupt.handle, "Interrupt a message",
          interrupts, InterruptResource, status=INTERRUPTED),
        E("POST", f"{said}/resend", use.resend.handle, "Send a parked message again",
          resolves, MessageResource, None, Trait.KEYED, 202),
        E("POST", f"{said}/mark-sent", use.mark.handle, "Mark a parked message as sent", resolves, MessageResource),
        E("POST", f"{said}/hide", use.message.hide, "Hide a message; this recalls nothing", writes, SaidResource),
        E("GET", "/v1/conversations", use.conversation.list, "List conversations",
          reads, ConversationPage, None, Trait.PAGED | Trait.RANKED, query=("view", "channel_id", "q")),
        E("POST", "/v1/conversations", use.start.handle, "Start a conversation",
          writes, StartedResource, StartBody, Trait.KEYED, STARTED),
        E("GET", talk, use.conversation.handle, "Read a conversation with its messages",
          reads, OpenedResource, None, Trait.PAGED | Trait.TIMED),
        E("POST", f"{talk}/read", use.conversation.read, "Take what arrived as read",
          writes, ConversationResource, ReadBody),
        E("POST", f"{talk}/attended", use.conversation.attended, "Say that somebody saw to what did not arrive",
          writes, ConversationResource),
        E("GET", "/v1/waiting", use.waiting.handle, "Count what waits for the desk", reads, WaitingResource),
        E("POST", f"{talk}/hide", use.conversation.hide, "Hide a conversation", writes, ConversationResource),
    )
    # fmt: on


def _accounts(use: Handlers) -> tuple[Endpoint, ...]:
    talks, sees, sets, signs = ("conversations:read",), ("channels:read",), ("channels:write",), ("signatures:write",)
    one, signed = "/v1/channels/{channel_id}", "/v1/channels/{channel_id}/signatures"
    # fmt: off
    return (
        E("GET", "/v1/channels", use.channel.list, "List channels", sees, ChannelPage, None, Trait.PAGED),
        E("POST", "/v1/channels", use.create.handle, "Connect a mail account",
          sets, ChannelResource, ChannelBody, Trait.TAGGED | Trait.SETTLES, 201),
        E("GET", one, use.channel.handle, "Read a channel", sees, ChannelResource, None, Trait.TAGGED),
        E("PUT", one, use.change.handle, "Change a channel", sets, ChannelResource, ChannelBody, Trait.CHANGED),
        E("DELETE", one, use.remove.handle, "Remove a channel", sets, ChannelResource, None, Trait.CHANGED),
        E("GET", f"{one}/quarantined", use.aside.list, "List mails that could not be read",
          sees, QuarantinedPage, None, Trait.PAGED | Trait.TIMED),
        E("GET", "/v1/quarantined", use.aside.list_all, "List mails of all channels that could not be read",
          talks, QuarantinedPage, None, Trait.PAGED | Trait.TIMED),
        E("POST", "/v1/quarantined/{message_id}/hide", use.aside.hide, "Hide a mail that could not be read",
          ("conversations:write",), QuarantinedResource),
        E("POST", f"{one}/reconnect", use.reconnect.handle, "Connect again now",
          sets, ChannelResource, None, Trait.SETTLES),
        E("GET", signed, use.signature.read, "Read a channel's signatures", sees, SignaturesResource),
        E("PUT", f"{signed}/operators/{{operator_id}}", use.signature.handle, "Put an operator's signature",
          signs, SignaturesResource, TemplateBody, Trait.CHANGED),
        E("PUT", f"{signed}/default", use.signature.default, "Put the default signature",
          signs, SignaturesResource, TemplateBody, Trait.CHANGED),
        E("PUT", f"{signed}/policy", use.signature.turn, "Turn the two switches",
          signs, SignaturesResource, PolicyBody, Trait.CHANGED),
        E("POST", f"{signed}/preview", use.preview.handle, "Preview a signature",
          signs, PreviewResource, PreviewBody),
    )
    # fmt: on


def _people(use: Handlers) -> tuple[Endpoint, ...]:
    sees, staffs, platform = ("channels:read",), ("operators:write",), ("platform:tenants",)
    staff = "/v1/operators/{operator_id}"
    # fmt: off
    return (
        E("GET", "/v1/operators", use.operator.list, "List operators", sees, OperatorPage, None, Trait.PAGED),
        E("GET", staff, use.operator.read, "Read an operator", sees, OperatorResource, None, Trait.TAGGED),
        E("PUT", staff, use.operator.handle, "Put an operator",
          staffs, OperatorResource, OperatorBody, Trait.TAGGED | Trait.MATCHED | Trait.NAMED),
        E("GET", "/v1/tenants/{tenant_id}", use.tenant.read, "Read a tenant", (), TenantResource),
        E("PUT", "/v1/tenants/{tenant_id}", use.tenant.handle, "Make or change a tenant",
          platform, TenantResource, TenantBody, Trait.SETTLES | Trait.NAMED),
        E("GET", "/v1/requests/{request_id}", use.wish.read, "Read how a settings change stands",
          (), RequestResource),
    )
    # fmt: on


def _streams(use: Handlers) -> tuple[Endpoint, ...]:
    reads, writes = ("conversations:read",), ("messages:send", "signatures:write")
    drafts = ("conversations:write", *writes)
    # fmt: off
    return (
        E("GET", "/v1/events", use.follow.handle, "Follow the tenant's changes", reads, EVENTS, None, Trait.RESUMED),
        E("GET", "/v1/drafts/{draft_name}", use.draft.read, "Read what you are writing", drafts, DraftResource),
        E("PUT", "/v1/drafts/{draft_name}", use.draft.handle, "Keep what you are writing",
          drafts, DraftResource, DraftBody),
        E("POST", "/v1/uploads", use.file.handle, "Upload a file",
          writes, FileResource, None, Trait.UPLOADED, 201, query=("file_name", "purpose")),
        E("GET", "/v1/blobs/{blob_id}", use.file.open, "Fetch a file of a message, an upload, an image", reads, FILE),
    )
    # fmt: on


def routes(use: Handlers, relays: Sequence[Relay], *others: Loop | Task) -> Routes:
    """Topics and loops."""
    facts = dict.fromkeys(topics.OUTBOUND.events, use.project.handle)
    mails: tuple[type[Payload], ...] = (MessageReceived, AutoReplyReceived, BounceReceived)
    arrived: dict[type[Payload], Handler] = dict.fromkeys(mails, use.inbound.handle)
    arrived[MessageQuarantined] = use.aside.handle
    states = dict.fromkeys((kind for topic in SETTINGS for kind in topic.events), use.settings.handle)
    own = dict.fromkeys((*topics.OPERATORS.events, *topics.CONVERSATIONS.events), use.current.handle)
    events = (
        On("messages", (topics.OUTBOUND,), facts, ordered=False, pace_s=0.25),
        On("inbound", (topics.INBOUND,), arrived, batch=100),
        On("settings", SETTINGS, states, forget=use.settings.forget, batch=100),
        On("own", (topics.OPERATORS, topics.CONVERSATIONS), own, batch=100),
    )
    sweeps = tuple(Loop(f"relay-{n}", relay.sweep, RELAY_S) for n, relay in enumerate(relays))
    return Routes(events, (*sweeps, Loop("overdue", use.overdue.handle, SWEEP_S), *others))
