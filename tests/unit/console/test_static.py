"""What is vendored is what its list says, our own script stays small, and no page carries code of its own."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import httpx
import pytest

from services.gateway.adapters.http_app import application
from services.gateway.adapters.rest import Door
from services.gateway.console import static_files
from services.gateway.console.mount import Console, Sign
from services.gateway.routes import endpoints
from tests.unit.gateway.world import tokens, world

CONSOLE = Path(static_files.__file__).parent
LISTS = [CONSOLE / "static/vendor/vendored.json", Path(__file__).parents[2] / "browser/vendor/vendored.json"]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.parent.parent.name)
def test_vendored_files_are_as_listed(path: Path) -> None:
    listed = json.loads(path.read_text())
    assert {file.name for file in path.parent.glob("*.js")} == set(listed)
    for name, said in listed.items():
        assert hashlib.sha256((path.parent / name).read_bytes()).hexdigest() == said["sha256"]
    assert list(path.parent.glob("*.LICENSE"))


def test_our_own_script_is_short() -> None:
    assert len((CONSOLE / "static/console.js").read_text().splitlines()) < 200


@pytest.mark.parametrize("path", sorted((CONSOLE / "templates").glob("*.html")), ids=lambda path: path.name)
def test_no_page_carries_code_or_style_or_trusts_foreign_text(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<script(?![^>]* src=)|\son[a-z]+=|\sstyle=|<style|hx-on|js:|\|\s*safe|autoescape", text)


async def test_the_interface_stays_as_it_was() -> None:
    use = (await world()).use
    table = endpoints(use)
    bare = application(Door(tokens()), table)
    with_pages = Console(table, tokens(), Sign((b"k" * 32,))).attach(application(Door(tokens()), table))
    assert with_pages.openapi() == bare.openapi()
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=with_pages), base_url="http://127.0.0.1")
    unknown = await client.get("/v1/nothing", headers={"accept": "text/html"})
    assert unknown.headers["content-type"] == "application/problem+json"
    script = await client.get(f"/static/{static_files.version()}/console.js", headers={"accept-encoding": "gzip"})
    assert script.headers["content-encoding"] == "gzip"
    assert (await client.get("/static/x/..%2f..%2fapp.py")).status_code == 404
