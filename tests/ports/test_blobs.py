"""One suite for the blobs in MongoDB and the fake ones."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from services.kit.blob_store import Lost
from services.kit.blobs import _EXPIRED, _SHAPE, ONE_DOCUMENT, Blobs, ensure
from services.kit.mongo import Database, Document
from services.kit.unavailable import Unavailable
from tests.fakes.blobs import FakeBlobs

ONE, OTHER = "0197f0a0-0000-7000-8000-000000000001", "0197f0a0-0000-7000-8000-000000000002"
DAY = timedelta(days=1)


@dataclass
class Case:
    """A kind of blobs, and how a test moves all their times into the past."""

    blobs: Blobs | FakeBlobs
    age: Callable[[timedelta], Awaitable[None]]
    now: Callable[[], datetime]


def _fake() -> Case:
    blobs = FakeBlobs()

    async def age(by: timedelta) -> None:
        await blobs.clock.sleep(by.total_seconds())

    return Case(blobs, age, blobs.clock.now)


async def _real(database: Database) -> Case:
    await ensure(database)

    async def age(by: timedelta) -> None:
        earlier = {
            "$dateSubtract": {"startDate": "$expires_at", "unit": "millisecond", "amount": by // DAY * 86_400_000}
        }
        await database["blobs"].update_many({}, [{"$set": {"expires_at": earlier}}])

    return Case(Blobs(database), age, lambda: datetime.now(UTC))


@pytest.fixture
async def real(mongo_database: Database) -> Case:
    """Blobs in MongoDB."""
    return await _real(mongo_database)


@pytest.fixture(params=["fake", "mongo"])
def case(request: pytest.FixtureRequest) -> Case:
    """The fake and the real ones; MongoDB starts only where it is asked for."""
    found: Case = _fake() if request.param == "fake" else request.getfixturevalue("real")
    return found


@pytest.fixture
def blobs(case: Case) -> Blobs | FakeBlobs:
    """The blobs of the case."""
    return case.blobs


async def _pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


SIZES = (0, 1, 100_000, ONE_DOCUMENT, ONE_DOCUMENT + 1, 11_000_000)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("whole", [True, False])
async def test_what_was_put_comes_back(blobs: Blobs | FakeBlobs, size: int, whole: bool) -> None:
    content = (b"0123456789abcdef\x00\xff" * (size // 18 + 1))[:size]
    ref = await blobs.put(ONE, content if whole else _pieces(content, 700_001), "message/rfc822")
    assert (ref.size, ref.sha256, ref.media_type) == (size, hashlib.sha256(content).hexdigest(), "message/rfc822")
    assert await blobs.get(ONE, ref.blob_id) == content
    assert await blobs.fetch(ONE, ref) == content
    stream = await blobs.stream(ONE, ref.blob_id)
    assert stream is not None
    chunks = [chunk async for chunk in stream]
    assert b"".join(chunks) == content
    assert max(map(len, chunks), default=0) <= ONE_DOCUMENT


@pytest.mark.parametrize("size", [10, ONE_DOCUMENT + 1])
async def test_another_tenant_sees_and_moves_nothing(case: Case, size: int) -> None:
    blobs = case.blobs
    ref = await blobs.put(ONE, b"x" * size, "text/plain")
    assert await blobs.get(OTHER, ref.blob_id) is None
    assert await blobs.stream(OTHER, ref.blob_id) is None
    assert not await blobs.extend(OTHER, ref.blob_id, case.now() + 30 * DAY)
    with pytest.raises(Unavailable):
        await blobs.fetch(OTHER, ref)
    await case.age(2 * DAY)
    assert await blobs.sweep() == 1


async def test_an_unknown_blob_is_none(case: Case) -> None:
    assert await case.blobs.get(ONE, OTHER) is None
    assert await case.blobs.stream(ONE, OTHER) is None
    assert not await case.blobs.extend(ONE, OTHER, case.now())


@pytest.mark.parametrize("size", [10, ONE_DOCUMENT + 1])
async def test_a_blob_nobody_refers_to_goes_after_a_day(case: Case, size: int) -> None:
    ref = await case.blobs.put(ONE, b"x" * size, "text/plain")
    assert await case.blobs.sweep() == 0
    await case.age(DAY * 2)
    assert await case.blobs.sweep() == 1
    assert await case.blobs.get(ONE, ref.blob_id) is None
    assert not await case.blobs.extend(ONE, ref.blob_id, case.now() + DAY)
    assert await case.blobs.sweep() == 0


async def test_an_extended_one_stays_and_is_never_shortened(case: Case) -> None:
    ref = await case.blobs.put(ONE, b"x", "text/plain")
    assert await case.blobs.extend(ONE, ref.blob_id, case.now() + 35 * DAY)
    assert await case.blobs.extend(ONE, ref.blob_id, case.now() + DAY)
    await case.age(34 * DAY)
    assert await case.blobs.sweep() == 0
    assert await case.blobs.get(ONE, ref.blob_id) == b"x"
    await case.age(2 * DAY)
    assert await case.blobs.sweep() == 1


async def test_a_sweep_takes_no_more_than_asked(case: Case) -> None:
    for _ in range(5):
        await case.blobs.put(ONE, b"x", "text/plain")
    await case.age(2 * DAY)
    assert [await case.blobs.sweep(2), await case.blobs.sweep(2), await case.blobs.sweep(2)] == [2, 2, 1]


async def test_a_source_that_fails_leaves_nothing_to_read(case: Case) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"x" * (ONE_DOCUMENT + 1)
        raise ConnectionError("source")

    with pytest.raises(ConnectionError, match="source"):
        await case.blobs.put(ONE, failing(), "text/plain")
    await case.age(2 * DAY)
    await case.blobs.sweep()


async def test_a_reference_with_another_hash_is_not_served(blobs: Blobs | FakeBlobs) -> None:
    ref = await blobs.put(ONE, b"x", "text/plain")
    with pytest.raises(Unavailable):
        await blobs.fetch(ONE, ref.model_copy(update={"sha256": "0" * 64}))


async def test_names_with_dollars_are_only_names(blobs: Blobs | FakeBlobs) -> None:
    ref = await blobs.put(ONE, b"$$NOW", "$media_type")
    assert ref.media_type == "$media_type"
    assert await blobs.get(ONE, ref.blob_id) == b"$$NOW"


async def test_a_long_one_is_adopted_without_moving_it(case: Case) -> None:
    content = b"0123456789" * 200_000
    held = await case.blobs.put(ONE, _pieces(content, 262_144), "message/rfc822", inline=0)
    ref = held.model_copy(update={"blob_id": OTHER})
    await case.blobs.adopt(ONE, held, ref, case.now() + 35 * DAY)
    assert await case.blobs.get(ONE, held.blob_id) is None
    again = await case.blobs.put(ONE, _pieces(content, 262_144), "message/rfc822", inline=0)
    await case.blobs.adopt(ONE, again, ref, case.now() + 35 * DAY)
    await case.age(2 * DAY)
    await case.blobs.sweep()
    assert await case.blobs.fetch(ONE, ref) == content
    await case.blobs.adopt(ONE, held, ref, case.now() + DAY)
    with pytest.raises(Lost):
        await case.blobs.adopt(ONE, held, ref.model_copy(update={"blob_id": ONE}), case.now() + DAY)
    await case.age(34 * DAY)
    assert await case.blobs.sweep() == 1
    assert await case.blobs.get(ONE, OTHER) is None


async def test_adopted_and_orphaned_chunks_all_go_and_no_earlier(real: Case, mongo_database: Database) -> None:
    held = await real.blobs.put(ONE, b"x" * 3_000_000, "text/plain", inline=0)
    ref = held.model_copy(update={"blob_id": OTHER})
    standing = await mongo_database["blobs"].find_one({"_id": f"{ONE}/{held.blob_id}"})
    await real.blobs.adopt(ONE, held, ref, real.now() + 35 * DAY)
    assert standing is not None
    await mongo_database["blobs"].insert_one(standing)  # killed before it let go of the first id
    await real.blobs.adopt(ONE, held, ref, real.now() + 35 * DAY)
    await mongo_database["blobs"].insert_one({**standing, "expires_at": real.now() - DAY})
    assert await real.blobs.sweep() == 1
    assert await real.blobs.get(ONE, OTHER) == b"x" * 3_000_000
    await real.age(36 * DAY)
    assert await real.blobs.sweep() == 1
    assert await _count(mongo_database) == {"blobs": 0, "long.files": 0, "long.chunks": 0}


async def _count(database: Database) -> dict[str, int]:
    return {name: await database[name].count_documents({}) for name in ("blobs", "long.files", "long.chunks")}


async def test_sweeping_leaves_no_chunk_behind(real: Case, mongo_database: Database) -> None:
    await real.blobs.put(ONE, b"x" * (ONE_DOCUMENT + 1), "text/plain")
    orphan: Document = {"files_id": f"{ONE}/{OTHER}", "n": 0, "data": b"x"}  # a write that was killed
    await mongo_database["long.chunks"].insert_one(orphan)
    await mongo_database["blobs"].insert_one(
        {"_id": f"{ONE}/{OTHER}", "tenant": ONE, "state": "writing", "content": None, "expires_at": real.now()}
    )
    assert await real.blobs.get(ONE, OTHER) is None
    await real.age(2 * DAY)
    assert await real.blobs.sweep() == 2
    assert await _count(mongo_database) == {"blobs": 0, "long.files": 0, "long.chunks": 0}


async def test_a_sweep_asks_the_index_and_not_every_blob(real: Case, mongo_database: Database) -> None:
    await real.blobs.put(ONE, b"x", "text/plain")
    plan = await mongo_database["blobs"].find(_EXPIRED, _SHAPE).explain()
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])


async def test_a_killed_sweep_is_finished_by_the_next(real: Case, mongo_database: Database) -> None:
    ref = await real.blobs.put(ONE, b"x", "text/plain")
    await real.age(2 * DAY)  # only what is over was doomed
    await mongo_database["blobs"].update_one({"_id": f"{ONE}/{ref.blob_id}"}, {"$set": {"state": "doomed"}})
    assert not await real.blobs.extend(ONE, ref.blob_id, real.now() + DAY)
    assert await real.blobs.get(ONE, ref.blob_id) is None
    assert await real.blobs.sweep() == 1


async def test_extending_and_sweeping_at_once_never_loses_an_extended_one(real: Case) -> None:
    for _ in range(15):
        ref = await real.blobs.put(ONE, b"x" * 10, "text/plain")
        await real.age(2 * DAY)
        extended, *_ = await asyncio.gather(
            real.blobs.extend(ONE, ref.blob_id, real.now() + 30 * DAY), real.blobs.sweep(), real.blobs.sweep()
        )
        assert (await real.blobs.get(ONE, ref.blob_id) == b"x" * 10) is extended


async def test_a_lost_database_is_unavailable() -> None:
    fake = FakeBlobs()
    fake.gone = True
    with pytest.raises(Unavailable):
        await fake.put(ONE, b"x", "text/plain")
