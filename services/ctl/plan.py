"""What the topics should be, and what has to be done about those that are there: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from contracts import limits
from contracts.topics import DEAD_LETTER_RETENTION, Topic

DEAD_LETTER_PARTITIONS: Final = 8
SEGMENT_S: Final = 24 * 3600
_RECORD: Final = limits.MIB + 12
_HEADROOM: Final = 64 * limits.KIB
"""A dead letter is the original with its origin in headers."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How large this installation is: ``divisor`` shrinks partition counts for local and test profiles."""

    divisor: int = 1
    replication: int = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """One topic as it should be."""

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """One topic as it is; ``configs``: those that were set for the topic."""

    partitions: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: create, set configs (whole), refuse; ``kept`` counts what is right already."""

    create: tuple[Wanted, ...]
    configure: Mapping[str, Mapping[str, str]]
    refused: tuple[str, ...]
    kept: int


def wanted(topics: Iterable[Topic], scale: Scale) -> list[Wanted]:
    """Each topic and its dead letters."""
    found: list[Wanted] = []
    for topic in topics:
        found.append(_wanted(topic.name, topic.partitions, scale, _kept(topic)))
        letters = {"cleanup.policy": "delete", "retention.ms": _ms(DEAD_LETTER_RETENTION)}
        letters["max.message.bytes"] = str(_RECORD + _HEADROOM)
        found.append(_wanted(topic.dead_letters, DEAD_LETTER_PARTITIONS, scale, letters))
    return found


def plan(wishes: Iterable[Wanted], there: Mapping[str, Found]) -> Plan:
    """Compares; a partition count is never changed, for keys would move to other partitions and lose their order."""
    create, configure, refused, kept = [], {}, [], 0
    for wish in wishes:
        stands = there.get(wish.name)
        if stands is None:
            create.append(wish)
        elif stands.partitions != wish.partitions:
            refused.append(f"{wish.name} has {stands.partitions} partitions, {wish.partitions} are wanted")
        elif any(stands.configs.get(name) != value for name, value in wish.configs.items()):
            configure[wish.name] = {**stands.configs, **wish.configs}
        else:
            kept += 1
    return Plan(tuple(create), configure, tuple(refused), kept)


def _wanted(name: str, partitions: int, scale: Scale, configs: dict[str, str]) -> Wanted:
    in_sync = 2 if scale.replication >= 3 else 1
    configs["min.insync.replicas"] = str(in_sync)
    return Wanted(name, max(1, partitions // scale.divisor), scale.replication, configs)


def _kept(topic: Topic) -> dict[str, str]:
    if topic.retention is not None:
        return {"cleanup.policy": "delete", "retention.ms": _ms(topic.retention), "max.message.bytes": str(_RECORD)}
    configs = {"cleanup.policy": "compact", "max.message.bytes": str(_RECORD)}
    configs["segment.ms"] = _ms(topic.segment_seconds or SEGMENT_S)
    if topic.max_compaction_lag is not None:
        configs["max.compaction.lag.ms"] = _ms(topic.max_compaction_lag)
    return configs


def _ms(seconds: int) -> str:
    return str(seconds * 1000)
