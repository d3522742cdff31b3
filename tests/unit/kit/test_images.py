"""How images are told, named, found in a template and taken out of a mail."""

from __future__ import annotations

import pytest

from services.kit.images import blob_of, content_id, image_type, named_in, without_image
from services.kit.sanitiser import Profile, clean

ONE, TWO = "01935e44-7d1c-7e5b-9b38-2f60c1a4d8e7", "01935e44-7d1c-7e5b-9b38-2f60c1a4d8e8"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg"), (b"GIF89a", "image/gif"),
        (b"RIFF\x00\n\x00\x00WEBPVP8 ", "image/webp"), (b"RIFF....WAVE", None), (b"<svg onload=alert(1)>", None),
        (b"\x89PNG", None), (b"BM", None), (b"", None),
    ],
)  # fmt: skip
def test_an_image_is_told_by_what_it_begins_with(head: bytes, kind: str | None) -> None:
    assert image_type(head) == kind


def test_a_template_names_what_any_of_its_branches_may_show() -> None:
    either = f'<img src="blob:{ONE}">{{% else %}}<img src=blob:{TWO}><img src="blob:{ONE}">'
    template = f"{{% if client.name %}}{either}{{% endif %}}"
    assert named_in(template) == (ONE, TWO)
    assert named_in(f"blob:{ONE}0 myblob:{ONE} blob:{ONE.upper()}") == ()


def test_only_whole_addresses_are_ours() -> None:
    assert blob_of(f"blob:{ONE}") == ONE
    assert [blob_of(other) for other in (f"blob:{ONE}/x", f" blob:{ONE}", "blob:", f"cid:{ONE}")] == [None] * 4


def test_an_image_that_is_gone_leaves_its_words() -> None:
    html = f'a<img width="9" src="blob:{ONE}" alt="<b>x</b> &amp; co">b<img src="blob:{TWO}">'
    shown = clean(html, Profile.SIGNATURE).html
    left = without_image(shown, content_id(ONE))
    assert left == f'a&lt;b&gt;x&lt;/b&gt; &amp; cob<img src="cid:{TWO}@malote">'
    assert without_image(left, content_id(TWO)).endswith("cob")
    assert without_image(left, content_id(ONE)) == left
