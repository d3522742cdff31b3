"""A mail's HTML in its frame: its own pictures, nothing from outside unless asked for."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from services.gateway.console.frames import document, policy, shown, with_pictures


@dataclass(frozen=True)
class Part:
    """An attachment as the interface tells of it."""

    content_id: str | None = "logo@client.test"
    blob_id: str = "b1"
    media_type: str = "image/png"
    inline: bool = True


@pytest.mark.parametrize(
    "address", ["cid:logo@client.test", "CID:logo@client.test", "cid:logo%40client.test", "cid:logo&#64;client.test"]
)
def test_a_picture_of_the_mail_comes_from_our_files(address: str) -> None:
    assert with_pictures(f'<img src="{address}" alt="x">', [Part()]) == '<img src="/files/b1" alt="x">'


@pytest.mark.parametrize("part", [Part("other@x"), Part(media_type="image/svg+xml"), Part(media_type="text/html")])
def test_what_cannot_be_shown_has_no_address(part: Part) -> None:
    assert with_pictures('<img src="cid:logo@client.test" alt="x">', [part]) == '<img alt="x">'


def test_of_two_parts_with_one_name_the_first_is_shown() -> None:
    assert "/files/b1" in with_pictures('<img src="cid:logo@client.test">', [Part(), Part(blob_id="b2")])


def test_remote_images_wait_to_be_asked_for() -> None:
    html = '<img data-remote-src="https://x.test/a.png">'
    assert ' src="' not in document(html, None, (), remote=False)
    assert '<img src="https://x.test/a.png">' in document(html, None, (), remote=True)
    assert "img-src 'self';" in policy(remote=False)
    assert "img-src 'self' https: http:;" in policy(remote=True)


def test_a_mail_without_html_shows_its_text_as_text() -> None:
    assert "&lt;script&gt;\nb" in document(None, "<script>\nb", (), remote=False)


def test_what_the_frame_shows_need_not_be_listed() -> None:
    assert shown(Part())
    assert not shown(Part(inline=False))
    assert not shown(Part(media_type="image/tiff"))
