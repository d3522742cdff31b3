"""The composition root of config."""

from __future__ import annotations

from services.config.adapters.mongo_channels import MongoChannels
from services.config.adapters.mongo_tenants import MongoSlots, MongoTenants
from services.config.adapters.sealed_headers import read_header
from services.config.handlers.change_channel import ChangeChannel
from services.config.handlers.change_tenant import ChangeTenant
from services.config.handlers.forget_channels import ForgetChannels
from services.config.handlers.reconnect_channel import ReconnectChannel
from services.config.handlers.reject_request import RejectRequest
from services.config.handlers.remove_channel import RemoveChannel
from services.config.handlers.return_slot import ReturnSlot
from services.config.handlers.take_slot import TakeSlot
from services.config.handlers.watch_topics import WatchTopics
from services.config.routes import Handlers, routes
from services.config.settings import Settings
from services.kit.clock import SystemClock
from services.kit.mongo import Database, connect
from services.kit.owed import MongoOwed
from services.kit.publisher import Publisher
from services.kit.rejections import MongoRejections
from services.kit.relay import Relay
from services.kit.runtime import Assembly

NAME = "config"


async def build(settings: Settings) -> Assembly:
    """Config, composed and not yet started."""
    client = connect(settings.mongo)
    database: Database = client[settings.database(NAME)]
    publisher = Publisher(settings.kafka, f"malote-{NAME}-{settings.instance}", deadline_s=settings.publish_deadline_s)
    relays = {name: Relay(MongoOwed(database[name], NAME), publisher) for name in ("channels", "tenants", "requests")}

    async def drain() -> None:
        for relay in relays.values():
            await relay.drain()

    async def close() -> None:
        client.close()

    handlers = compose(settings, database, publisher, relays)
    made = routes(handlers, tuple(relays.values()))
    return Assembly(NAME, settings, made, publisher, on_stop=(close, drain))


def compose(settings: Settings, database: Database, publisher: Publisher, relays: dict[str, Relay]) -> Handlers:
    """The use cases on their adapters."""
    clock = SystemClock()
    channels = MongoChannels(database["channels"], relays["channels"].hand_over)
    tenants = MongoTenants(database["tenants"], relays["tenants"].hand_over)
    slots = MongoSlots(database["slots"])
    take_slot, return_slot = TakeSlot(slots), ReturnSlot(slots)
    reject = RejectRequest(MongoRejections(database["requests"], NAME, relays["requests"].hand_over), publisher, clock)
    return Handlers(
        ChangeChannel(
            channels, tenants, take_slot, return_slot, reject, publisher, clock, settings.allowed(), read_header
        ),
        RemoveChannel(channels, return_slot, reject, publisher, clock),
        ReconnectChannel(channels, tenants, reject, publisher, clock),
        ChangeTenant(tenants, reject, publisher, clock),
        WatchTopics(channels, tenants, publisher),
        ForgetChannels(channels, publisher),
    )
