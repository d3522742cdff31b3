"""Images of signatures among the blobs all services share, on a real MongoDB."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from contracts import limits
from services.kit.blobs import Blobs
from services.kit.clock import SystemClock
from services.kit.mongo import Database
from services.signature.adapters.blob_images import BlobImages
from services.signature.domain.signature import Image
from services.signature.ports import Images

TENANT = str(uuid4())
PNG = b"\x89PNG\r\n\x1a\n"
MOST = limits.SIGNATURE_IMAGE


@pytest.fixture
def blobs(mongo_database: Database) -> Blobs:
    return Blobs(mongo_database)


@pytest.fixture
def images(blobs: Blobs) -> Images:
    return BlobImages(blobs, SystemClock())


async def test_an_image_is_found_by_what_it_begins_with(blobs: Blobs, images: Images) -> None:
    ref = await blobs.put(TENANT, PNG + b"x", "text/html")  # as somebody declared it
    assert await images.find(TENANT, ref.blob_id) == Image(ref.blob_id, ref.sha256, ref.size, "image/png")
    assert await images.find(str(uuid4()), ref.blob_id) is None
    assert await images.find(TENANT, str(uuid4())) is None


@pytest.mark.parametrize(
    ("content", "there"),
    [(b"<svg onload=x>", False), (b"", False), (PNG.ljust(MOST, b"0"), True), (PNG.ljust(MOST + 1, b"0"), False)],
    ids=["svg", "empty", "largest", "too large"],
)
async def test_what_may_stand_in_a_signature(blobs: Blobs, images: Images, content: bytes, there: bool) -> None:
    ref = await blobs.put(TENANT, content, "image/png")
    assert (await images.find(TENANT, ref.blob_id) is not None) is there


async def test_kept_images_live_on(blobs: Blobs, images: Images, mongo_database: Database) -> None:
    one, two = [(await blobs.put(TENANT, PNG, "image/png")).blob_id for _ in range(2)]
    assert await images.keep(TENANT, (one, two))
    assert not await images.keep(TENANT, (one, str(uuid4())))
    assert not await images.keep(str(uuid4()), (one,))
    for blob_id in (one, two):
        kept = await mongo_database["blobs"].find_one({"_id": f"{TENANT}/{blob_id}"})
        assert kept is not None
        assert kept["expires_at"] - SystemClock().now() > timedelta(days=34)
