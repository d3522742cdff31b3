"""Drafts: one suite for the fake and for MongoDB."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.gateway.adapters import indexes
from services.gateway.adapters.mongo_drafts import MongoDrafts
from services.gateway.domain.draft import Draft
from services.gateway.ports import Drafts
from services.kit.mongo import Database
from tests.fakes.gateway_world import FakeDrafts

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["fake", "mongo"])
async def drafts(request: pytest.FixtureRequest, mongo_database: Database) -> Drafts:
    if request.param == "fake":
        return FakeDrafts()
    await indexes.ensure(mongo_database)
    return MongoDrafts(mongo_database["drafts"])


async def test_a_draft_is_its_writers_alone(drafts: Drafts) -> None:
    tenant, sub, until = str(uuid4()), "auth0|ana/1", datetime.now(UTC) + timedelta(days=1)
    first = Draft("start", {"text": ("Olá",), "client": ("a@x.net", "b@x.net"), "a.$b": ()}, NOW)
    assert await drafts.get(tenant, sub, "start") is None
    await drafts.put(tenant, sub, first, until)
    assert await drafts.get(tenant, sub, "start") == first
    for other in ((tenant, sub, "other"), (tenant, "auth0|ana", "start"), ("other", sub, "start")):
        assert await drafts.get(*other) is None
        await drafts.drop(*other)
    second = Draft("start", {"text": ("",)}, NOW + timedelta(seconds=1))
    await drafts.put(tenant, sub, second, until)
    assert await drafts.get(tenant, sub, "start") == second
    await drafts.drop(tenant, sub, "start")
    assert await drafts.get(tenant, sub, "start") is None
