"""Images in signatures: found when saved, named when composed, kept while they are needed, never a message's end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts import limits
from services.signature.domain.signature import Signature
from tests.unit.signature.desk import Desk, new_id


def img(blob_id: str, alt: str = "Logo") -> str:
    """As the editor inserts it."""
    return f'<img src="blob:{blob_id}" alt="{alt}">'


async def test_the_composed_message_names_the_images_its_html_shows() -> None:
    desk = await Desk().opened()
    logo, seal = desk.images.upload(desk.tenant), desk.images.upload(desk.tenant)
    await desk.signed(html=f"<b>Ana</b>{img(logo)}{img(seal)}{img(logo)}", by=desk.ana)
    assert [image.blob_id for image in desk.signatures.owed[0].data.images] == [logo, seal]
    told = await desk.composed()
    assert [(one.blob.blob_id, one.content_id, one.file_name) for one in told.images] == [
        (logo, f"{logo}@malote", "image1.png"), (seal, f"{seal}@malote", "image2.png"),
    ]  # fmt: skip
    assert told.html is not None
    assert told.html.count(f'src="cid:{logo}@malote"') == 2
    assert told.html.startswith("<div>Bom dia!</div>")
    assert (told.text, told.signature.why) == ("Bom dia!\n\n-- \nAna\n", "own")


async def test_a_text_stays_text_where_its_signature_is() -> None:
    desk = await Desk().opened()
    await desk.signed(text="Ana", by=desk.ana)
    told = await desk.composed()
    assert (told.html, told.images) == (None, ())


async def test_images_that_are_not_there_are_refused() -> None:
    desk = await Desk().opened()
    foreign = desk.images.upload(new_id())
    for named in (foreign, new_id()):
        await desk.signed(html=img(named), by=desk.ana)
    errors = [owed.data.errors[0] for owed in desk.rejections.owed]
    assert [(one.field, one.code) for one in errors] == [("template.html", "unknown_image")] * 2
    assert errors[0].detail == errors[1].detail
    assert not desk.signatures.owed
    assert not desk.images.kept


async def test_more_images_than_a_signature_may_show_are_refused() -> None:
    desk = await Desk().opened()
    most = [desk.images.upload(desk.tenant) for _ in range(limits.SIGNATURE_IMAGES + 1)]
    await desk.signed(html="".join(map(img, most)), by=desk.ana)
    assert desk.refusal().errors[0].code == "too_many_images"
    await desk.signed(html="".join(map(img, most[1:])), by=desk.ana)
    assert len(desk.signatures.owed[0].data.images) == limits.SIGNATURE_IMAGES


async def test_images_are_kept_while_a_signature_refers_to_them() -> None:
    desk = await Desk().opened()
    old, new = desk.images.upload(desk.tenant), desk.images.upload(desk.tenant)
    await desk.signed(html=img(old), by=desk.ana)
    await desk.signed(html=img(new), by=desk.ana)
    await desk.signed(text="none here")
    desk.images.kept.clear()
    await desk.keep.handle()
    await desk.keep.handle()
    assert sorted(desk.images.kept) == sorted([(desk.tenant, new), (desk.tenant, old)])  # the last good one too
    desk.clock.advance(timedelta(days=8).total_seconds())
    await desk.keep.handle()
    assert len(desk.images.kept) == 4


@pytest.mark.parametrize("html", ["{}", "<p>Ana {}</p>"])
async def test_an_image_the_signature_does_not_know_is_left_out(html: str) -> None:
    desk = await Desk().opened()
    logo = desk.images.upload(desk.tenant)
    await desk.signed(html=html.format(img(logo)), by=desk.ana)
    where = (desk.tenant, f"{desk.channel_id}/operator/{desk.ana}")
    stored = desk.signatures.stored[where]
    assert isinstance(stored, Signature)
    desk.signatures.stored[where] = replace(stored, images=())
    told = await desk.composed()
    assert (told.images, told.signature.why, told.signature.version) == ((), "image_missing", 1)
    assert told.html is not None
    assert "<img" not in told.html
    assert "Logo" in told.html
