"""Tenants: made, changed, refused."""

from __future__ import annotations

import pytest

from contracts.topics import REQUEST_OUTCOMES, topic_of
from tests.unit.config.wishes import World


async def test_a_tenant_is_made_and_changed() -> None:
    world = await World().with_plan(most=2)
    await world.with_plan(enabled=False, most=7)
    first, second = (owed.data for owed in world.tenants.owed)
    assert (first.version, first.email_enabled, first.max_channels) == (1, True, 2)
    assert (second.version, second.email_enabled, second.max_channels) == (2, False, 7)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\r\nb"}, "name"),
        ({"most": -1}, "max_channels"),
        ({"most": 99999}, "max_channels"),
    ],
)
async def test_a_plan_that_cannot_be(changed: dict[str, object], field: str) -> None:
    world = World()
    await world.ask(world.plan_wish(**changed))  # type: ignore[arg-type]
    refused = world.refusal()
    assert (refused.code, [error.field for error in refused.errors]) == ("invalid", [field])
    assert topic_of(refused) is REQUEST_OUTCOMES


async def test_a_repeated_wish_changes_nothing() -> None:
    world = World()
    wish = world.plan_wish()
    await world.ask(wish)
    await world.ask(wish)
    assert len(world.tenants.owed) == 1
    assert world.publisher.published[0].id == world.tenants.owed[0].id


async def test_a_stale_record_is_followed_by_the_current_state() -> None:
    world = await (await World().with_plan()).with_plan(most=9)
    await world.watch.tenant(world.tenants.owed[1])
    assert not world.publisher.published
    await world.watch.tenant(world.tenants.owed[0])
    assert world.publisher.published[0].data == world.tenants.owed[1].data
