"""Rendered MIME among the shared blobs, and a message composed from blobs, on a real MongoDB."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.kit.blobs import Blobs
from services.kit.clock import SystemClock
from services.kit.ids import uuid7
from services.kit.mongo import Database
from services.kit.unavailable import Unavailable
from services.outbox.adapters.composer import MimeComposer
from services.outbox.adapters.mongo_clock import MongoClock
from services.outbox.adapters.raw_blobs import KeptRaw
from services.outbox.ports import Rendered
from tests.unit.outbox_adapters.test_mime import composed

TENANT = str(uuid7())


async def test_rendered_mime_lives_as_long_as_its_message(mongo_database: Database) -> None:
    blobs, clock = Blobs(mongo_database), MongoClock(mongo_database, SystemClock())
    await clock.sync()
    text = await blobs.put(TENANT, "Olá\n".encode() * 40_000, "text/plain")
    rendered = await MimeComposer(blobs).render(TENANT, composed(text_ref=text))
    assert isinstance(rendered, Rendered)
    kept = KeptRaw(blobs, SystemClock())
    ref = await kept.keep(TENANT, rendered.octets, 35)
    assert (ref.sha256, ref.size) == (rendered.sha256, len(rendered.octets))
    assert await kept.read(TENANT, ref.blob_id) == rendered.octets
    document = await mongo_database["blobs"].find_one({"_id": f"{TENANT}/{ref.blob_id}"})
    assert document is not None
    assert document["expires_at"] - clock.now() > timedelta(days=34)
    with pytest.raises(Unavailable):
        await kept.read(str(uuid7()), ref.blob_id)
