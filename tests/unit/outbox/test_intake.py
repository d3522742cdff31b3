"""Taking a message in."""

from __future__ import annotations

import pytest

from contracts.message import MessageComposed
from contracts.outbound import MessageQueued
from services.outbox.ports import Rendered
from tests.unit.outbox.desk import Replica, World, composed


class Losing:
    """A composer that misses images."""

    def __init__(self, lost: int) -> None:
        self.lost = lost

    async def render(self, tenant: str, message: MessageComposed) -> Rendered:
        """Without them."""
        return Rendered(b"x\r\n", "0" * 64, self.lost)


@pytest.mark.parametrize(("lost", "why"), [(0, "none"), (1, "image_missing")])
async def test_it_says_when_an_image_had_to_stay_behind(monkeypatch: pytest.MonkeyPatch, lost: int, why: str) -> None:
    monkeypatch.setattr("tests.unit.outbox.desk.Composer", lambda: Losing(lost))
    world = World()
    replica = Replica(world)
    await replica.accept.handle(composed())
    await replica.desk.finish()
    told = next(each.data for each in world.hands.told if isinstance(each.data, MessageQueued))
    assert told.signature.why == why
