"""What is rendered, and what never can be."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from contracts import limits
from contracts.blob import BlobRef
from contracts.message import Attachment, InlineImage
from services.kit.ids import uuid7
from services.outbox.adapters.composer import MimeComposer
from services.outbox.ports import Rendered, Unrenderable
from tests.unit.outbox_adapters.test_mime import composed, read

TENANT = str(uuid7())


class Blobs:
    """Blobs of one tenant."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}

    async def get(self, tenant: str, blob_id: str) -> bytes | None:
        return self.kept.get((tenant, blob_id))

    def keep(self, octets: bytes, **changes: Any) -> BlobRef:
        blob_id = str(uuid7())
        self.kept[TENANT, blob_id] = octets
        known = {"blob_id": blob_id, "sha256": sha256(octets).hexdigest(), "size": len(octets), "media_type": "a/b"}
        return BlobRef.model_validate(known | changes)


async def test_what_travels_by_reference_is_fetched() -> None:
    blobs = Blobs()
    text, html, file = (blobs.keep(octets) for octets in ("Olá".encode(), b"<p>x</p>", bytes(300_000)))
    message = composed(text_ref=text, html_ref=html, attachments=(Attachment(blob=file, file_name="f.bin"),))
    found = await MimeComposer(blobs).render(TENANT, message)
    assert isinstance(found, Rendered)
    assert found.sha256 == sha256(found.octets).hexdigest()
    body, attached = read(found.octets).iter_parts()
    assert [part.get_content() for part in body.iter_parts()] == ["Olá\r\n", "<p>x</p>\r\n"]
    assert attached.get_payload(decode=True) == bytes(300_000)


@pytest.mark.parametrize("code", ["blob_missing", "blob_altered", "not_utf8", "header_refused", "too_large"])
async def test_what_never_can_be_rendered_has_a_code(code: str) -> None:
    blobs = Blobs()
    message = {
        "blob_missing": lambda: composed(text_ref=blobs.keep(b"x", blob_id=str(uuid7()))),
        "blob_altered": lambda: composed(text_ref=blobs.keep(b"x", sha256="0" * 64)),
        "not_utf8": lambda: composed(text_ref=blobs.keep(b"\xff")),
        "header_refused": lambda: composed(text="x", subject="a\r\nb"),
        "too_large": lambda: composed(text="é" * (limits.MESSAGE_SIZE // 2)),
    }[code]()
    assert await MimeComposer(blobs).render(TENANT, message) == Unrenderable(code)


async def test_another_tenants_blob_is_missing() -> None:
    blobs = Blobs()
    message = composed(text_ref=blobs.keep(b"x"))
    assert await MimeComposer(blobs).render(str(uuid7()), message) == Unrenderable("blob_missing")


def inline(blob: BlobRef, name: str = "image1.png") -> InlineImage:
    return InlineImage(blob=blob, content_id=f"{blob.blob_id}@malote", file_name=name)


async def test_an_image_goes_beside_the_html_that_shows_it() -> None:
    blobs = Blobs()
    logo, file = blobs.keep(b"\x89PNG", media_type="image/png"), blobs.keep(b"%PDF")
    shown = f'<p>x</p><img src="cid:{logo.blob_id}@malote">'
    attachments = (Attachment(blob=file, file_name="f.pdf"),)
    message = composed(text="x", html=shown, images=(inline(logo),), attachments=attachments)
    found = await MimeComposer(blobs).render(TENANT, message)
    assert isinstance(found, Rendered)
    assert found.lost == 0
    mixed = read(found.octets)
    alternative, attached = mixed.iter_parts()
    text, related = alternative.iter_parts()
    assert [part.get_content_type() for part in (mixed, alternative, text, related, attached)] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "a/b",
    ]  # fmt: skip
    assert related.get_param("type") == "text/html"
    html, image = related.iter_parts()
    assert html.get_content() == shown + "\r\n"
    assert (image["Content-ID"], image.get_content_disposition(), image.get_filename(), image.get_content_type()) == (
        f"<{logo.blob_id}@malote>", "inline", "image1.png", "image/png",
    )  # fmt: skip
    assert image.get_payload(decode=True) == b"\x89PNG"


@pytest.mark.parametrize("changes", [{"blob_id": str(uuid7())}, {"sha256": "0" * 64}, {"size": 1 << 40}])
async def test_a_message_is_not_lost_to_an_image(changes: dict[str, Any]) -> None:
    blobs = Blobs()
    whole, lost = blobs.keep(b"GIF89a", media_type="image/gif"), blobs.keep(b"x", **changes)
    shown = "".join(f'<img src="cid:{ref.blob_id}@malote" alt="{name}">' for ref, name in ((whole, "A"), (lost, "B")))
    found = await MimeComposer(blobs).render(TENANT, composed(html=shown, images=(inline(whole), inline(lost))))
    assert isinstance(found, Rendered)
    assert found.lost == 1
    html, image = read(found.octets).iter_parts()
    assert html.get_content() == f'<img src="cid:{whole.blob_id}@malote" alt="A">B\r\n'
    assert image["Content-ID"] == f"<{whole.blob_id}@malote>"


async def test_without_images_nothing_is_read() -> None:
    class Untouched:
        async def get(self, tenant: str, blob_id: str) -> bytes | None:
            raise AssertionError(blob_id)

    assert isinstance(await MimeComposer(Untouched()).render(TENANT, composed(text="x", html="<p>x")), Rendered)


async def test_no_image_without_html_to_show_it() -> None:
    blobs = Blobs()
    found = await MimeComposer(blobs).render(TENANT, composed(text="x", images=(inline(blobs.keep(b"GIF89a")),)))
    assert isinstance(found, Rendered)
    assert read(found.octets).get_content_type() == "text/plain"
    assert found.lost == 0


@pytest.mark.parametrize("cid", ["a\r\nX: y@b", "a b@c", "a>@b"])
async def test_a_content_id_breaks_no_header(cid: str) -> None:
    blobs = Blobs()
    image = InlineImage.model_construct(blob=blobs.keep(b"GIF89a"), content_id=cid, file_name="a.gif")
    assert await MimeComposer(blobs).render(TENANT, composed(html="x", images=(image,))) == Unrenderable(
        "header_refused"
    )
