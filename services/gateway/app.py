"""The composition root of the gateway."""

from __future__ import annotations

from ipaddress import ip_network
from urllib.parse import urljoin

from services.gateway.adapters.backlog import MongoBacklog
from services.gateway.adapters.blob_bodies import BlobBodies
from services.gateway.adapters.change_feed import ChangeFeed
from services.gateway.adapters.change_ids import ChangeIds
from services.gateway.adapters.http_app import application
from services.gateway.adapters.jwks_http import HttpKeySet
from services.gateway.adapters.kit_seals import EgressHosts, KitSeals, TokenStamps, read_keyring, read_sealer
from services.gateway.adapters.liquid_previews import LiquidPreviews
from services.gateway.adapters.mongo_arrivals import MongoArrivals
from services.gateway.adapters.mongo_changes import MongoChanges
from services.gateway.adapters.mongo_conversations import MongoConversations
from services.gateway.adapters.mongo_drafts import MongoDrafts
from services.gateway.adapters.mongo_files import MongoFiles
from services.gateway.adapters.mongo_messages import MongoMessages
from services.gateway.adapters.mongo_operators import MongoOperators
from services.gateway.adapters.mongo_views import MongoChannels, MongoSignatures, MongoStatuses, MongoTenants
from services.gateway.adapters.mongo_wishes import MongoWishes
from services.gateway.adapters.rest import Door
from services.gateway.adapters.stored_clock import StoredClock
from services.gateway.adapters.tokens import Tokens
from services.gateway.adapters.waiters import Waiters
from services.gateway.console.mount import Console, Sign
from services.gateway.console.oidc import Provider
from services.gateway.console.sessions import read_keys
from services.gateway.handlers import Handlers
from services.gateway.handlers.accept_message import AcceptMessage
from services.gateway.handlers.ask_owner import AskOwner
from services.gateway.handlers.change_channel import ChangeChannel
from services.gateway.handlers.count_waiting import CountWaiting
from services.gateway.handlers.create_channel import CreateChannel
from services.gateway.handlers.follow_changes import FollowChanges
from services.gateway.handlers.interrupt_message import InterruptMessage
from services.gateway.handlers.keep_draft import KeepDraft
from services.gateway.handlers.keep_file import KeepFile
from services.gateway.handlers.mark_sent import MarkSent
from services.gateway.handlers.preview_signature import PreviewSignature
from services.gateway.handlers.project_inbound import ProjectInbound
from services.gateway.handlers.project_message import ProjectMessage
from services.gateway.handlers.project_settings import ProjectSettings
from services.gateway.handlers.publish_again import PublishOverdue
from services.gateway.handlers.publish_current import PublishCurrent
from services.gateway.handlers.put_operator import PutOperator
from services.gateway.handlers.put_signature import PutSignature
from services.gateway.handlers.put_tenant import PutTenant
from services.gateway.handlers.read_channel import ReadChannel
from services.gateway.handlers.read_conversation import ReadConversation
from services.gateway.handlers.read_message import ReadMessage
from services.gateway.handlers.reconnect_channel import ReconnectChannel
from services.gateway.handlers.remove_channel import RemoveChannel
from services.gateway.handlers.resend_message import ResendMessage
from services.gateway.handlers.seal_credentials import SealCredentials
from services.gateway.handlers.send_message import SendMessage
from services.gateway.handlers.set_aside import SetAside
from services.gateway.handlers.start_conversation import StartConversation
from services.gateway.ports import Ports
from services.gateway.routes import BLOBS_S, KEYS_S, endpoints, routes
from services.gateway.settings import Settings
from services.kit import http_server, probes
from services.kit.blobs import Blobs
from services.kit.egress import Egress
from services.kit.loops import Loop, Task
from services.kit.mongo import Client, connect
from services.kit.owed import MongoOwed
from services.kit.publisher import Publisher
from services.kit.relay import Relay
from services.kit.rendering import Renderer, pool
from services.kit.runtime import Assembly

NAME = "gateway"
OWING = ("messages", "conversations", "operators", "wishes")


async def build(settings: Settings) -> Assembly:
    """The gateway, composed and not yet started."""
    client = connect(settings.mongo)
    database = client[settings.database(NAME)]
    publisher = Publisher(settings.kafka, f"malote-{NAME}-{settings.instance}", deadline_s=settings.publish_deadline_s)
    relays = {name: Relay(MongoOwed(database[name], NAME), publisher) for name in OWING}
    renderer, tokens = Renderer(pool()), Tokens(HttpKeySet(settings.jwks_url), settings.issuer)
    readiness, heartbeat = probes.Readiness(), probes.Heartbeat()
    waits = Waiters()
    ids = ChangeIds(read_keyring(settings.threading_keys))
    feed = ChangeFeed(MongoChanges(database), ids, waits.hear, lambda: _draining(readiness))
    use = compose(adapters(settings, client, relays, renderer, waits, feed))

    async def drain() -> None:
        for relay in relays.values():
            await relay.drain()

    async def close() -> None:
        client.close()

    table = endpoints(use)
    http = Console(table, tokens, sign_of(settings)).attach(
        application(Door(tokens), table, http_server.routes(readiness, heartbeat))
    )
    keys, changes = Loop("token-keys", tokens.keys.refresh, KEYS_S), Task("changes", feed.run)
    expired = Loop("blobs", Blobs(client[settings.database("blobs")]).sweep, BLOBS_S)
    made = routes(use, tuple(relays.values()), keys, changes, expired)
    return Assembly(NAME, settings, made, publisher, readiness, heartbeat, http, on_stop=(close, renderer.close, drain))


