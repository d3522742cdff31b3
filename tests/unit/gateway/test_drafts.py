"""What somebody is writing is kept for them, and shown to nobody else."""

from __future__ import annotations

import pytest

from services.gateway.domain.draft import LARGEST
from tests.unit.gateway.test_rest import problem
from tests.unit.gateway.world import OTHER, Http, World, token, world

DRAFT = {"fields": {"text": ["Bom dia"], "client": ["a@x.net", "b@x.net"], "a.$b": [""]}}


@pytest.fixture
async def here() -> World:
    return await world()


@pytest.fixture
def http(here: World) -> Http:
    return Http(here)


async def test_a_draft_is_kept_changed_and_forgotten(here: World, http: Http) -> None:
    problem(await http.call("GET", "/v1/drafts/start"), 404, "not_found")
    kept = await http.call("PUT", "/v1/drafts/start", DRAFT)
    assert (kept.status_code, kept.json()["fields"]) == (200, DRAFT["fields"])
    assert (await http.call("GET", "/v1/drafts/start")).json() == kept.json()
    await http.call("PUT", "/v1/drafts/start", {"fields": {"text": ["Boa tarde"]}})
    assert (await http.call("GET", "/v1/drafts/start")).json()["fields"] == {"text": ["Boa tarde"]}
    assert (await http.call("PUT", "/v1/drafts/start", {"fields": {}})).status_code == 200
    problem(await http.call("GET", "/v1/drafts/start"), 404, "not_found")
    assert not here.drafts.kept


@pytest.mark.parametrize("who", [{"sub": "rui"}, {"tenant": OTHER}])
async def test_nobody_else_reads_it(http: Http, who: dict[str, str]) -> None:
    await http.call("PUT", "/v1/drafts/start", DRAFT)
    other = {"Authorization": f"Bearer {token(**who)}"}
    problem(await http.call("GET", "/v1/drafts/start", headers=other), 404, "not_found")
    await http.call("PUT", "/v1/drafts/start", {"fields": {}}, headers=other)
    assert (await http.call("GET", "/v1/drafts/start")).status_code == 200


async def test_what_cannot_be_a_draft_is_refused(here: World, http: Http) -> None:
    for name in ("UPPER", "a_b", "x" * 121):
        problem(await http.call("PUT", f"/v1/drafts/{name}", DRAFT), 404, "not_found")
    large = {"fields": {"text": ["é" * (LARGEST // 2)]}}
    problem(await http.call("PUT", "/v1/drafts/start", large), 413, "too_large")
    problem(await http.call("PUT", "/v1/drafts/start", {"fields": {"text": "no list"}}), 422, "invalid")
    many = {"fields": {f"f{n}": ["x"] for n in range(51)}}
    problem(await http.call("PUT", "/v1/drafts/start", many), 422, "invalid")
    assert not here.drafts.kept
