"""The composition root of signature."""

from __future__ import annotations

from contracts.channel import ChannelChanged
from contracts.operator import OperatorChanged
from contracts.tenant import TenantChanged
from services.kit.blobs import Blobs
from services.kit.clock import SystemClock
from services.kit.copies import Copies
from services.kit.mongo import Client, connect
from services.kit.owed import MongoOwed
from services.kit.publisher import Publisher
from services.kit.rejections import MongoRejections
from services.kit.relay import Relay
from services.kit.rendering import Renderer, pool
from services.kit.runtime import Assembly
from services.signature.adapters.blob_bodies import BlobBodies
from services.signature.adapters.blob_images import BlobImages
from services.signature.adapters.mongo_signatures import MongoSignatures
from services.signature.handlers.change_policy import ChangePolicy
from services.signature.handlers.change_signature import ChangeSignature
from services.signature.handlers.compose_message import ComposeMessage
from services.signature.handlers.find_channel import FindChannel
from services.signature.handlers.find_images import FindImages
from services.signature.handlers.keep_copies import KeepCopies
from services.signature.handlers.keep_images import KeepImages
from services.signature.handlers.reject_request import RejectRequest
from services.signature.handlers.render_signature import RenderSignature
from services.signature.handlers.watch_topic import WatchTopic
from services.signature.handlers.write_body import WriteBody
from services.signature.routes import Handlers, routes
from services.signature.settings import Settings

NAME = "signature"


async def build(settings: Settings) -> Assembly:
    """Signature, composed and not yet started."""
    client = connect(settings.mongo)
    database = client[settings.database(NAME)]
    publisher = Publisher(settings.kafka, f"malote-{NAME}-{settings.instance}", deadline_s=settings.publish_deadline_s)
    relays = {name: Relay(MongoOwed(database[name], NAME), publisher) for name in ("signatures", "requests")}
    renderer = Renderer(pool(size=settings.render_children))

    async def drain() -> None:
        for relay in relays.values():
            await relay.drain()

    async def close() -> None:
        client.close()

    made = routes(compose(settings, client, publisher, relays, renderer), tuple(relays.values()))
    return Assembly(NAME, settings, made, publisher, on_stop=(close, renderer.close, drain))


def compose(
    settings: Settings, client: Client, publisher: Publisher, relays: dict[str, Relay], renderer: Renderer
) -> Handlers:
    """The use cases on their adapters."""
    database, clock = client[settings.database(NAME)], SystemClock()
    channels = Copies(database["channels"], ChannelChanged)
    operators = Copies(database["operators"], OperatorChanged)
    tenants = Copies(database["tenants"], TenantChanged)
    signatures = MongoSignatures(database["signatures"], relays["signatures"].hand_over)
    rejections = MongoRejections(database["requests"], NAME, relays["requests"].hand_over)
    reject, find = RejectRequest(rejections, publisher, clock), FindChannel(channels)
    blobs = Blobs(client[settings.database("blobs")])
    write = WriteBody(renderer, BlobBodies(blobs), clock)
    render, images = RenderSignature(renderer), BlobImages(blobs, clock)
    return Handlers(
        ComposeMessage(channels, operators, tenants, signatures, render, write, publisher, clock),
        ChangeSignature(signatures, find, FindImages(images), renderer, reject, publisher, clock),
        ChangePolicy(signatures, find, reject, publisher, clock),
        KeepCopies(channels, operators, tenants, signatures, publisher),
        WatchTopic(signatures, channels, publisher),
        KeepImages(signatures, images, clock),
    )
