"""Uploads are measured and looked at; a file goes out to whom a document refers it, and never to run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from contracts import limits
from contracts.inbound import InboundAttachment
from services.gateway.adapters.rest_files import disposition
from services.gateway.domain.files import media_type_of, safe_name
from services.kit.ids import uuid7
from tests.unit.gateway.mails import mail
from tests.unit.gateway.test_rest import fields, problem
from tests.unit.gateway.world import CHANNEL, OTHER, TENANT, Http, World, token, world

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.fixture
async def here() -> World:
    return await world()


@pytest.fixture
def http(here: World) -> Http:
    return Http(here)


async def upload(http: Http, octets: Any, **query: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token()}", "Content-Type": "Image/PNG; x=y"}
    return await http.client.post("/v1/uploads", content=octets, params=query, headers=headers)


async def pieces(size: int) -> AsyncIterator[bytes]:
    for start in range(0, size, 64 * 1024):
        yield b"x" * min(64 * 1024, size - start)


async def test_what_was_uploaded_comes_back_as_an_attachment(http: Http) -> None:
    made = await upload(http, PNG, file_name="../lo\u202ego.png", purpose="signature_image")
    said = made.json()
    assert (said["file_name"], said["media_type"], said["size"]) == ("logo.png", "image/png", len(PNG))
    got = await http.call("GET", f"/v1/blobs/{said['blob_id']}")
    assert (got.status_code, got.content, got.headers["content-type"]) == (200, PNG, "image/png")
    assert got.headers["content-disposition"] == "attachment; filename=\"logo.png\"; filename*=UTF-8''logo.png"
    assert (got.headers["x-content-type-options"], got.headers["content-length"]) == ("nosniff", str(len(PNG)))
    assert "sandbox" in got.headers["content-security-policy"]
    foreign = {"Authorization": f"Bearer {token(tenant=OTHER)}"}
    unknown = await http.call("GET", f"/v1/blobs/{uuid7()}")
    other = await http.call("GET", f"/v1/blobs/{said['blob_id']}", headers=foreign)
    assert problem(other, 404, "not_found") == problem(unknown, 404, "not_found")


async def test_uploads_have_their_limits(http: Http) -> None:
    most = limits.SIGNATURE_IMAGE
    wish = {"file_name": "a.png", "purpose": "signature_image"}
    assert (await upload(http, PNG[:8] + b"0" * (most - 8), **wish)).status_code == 201
    problem(await upload(http, PNG[:8] + b"0" * (most - 7), **wish), 413, "too_large")
    problem(await upload(http, pieces(limits.MESSAGE_SIZE + 1), file_name="a"), 413, "too_large")
    for octets, query, field in (
        (b"<svg onload=x>", wish, "body"), (b"", wish, "body"), (PNG, {}, "file_name"),
        (PNG, {"file_name": "/"}, "file_name"), (PNG, {"file_name": "a", "purpose": "x"}, "purpose"),
    ):  # fmt: skip
        said = problem(await upload(http, octets, **query), 422, "invalid")
        assert fields(said) == [field]


async def test_an_attachment_is_a_file_of_its_mail(here: World, http: Http) -> None:
    ref = await here.files.blobs.put(TENANT, b"<script>", "text/html")
    made = here.conversation()
    part = InboundAttachment(blob=ref, file_name='r"é\n.html', content_id="<a@b>", inline=True)
    await here.use.inbound.handle(mail(CHANNEL, made.conversation_id, attachments=(part,)))
    opened = (await http.call("GET", f"/v1/conversations/{made.conversation_id}")).json()
    (one,) = opened["messages"]["items"][0]["attachments"]
    assert (one["blob_id"], one["content_id"], one["inline"]) == (ref.blob_id, "<a@b>", True)
    got = await http.call("GET", f"/v1/blobs/{ref.blob_id}")
    assert (got.status_code, got.content) == (200, b"<script>")
    loose = await here.files.blobs.put(TENANT, b"nobody refers to it", "text/plain")
    problem(await http.call("GET", f"/v1/blobs/{loose.blob_id}"), 404, "not_found")


def test_names_and_types_are_harmless() -> None:
    assert safe_name("C:\\x\\..\\y\u2028.pdf") == "y.pdf"
    assert safe_name("...") == ""
    assert len(safe_name("a" * 500 + ".pdf")) == 200
    assert safe_name("a" * 500 + ".pdf").endswith(".pdf")
    assert media_type_of("text/html; charset=x") == "text/html"
    assert media_type_of("text/html\r\nX: y") == media_type_of(None) == "application/octet-stream"
    assert disposition('a"\r\nX: é') == "attachment; filename=\"a___X_ _\"; filename*=UTF-8''a%22%0D%0AX%3A%20%C3%A9"
