"""What is rendered, and what never can be."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from contracts import limits
from contracts.blob import BlobRef
from contracts.message import Attachment
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
