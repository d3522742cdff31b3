"""Provisioning against a real cluster and database: from nothing, again, after drift, and with a frozen count."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from contracts.topics import CHANNELS, TOPICS, Topic
from deploy.local.infra import Addresses
from services.ctl.kafka_topics import open_topics
from services.ctl.provision import Exit, provision
from services.ctl.settings import Settings
from services.kit.mongo import Client


@pytest.fixture
async def settings(servers: Addresses, mongo_client: Client) -> AsyncIterator[Settings]:
    """Eight partitions shrunk to one, databases of this test's own."""
    prefix = f"ctl{uuid4().hex[:8]}"
    yield Settings(kafka=servers.kafka, mongo=servers.mongo, db_prefix=prefix, partition_divisor=8, replication=1)
    for name in await mongo_client.list_database_names():
        if name.startswith(prefix):
            await mongo_client.drop_database(name)


async def test_provisioning(
    settings: Settings, mongo_client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One story, because topics are shared by the cluster: create, keep, mend, refuse."""
    ours = tuple(_renamed(topic, settings.db_prefix) for topic in TOPICS)
    monkeypatch.setattr("services.ctl.provision.TOPICS", ours)
    assert await provision(settings, wait_s=30) is Exit.DONE
    assert f"topics: {2 * len(TOPICS)} created, 0 changed, 0 as they were" in capsys.readouterr().out
    assert await provision(settings, wait_s=30) is Exit.DONE
    assert f"topics: 0 created, 0 changed, {2 * len(TOPICS)} as they were" in capsys.readouterr().out

    name = f"{settings.db_prefix}.{CHANNELS.name}"
    async with open_topics(settings.kafka) as topics:
        found = (await topics.find([name]))[name]
        assert found.partitions == CHANNELS.partitions // 8
        assert found.configs["cleanup.policy"] == "compact"
        assert found.configs["max.compaction.lag.ms"] == "86400000"
        await topics.configure({name: {"cleanup.policy": "delete", "retention.bytes": "12345678"}})
    assert await provision(settings, wait_s=30) is Exit.DONE
    assert "0 created, 1 changed" in capsys.readouterr().out
    async with open_topics(settings.kafka) as topics:
        mended = (await topics.find([name]))[name].configs
    assert mended["cleanup.policy"] == "compact"
    assert mended["retention.bytes"] == "12345678"

    other = settings.model_copy(update={"partition_divisor": 4})
    assert await provision(other, wait_s=30) is Exit.REFUSED
    assert "Nothing was changed" in capsys.readouterr().out
    indexes = await mongo_client[settings.database("config")]["channels"].index_information()
    assert {"owed", "removed"} <= set(indexes)


async def test_an_unreachable_cluster_is_said(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, but what to look at."""
    nowhere = settings.model_copy(update={"kafka": "127.0.0.1:1"})
    assert await provision(nowhere, wait_s=1) is Exit.UNREACHABLE
    assert "MALOTE_KAFKA" in capsys.readouterr().out


def _renamed(topic: Topic, prefix: str) -> Topic:
    return replace(topic, name=f"{prefix}.{topic.name}")
