"""Who may send next: order, conversations, fairness, caps, pauses."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.outbox.domain.board import Board, Caps
from services.outbox.domain.lane import Ticket
from services.outbox.domain.rate import Bucket
from tests.unit.outbox.made import NOW


def ticket(number: int, lane: str = "c1", tenant: str = "t1", conversation: str = "", **fields: object) -> Ticket:
    due = fields.get("due_at", NOW)
    assert isinstance(due, datetime)
    return Ticket(tenant, lane, f"m{number:03}", conversation or f"v{number}", due, bool(fields.get("first", True)))


def board(*lanes: tuple[str, str], caps: Caps | None = None) -> Board:
    made = Board(caps or Caps())
    for lane in lanes or (("t1", "c1"),):
        made.open(lane, NOW)
    return made


def drawn(from_: Board, at: datetime = NOW) -> list[str]:
    found = []
    while (it := from_.next(at)) is not None:
        found.append(it.message_id)
    return found


def test_first_attempts_go_by_due_time_and_id() -> None:
    it = board()
    for number in (3, 1, 2):
        it.add(ticket(number))
    it.add(ticket(0, due_at=NOW - timedelta(seconds=1)))
    assert drawn(it) == ["m000", "m001", "m002", "m003"]


def test_a_ticket_is_listed_once_until_it_is_done() -> None:
    it = board()
    assert it.add(ticket(1))
    assert not it.add(ticket(1))
    taken = it.next(NOW)
    assert taken is not None
    assert not it.add(ticket(1))
    it.freed(taken)
    it.done(taken, NOW)
    assert it.add(ticket(1))


def test_one_of_a_conversation_at_a_time_but_a_retry_waits_for_nobody() -> None:
    it = board()
    it.add(ticket(1, conversation="v"))
    it.add(ticket(2, conversation="v"))
    it.add(ticket(3, conversation="v", first=False))
    first = it.next(NOW)
    assert first is not None
    assert drawn(it) == ["m003"]
    it.freed(first)
    assert it.next(NOW) is None
    it.done(first, NOW)
    assert drawn(it) == ["m002"]


def test_nothing_before_its_time_and_the_board_knows_when() -> None:
    it = board()
    it.add(ticket(1, due_at=NOW + timedelta(seconds=5)))
    assert it.next(NOW) is None
    assert it.wakes_at() == NOW + timedelta(seconds=5)
    assert drawn(it, NOW + timedelta(seconds=5)) == ["m001"]


def test_tenants_take_turns() -> None:
    it = board(("t1", "c1"), ("t2", "c2"), caps=Caps(slots=4))
    it.lanes["t1", "c1"].connections = it.lanes["t2", "c2"].connections = 10
    for number in range(10):
        it.add(ticket(number))
    it.add(ticket(50, lane="c2", tenant="t2"))
    it.add(ticket(51, lane="c2", tenant="t2"))
    assert sorted(drawn(it)) == ["m000", "m001", "m050", "m051"]


def test_caps_of_lane_tenant_and_host() -> None:
    it = board(("t1", "c1"), ("t1", "c2"), ("t2", "c3"), caps=Caps(slots=10, per_tenant=3, per_host=4))
    for lane in it.lanes.values():
        lane.connections, lane.host = 2, "smtp.host"
    for number in range(30):
        tenant, channel = (("t1", "c1"), ("t1", "c2"), ("t2", "c3"))[number % 3]
        it.add(ticket(number, lane=channel, tenant=tenant))
    begun = []
    while (one := it.next(NOW)) is not None:
        begun.append(one)
    assert len(begun) == 4
    assert Counter(each.tenant for each in begun)["t1"] <= 3
    it.freed(begun[0])
    assert it.next(NOW) is not None


def test_a_pause_holds_the_lane_and_ends() -> None:
    it = board()
    it.add(ticket(1))
    it.pause(("t1", "c1"), NOW + timedelta(minutes=1))
    assert it.next(NOW) is None
    it.pause(("t1", "c1"), None)
    assert drawn(it) == ["m001"]


def test_a_rate_spreads_a_lane() -> None:
    it = board()
    it.lanes["t1", "c1"].bucket, it.lanes["t1", "c1"].connections = Bucket(60), 100
    for number in range(20):
        it.add(ticket(number))
    assert len(drawn(it)) == 6
    assert it.wakes_at() is not None
    assert len(drawn(it, NOW + timedelta(seconds=3.1))) == 3


def test_a_lane_that_is_dropped_under_way_is_counted_back() -> None:
    it = board(caps=Caps(slots=1))
    it.add(ticket(1))
    it.add(ticket(2))
    taken = it.next(NOW)
    assert taken is not None
    it.drop(("t1", "c1"))
    it.open(("t1", "c1"), NOW)
    it.freed(taken)
    it.done(taken, NOW)
    assert (it.under_way, it.lanes["t1", "c1"].under_way) == (0, 0)
    it.add(ticket(2))
    assert drawn(it) == ["m002"]


def test_the_host_that_counts_is_the_one_it_began_with() -> None:
    it = board()
    it.lanes["t1", "c1"].host = "old"
    it.add(ticket(1))
    begun = it.next(NOW)
    assert begun is not None
    it.lanes["t1", "c1"].host = "new"
    it.freed(begun)
    assert not +it.hosts
    assert all(many == 0 for many in it.hosts.values())


def test_what_is_due_later_costs_one_timer() -> None:
    it = board()
    for number in range(50):
        it.add(ticket(number, due_at=NOW + timedelta(seconds=60 - number)))
        assert it.next(NOW) is None
    assert it.wakes_at() == NOW + timedelta(seconds=11)
    assert it.next(NOW + timedelta(seconds=11)) is not None
    assert len(it.timers) <= 50


def test_closed_gives_nothing() -> None:
    it = board()
    it.add(ticket(1))
    it.closed = True
    assert it.next(NOW) is None


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 5), st.booleans()), max_size=60))
def test_everything_listed_is_begun_exactly_once(asked: list[tuple[int, int, int, bool]]) -> None:
    """Whatever the order of ends: no ticket is lost, none is begun twice, no cap is passed."""
    it = board(*((f"t{n}", f"c{n}") for n in range(3)), caps=Caps(slots=3, per_tenant=2))
    for number, (tenant, conversation, _, first) in enumerate(asked):
        it.add(ticket(number, f"c{tenant}", f"t{tenant}", f"v{conversation}", first=first))
    begun: list[Ticket] = []
    seen: list[str] = []
    turns = [turn for _, _, turn, _ in asked] + [0] * len(asked)
    for turn in turns:
        while (one := it.next(NOW)) is not None:
            begun.append(one)
            seen.append(one.message_id)
        assert len(begun) <= 3
        if begun:
            ended = begun.pop(turn % len(begun))
            it.freed(ended)
            it.done(ended, NOW)
    assert sorted(seen) == sorted(f"m{number:03}" for number in range(len(asked)))
