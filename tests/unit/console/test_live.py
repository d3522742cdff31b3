"""What an open page is told: everything at first, then what differs and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request

from deploy.local.issuer import OWNER_SCOPES
from services.gateway.console.desk import Desk
from services.gateway.console.listing import Alike, Listing, marked
from services.gateway.console.live import spoken
from services.gateway.console.pieces import Page
from services.gateway.console.reading import Reading
from services.gateway.console.sessions import Session, Sessions
from services.gateway.domain.change import Change, Reset, Signal, Thing
from services.gateway.domain.message import Status
from services.gateway.domain.who import Principal
from services.gateway.routes import endpoints
from tests.browser.scenery import Scenery
from tests.unit.gateway.world import ANA, RUI, TENANT, tokens

BOTH = frozenset(("convs", "msgs"))


@pytest.fixture(scope="module")
async def scenery() -> AsyncIterator[Scenery]:
    made = await Scenery.make()
    yield made
    await made.renderer.close()


@pytest.fixture
def reading(scenery: Scenery) -> Reading:
    """Ana looks at a conversation that is read and has two mails."""
    talk = scenery.ids["plain"]
    scope = {
        "type": "http", "method": "GET", "path": "/live", "headers": [(b"accept-language", b"en")], "path_params": {},
        "query_string": f"show=convs,msgs&c={talk}".encode(), "scheme": "http", "server": ("127.0.0.1", 80),
    }  # fmt: skip
    who = Principal(TENANT, "ana", ANA, frozenset(OWNER_SCOPES))
    sessions = Sessions(tokens(), (b"k" * 32,))
    return Reading(Request(scope), Desk(endpoints(scenery.world.use)), sessions, Session(who, "sid", "Ana"))


def change(message_id: str, talk: str, kind: Thing = Thing.MESSAGE) -> Signal:
    """As the feed tells it."""
    return Change(TENANT, kind, message_id, 1, "p1", talk)


async def test_a_status_is_told_by_its_message_and_its_row_alone(scenery: Scenery, reading: Reading) -> None:
    talk, page = scenery.ids["plain"], Page()
    await reading.ask("POST /v1/conversations/{conversation_id}/read", talk, body={})
    sent = (await scenery.send("plain", "Hoje sai.")).message_id
    first = await spoken(reading, page, BOTH, (), None)
    assert 'hx-target="#convs' in first
    assert 'hx-target="#msgs"' in first
    assert f'id="row-{talk}" aria-current="true"' in first
    await scenery.progress(sent, status=Status.COMMITTED)
    then = await spoken(reading, page, BOTH, [change(sent, talk)], "p1")
    assert f'hx-target="#m-{sent}"' in then
    assert 'data-state="committed"' in then
    assert f'hx-target="#row-{talk}"' in then
    assert f'id="row-{talk}" aria-current="true"' in then
    assert 'hx-target="#convs' not in then
    assert 'hx-target="#msgs"' not in then


async def test_what_came_is_told_with_everything_around_it(scenery: Scenery, reading: Reading) -> None:
    talk, page = scenery.ids["plain"], Page()
    await spoken(reading, page, BOTH, (), None)
    sent = (await scenery.send("plain", "Mais uma.")).message_id
    then = await spoken(reading, page, BOTH, [change(sent, talk)], "p1")
    assert 'hx-target="#msgs"' in then
    assert "Mais uma." in then
    again = await spoken(reading, page, BOTH, [change(sent, talk), Reset("p2")], "p2")
    assert 'hx-target="#msgs"' in again


def test_a_list_that_only_changed_is_told_by_rows() -> None:
    def html(*rows: str) -> str:
        return '<hx-partial hx-target="#convs"><ul>' + "\n".join(rows) + "</ul></hx-partial>"

    one, other = '<a class="conv" id="row-1" href="/c/1">A</a>', '<a class="conv new" id="row-2" href="/c/2">B</a>'
    before, changed = Listing.of(html(one, other)), Listing.of(html(one.replace(">A", ">Z"), other))
    assert before.since(None) == html(one, other)
    assert before.since(before) == ""
    assert changed.since(before).startswith('<hx-partial hx-target="#row-1"')
    assert "row-2" not in changed.since(before)
    moved = Listing.of(html(other, one))
    assert moved.since(before) == html(other, one)
    assert marked(html(one), "1").count("aria-current") == 1


async def test_what_differs_from_reader_to_reader_is_never_shared(scenery: Scenery, reading: Reading) -> None:
    for view, kept in (("all", 1), ("clock", 2), ("attention", 2), ("mine", 2)):
        reading.alike = Alike()
        for name, operator in (("ana", ANA), ("rui", RUI)):
            who = Principal(TENANT, name, operator, frozenset(OWNER_SCOPES))
            reading.session = Session(who, name, name)
            reading.request.scope["query_string"] = f"view={view}".encode()
            fresh = Reading(
                Request(reading.request.scope), reading.desk, reading.sessions, reading.session, alike=reading.alike
            )
            await spoken(fresh, Page(), frozenset(("convs",)), (), None)
        assert len(reading.alike.lists._pieces) == kept, view
