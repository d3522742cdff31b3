"""The plan of topics: shrunk, kept, mended, frozen."""

from __future__ import annotations

import pytest

from contracts.topics import CHANNELS, SEND_REQUESTS, TENANTS, TOPICS
from services.ctl.__main__ import main
from services.ctl.plan import Found, Scale, plan, wanted

PRODUCTION = Scale()
LOCAL = Scale(divisor=8, replication=1)


def test_every_topic_has_dead_letters() -> None:
    names = [wish.name for wish in wanted(TOPICS, PRODUCTION)]
    assert len(names) == len(set(names)) == 2 * len(TOPICS)
    assert all(f"{topic.name}.dlq" in names for topic in TOPICS)


@pytest.mark.parametrize(
    ("scale", "counts"), [(PRODUCTION, (64, 32, 8)), (LOCAL, (8, 4, 1)), (Scale(100, 1), (1, 1, 1))]
)
def test_partitions_are_divided_and_never_zero(scale: Scale, counts: tuple[int, ...]) -> None:
    found = {wish.name: wish.partitions for wish in wanted((CHANNELS, SEND_REQUESTS, TENANTS), scale)}
    assert tuple(found[topic.name] for topic in (CHANNELS, SEND_REQUESTS, TENANTS)) == counts


def test_two_replicas_must_be_in_sync_where_there_are_three() -> None:
    assert {wish.configs["min.insync.replicas"] for wish in wanted(TOPICS, PRODUCTION)} == {"2"}
    assert {wish.configs["min.insync.replicas"] for wish in wanted(TOPICS, LOCAL)} == {"1"}


def test_compacted_and_kept_topics() -> None:
    found = {wish.name: wish.configs for wish in wanted((CHANNELS, SEND_REQUESTS), PRODUCTION)}
    assert found[CHANNELS.name]["cleanup.policy"] == "compact"
    assert found[CHANNELS.name]["segment.ms"] == str(6 * 3_600_000)
    assert found[CHANNELS.name]["max.compaction.lag.ms"] == str(24 * 3_600_000)
    assert "retention.ms" not in found[CHANNELS.name]
    assert found[SEND_REQUESTS.name]["retention.ms"] == str(7 * 86_400_000)
    assert found[f"{CHANNELS.name}.dlq"]["retention.ms"] == str(30 * 86_400_000)
    assert found[f"{CHANNELS.name}.dlq"]["cleanup.policy"] == "delete"


def test_the_plan() -> None:
    new, right, drifted, frozen = wanted((TENANTS, CHANNELS), PRODUCTION)
    made = plan(
        (new, right, drifted, frozen),
        {
            right.name: Found(right.partitions, right.configs),
            drifted.name: Found(drifted.partitions, {"cleanup.policy": "delete", "retention.bytes": "1"}),
            frozen.name: Found(frozen.partitions + 1, frozen.configs),
        },
    )
    assert made.create == (new,)
    assert made.kept == 1
    assert made.configure == {drifted.name: {"retention.bytes": "1", **drifted.configs}}
    assert len(made.refused) == 1
    assert frozen.name in made.refused[0]


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["provision", "--wait", "soon"]])
def test_a_wrong_command_line_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err
