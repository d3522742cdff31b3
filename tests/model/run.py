"""Plays seeds: ``python -m tests.model.run --seeds 20000 [--from N]``. A failing seed is printed and replays alone."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter

from contracts import limits
from services.outbox.domain import resolve
from tests.model import events
from tests.model.story import TENANT, Wish, minted, story
from tests.model.witness import Broken
from tests.model.world import STRIDES, World

STEPS = 260
MOST = 6_000


def play(seed: int) -> World:
    """One seed to its end; raises Broken, with the world's trace in ``notes``."""
    world = World(story(seed))
    try:
        _play(world)
    except Broken as broken:
        broken.add_note("\n".join(world.scheduler.trace[-60:]))
        raise
    finally:
        world.scheduler.stop()
    return world


def _play(world: World) -> None:
    world.begin()
    for _ in range(STEPS):
        _disturb(world)
        _turn(world)
    _calm_down(world)
    _settle(world, "no end in sight")
    _judge_end(world)
    world.ended = _end(world)
    _outlive(world)


def _turn(world: World) -> None:
    world.scheduler.turn()
    _look(world)


def _look(world: World) -> None:
    documents, witness = world.store.documents, world.witness
    for name, message in list(documents.items()):
        if witness.seen.get(name) is not message:
            witness.stored(name, message, world.clock.moment)
    for name in [each for each in witness.seen if each not in documents]:
        witness.stored(name, None, world.clock.moment)


def _disturb(world: World) -> None:
    chance, scheduler = world.chance, world.scheduler
    roll = chance.random()
    if roll < 0.04:
        world.advance(chance.choice(STRIDES))
    elif roll < 0.055:
        scheduler.asleep.clear()
    elif roll < 0.07 and world.store.late:
        _land(world)
    elif roll < 0.1 and world.spend("crashes", 0.5):
        world.crash()
    elif roll < 0.105 and world.witness.filed and world.spend("strays", 0.3):
        world.find()
    elif roll < 0.13 and world.spend("sleeps", 0.5):
        scheduler.asleep.add(chance.randrange(2))
        if chance.random() < 0.6:
            world.advance(chance.choice((7.5, 20.0)))


def _land(world: World) -> None:
    apply = world.store.late.pop(world.chance.randrange(len(world.store.late)))
    if world.chance.random() < 0.7:
        apply()
        _look(world)


def _calm_down(world: World) -> None:
    """From here on nothing goes wrong any more."""
    while world.store.late:
        _land(world)
    budget = world.story.budget
    for kind in budget.__slots__:
        setattr(budget, kind, 0)
    world.scheduler.asleep.clear()


def _settle(world: World, otherwise: str) -> None:
    """I5: an end is reached without a further fault."""
    for number in range(MOST):
        if number % 20 == 0:
            if _at_rest(world):
                return
            world.advance(2.0 if number < MOST / 2 else 1800.0)
        _turn(world)
    raise Broken(f"I5 {otherwise}")


def _at_rest(world: World) -> bool:
    message = world.document()
    return not world.pending and message is not None and message.terminal and not any(world.store.owed.values())


def _judge_end(world: World) -> None:
    message = world.document()
    ended = world.witness.ended_as(message) if message else ""
    told = {wish.cancel_id: world.witness.answers.get((TENANT, wish.cancel_id)) for wish in _own(world)}
    for answer in told.values():
        if answer is None:
            raise Broken("I3 a cancel has no answer")
        if message and answer.status and answer.status.value != ended:
            raise Broken("I3 an answer is not true")
        if message and (answer.outcome.value.endswith("interrupted")) != (message.status.value == "interrupted"):
            raise Broken("I3 an answer is not true")
    if message and world.witness.sought and resolve.resolved(message, world.clock.moment):
        raise Broken("I11 its Sent copy was found, and it is still parked")
    if message and world.story.resend and message.status.value == "sent":
        _nobody_lost(world)


def _nobody_lost(world: World) -> None:
    for address in world.story.recipients:
        excused = address in world.witness.refused or world.story.wishes or world.story.life_seconds < limits.EXPIRY
        if not world.witness.copies[(TENANT, address)] and not excused:
            raise Broken("I8 resend: a recipient is lost")


def _outlive(world: World) -> None:
    """The horizon: purged after 35 days; a replay and a new wish are told nothing that is not true."""
    world.advance(limits.HORIZON + limits.DAY)
    world.scheduler.start("forget", 0, world.replicas[0].forget.handle())  # type: ignore[arg-type]
    fresh = Wish(TENANT, minted(world.clock.moment, 99), 1)
    for _ in range(400):
        _turn(world)
    if world.store.documents and any(each.terminal for each in world.store.documents.values()):
        raise Broken("I5 an ended message is never forgotten")
    world.send("composed", events.composed(world.story), lambda r: r.accept.handle)
    world.send("cancel", events.cancel(world.story, fresh), lambda r: r.cancel.handle)
    for _ in range(MOST):
        _turn(world)
        if not world.pending:
            break
    foreign = [wish for wish in world.story.wishes if wish.tenant != TENANT]
    for wish in [*foreign, fresh]:
        answer = world.witness.answers.get((wish.tenant, wish.cancel_id))
        if answer is None or answer.outcome.value != "unknown_message":
            raise Broken("I3 a wish for nothing is not told so")


def _end(world: World) -> str:
    message = world.document()
    states = ",".join(sorted(each.state.value for each in message.recipients)) if message else ""
    return f"{message.status.value}({states})" if message else ""


def _own(world: World) -> list[Wish]:
    return [wish for wish in world.story.wishes if wish.tenant == TENANT]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.model.run")
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--from", dest="first", type=int, default=0)
    asked = parser.parse_args()
    ends: Counter[str] = Counter()
    began = time.perf_counter()
    for seed in range(asked.first, asked.first + asked.seeds):
        try:
            world = play(seed)
        except Exception as error:
            print(f"seed {seed} fails: {error}\n" + "\n".join(getattr(error, "__notes__", ())))
            print(f"replay: python -m tests.model.run --seeds 1 --from {seed}")
            print(json.dumps({"seeds": seed - asked.first + 1, "failed_seed": seed, "error": str(error)}))
            return 1
        ends[world.ended] += 1
    seconds = round(time.perf_counter() - began, 1)
    print(
        json.dumps({"seeds": asked.seeds, "failed_seed": None, "seconds": seconds, "ends": dict(sorted(ends.items()))})
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
