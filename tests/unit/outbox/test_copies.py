"""Which sent messages are offered for the account's Sent mailbox, and with what."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from contracts.channel import ChannelSettings, Security, SentCopy, Server
from services.outbox.domain.document import Raw
from services.outbox.domain.sent_copy import wants_copy
from services.outbox.handlers.offer_copy import OfferCopy
from tests.fakes.outbox_store import FakeDatabaseClock
from tests.fakes.publisher import FakePublisher
from tests.unit.outbox.made import message

SERVER = Server(host="smtp.acme.test", port=465, security=Security.TLS, user_name="desk")
SETTINGS = ChannelSettings(name="Desk", address="desk@acme.test", imap=SERVER, smtp=SERVER)


@pytest.mark.parametrize(
    ("sent_copy", "host", "wanted"),
    [
        ("auto", "smtp.acme.test", True),
        ("auto", "smtp.gmail.com", False),
        ("auto", "SMTP.Office365.com.", False),
        ("auto", "notgmail.com", True),
        ("always", "smtp.gmail.com", True),
        ("never", "smtp.acme.test", False),
        ("other", "smtp.acme.test", False),
    ],
)
def test_who_wants_a_copy(sent_copy: str, host: str, wanted: bool) -> None:
    assert wants_copy(sent_copy, host) is wanted


async def offered(raw: Raw | None, **changes: Any) -> list[Any]:
    """What is published for a message with these octets."""
    publisher = FakePublisher()
    settings = SETTINGS.model_copy(update=changes)
    await OfferCopy(publisher, FakeDatabaseClock()).handle(replace(message(), raw=raw), settings)
    return [each.data for each in publisher.published]


async def test_small_ones_travel_in_the_event_and_large_ones_by_reference() -> None:
    (small,) = await offered(Raw("a" * 64, 6, octets=b"octets"))
    assert (base64.b64decode(small.mime), small.mime_ref) == (b"octets", None)
    blob_id = "0195a000-0000-7000-8000-00000000000a"
    (large,) = await offered(Raw("a" * 64, 100_000, blob_id=blob_id))
    assert (large.mime, large.mime_ref.blob_id, large.mime_ref.size) == (None, blob_id, 100_000)


async def test_nothing_is_offered_where_nobody_wants_it_or_there_is_nothing() -> None:
    assert await offered(Raw("a" * 64, 6, octets=b"octets"), sent_copy=SentCopy.NEVER) == []
    assert await offered(None) == []