def sign_of(settings: Settings) -> Sign:
    """How people sign in to the console."""
    secret = settings.oidc_client_secret.get_secret_value()
    provider = Provider(
        settings.oidc_issuer, settings.oidc_client_id, secret, settings.oidc_scope, settings.oidc_resource
    )
    return Sign(
        read_keys(settings.console_keys), provider if settings.oidc_issuer else None, settings.console_people,
        urljoin(settings.jwks_url, "/token"), settings.console_support_url,
    )  # fmt: skip


def _draining(readiness: probes.Readiness) -> bool:
    """Whether the service is on its way out: open pages then end at once, and come back elsewhere."""
    checks = readiness.report()["checks"]
    return isinstance(checks, dict) and checks.get("started", {}).get("why") == "draining"


def adapters(
    settings: Settings, client: Client, relays: dict[str, Relay], renderer: Renderer, waits: Waiters, feed: ChangeFeed
) -> Ports:
    """The ports on Kafka, MongoDB and the kit."""
    database, clock = client[settings.database(NAME)], StoredClock()
    allowed = [ip_network(one) for one in settings.egress_allow]
    blobs = Blobs(client[settings.database("blobs")])
    smtp, imap = frozenset(settings.smtp_ports), frozenset(settings.imap_ports)
    return Ports(
        messages=MongoMessages(database["messages"], relays["messages"]),
        conversations=MongoConversations(database["conversations"], relays["conversations"].hand_over),
        arrivals=MongoArrivals(database["inbound"], database["quarantined"]),
        files=MongoFiles(database, blobs, clock),
        drafts=MongoDrafts(database["drafts"]),
        changes=feed,
        operators=MongoOperators(database["operators"], relays["operators"].hand_over),
        wishes=MongoWishes(database["wishes"], relays["wishes"].hand_over),
        backlog=MongoBacklog(database["messages"], settings.accepted_per_tenant),
        tenants=MongoTenants(database["tenants"]),
        channels=MongoChannels(database["channels"]),
        statuses=MongoStatuses(database["statuses"]),
        signatures=MongoSignatures(database["signatures"]),
        bodies=BlobBodies(blobs, clock),
        hosts=EgressHosts(Egress(allowed), smtp, imap, plain=settings.allow_plain_smtp),
        seals=KitSeals(read_sealer(settings.sealing_public)),
        stamps=TokenStamps(read_keyring(settings.threading_keys)),
        previews=LiquidPreviews(renderer),
        waits=waits,
        clock=clock,
    )


def compose(to: Ports) -> Handlers:
    """The use cases on these ports."""
    accept = AcceptMessage(
        to.messages, to.conversations, to.channels, to.tenants, to.operators, to.backlog, to.bodies, to.stamps, to.clock
    )
    ask, channel = AskOwner(to.wishes, to.waits, to.clock), ReadChannel(to.channels, to.statuses)
    seal = SealCredentials(to.hosts, to.seals)
    return Handlers(
        send=SendMessage(to.conversations, accept),
        start=StartConversation(to.conversations, accept, to.clock),
        interrupt=InterruptMessage(to.messages, to.waits, to.clock),
        resend=ResendMessage(to.messages, to.conversations, to.bodies, accept, to.clock),
        mark=MarkSent(to.messages, to.conversations, to.clock),
        message=ReadMessage(to.messages, to.conversations, to.arrivals, to.bodies),
        conversation=ReadConversation(to.conversations, to.messages, to.arrivals),
        waiting=CountWaiting(to.conversations, to.messages, to.arrivals),
        tenant=PutTenant(to.tenants, ask),
        operator=PutOperator(to.operators, to.clock),
        channel=channel,
        create=CreateChannel(seal, ask, channel),
        change=ChangeChannel(to.channels, seal, ask, channel),
        remove=RemoveChannel(to.channels, ask, channel),
        reconnect=ReconnectChannel(to.channels, ask, channel),
        signature=PutSignature(to.channels, to.operators, to.signatures, ask),
        preview=PreviewSignature(to.channels, to.operators, to.tenants, to.previews, to.files),
        wish=ask,
        project=ProjectMessage(to.messages, to.conversations, to.waits),
        inbound=ProjectInbound(to.arrivals, to.conversations, to.messages),
        aside=SetAside(to.arrivals, to.channels),
        file=KeepFile(to.files),
        draft=KeepDraft(to.drafts, to.clock),
        follow=FollowChanges(to.changes, to.clock),
        settings=ProjectSettings(to.tenants, to.channels, to.statuses, to.signatures, to.wishes, to.waits),
        overdue=PublishOverdue(to.messages, to.clock),
        current=PublishCurrent(to.operators, to.conversations, to.clock),
    )
