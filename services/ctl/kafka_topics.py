"""Topics on a cluster, by aiokafka's admin client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from services.ctl.plan import Found, Wanted

_TOPIC_SOURCE: Final = 1
"""``DYNAMIC_TOPIC_CONFIG`` of DescribeConfigs: set for this topic, no default."""
_EXISTS: Final = 36
_IN_ONE_REQUEST: Final = 20


class TopicsRefused(Exception):
    """The cluster did not take a topic or a config; the message names the topic and Kafka's error."""


class KafkaTopics:
    """What stands on the cluster, and how to change it."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin

    async def find(self, names: Iterable[str]) -> dict[str, Found]:
        """Those of these topics that exist, with the configs that were set for them."""
        existing = set(await self._admin.list_topics()) & set(names)
        if not existing:
            return {}
        described = await self._admin.describe_topics(sorted(existing))
        configs = await self._configs(existing)
        return {one["topic"]: Found(len(one["partitions"]), configs.get(one["topic"], {})) for one in described}

    async def create(self, wishes: Iterable[Wanted]) -> None:
        """Creates them; one that appeared meanwhile is fine. Raises TopicsRefused."""
        new = [
            NewTopic(wish.name, wish.partitions, wish.replication, topic_configs=dict(wish.configs)) for wish in wishes
        ]
        for start in range(0, len(new), _IN_ONE_REQUEST):
            answer = await self._admin.create_topics(new[start : start + _IN_ONE_REQUEST])
            for one in answer.to_object()["topic_errors"]:
                if one["error_code"] not in (0, _EXISTS):
                    raise TopicsRefused(f"{one['topic']}: {for_code(one['error_code']).__name__}")

    async def configure(self, configs: Mapping[str, Mapping[str, str]]) -> None:
        """Sets the configs of these topics, whole. Raises TopicsRefused."""
        if not configs:
            return
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, dict(all_)) for name, all_ in configs.items()]
        for answer in await self._admin.alter_configs(resources):
            for one in answer.to_object()["resources"]:
                if one["error_code"]:
                    raise TopicsRefused(f"{one['resource_name']}: {for_code(one['error_code']).__name__}")

    async def _configs(self, names: set[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(names)]
        for answer in await self._admin.describe_configs(resources):
            for resource in answer.to_object()["resources"]:
                found[resource["resource_name"]] = _own(resource["config_entries"])
        return found


def _own(entries: Iterable[Mapping[str, object]]) -> dict[str, str]:
    return {
        str(entry["config_names"]): str(entry["config_value"])
        for entry in entries
        if entry.get("config_source", _TOPIC_SOURCE) == _TOPIC_SOURCE and not entry.get("is_default", False)
    }


@asynccontextmanager
async def open_topics(bootstrap: str) -> AsyncIterator[KafkaTopics]:
    """A connected client; raises KafkaError when the cluster is not there."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="malote-ctl", request_timeout_ms=30_000)
    try:
        await admin.start()
        yield KafkaTopics(admin)
    finally:
        await admin.close()


__all__ = ["KafkaError", "KafkaTopics", "TopicsRefused", "open_topics"]
