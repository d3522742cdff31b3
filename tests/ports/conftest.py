"""Real servers for the port suites: one Kafka and one MongoDB per run, a fresh database per test that asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.infra import Addresses, Options, open_infra
from services.kit.mongo import Client, Database, connect


@pytest.fixture(scope="session")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Addresses]:
    """Kafka and MongoDB on the backend that MALOTE_INFRA names."""
    folder: Path = tmp_path_factory.mktemp("infra")
    infra = open_infra(Options(folder=folder, chaos=True, parts=("kafka", "mongo")))
    try:
        yield await infra.start()
    finally:
        await infra.stop()


@pytest.fixture(scope="session")
async def mongo_client(servers: Addresses) -> AsyncIterator[Client]:
    """One client for the run."""
    client = connect(servers.mongo)
    yield client
    client.close()


@pytest.fixture
async def mongo_database(mongo_client: Client) -> AsyncIterator[Database]:
    """A database of this test's own, dropped afterwards."""
    name = f"test_{uuid4().hex[:12]}"
    yield mongo_client[name]
    await mongo_client.drop_database(name)
