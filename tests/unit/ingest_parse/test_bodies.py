"""Which parts are the body, in which charset, and what is attached."""

from __future__ import annotations

import base64

import pytest

from services.ingest.domain.mail_charset import codec_of, decoded
from services.ingest.domain.mail_transfer import octets_of
from tests.unit.ingest_parse.reading import multipart, parsed

PIXEL = "Content-Type: image/png; name=p.png\nContent-Transfer-Encoding: base64\nContent-ID: <p1@x>\n\n" + (
    base64.b64encode(b"png").decode()
)
PLAIN, HTML = "Content-Type: text/plain\n\nplain text", "Content-Type: text/html\n\n<p>rich <b>text</b></p>"


def test_both_sides_of_an_alternative() -> None:
    mail = parsed(multipart("alternative", PLAIN, HTML))
    assert mail.text == "plain text"
    assert mail.html == "<p>rich <b>text</b></p>"
    assert mail.attachments == ()


def test_text_is_made_from_html_where_there_is_none() -> None:
    mail = parsed("Content-Type: text/html\n\n<p>Hello</p><p>there</p>")
    assert mail.text == "Hello\n\nthere"


def test_a_body_that_goes_on_after_a_picture_is_whole() -> None:
    mail = parsed(multipart("mixed", PLAIN, PIXEL, "Content-Type: text/html\n\n<i>more</i>"))
    assert mail.text == "plain text\nmore"
    assert mail.html == "<div>plain text</div><i>more</i>"
    assert [each.file_name for each in mail.attachments] == ["p.png"]


def test_an_inline_image_is_one_that_the_html_shows() -> None:
    shown = parsed(multipart("related", 'Content-Type: text/html\n\n<img src="cid:p1@x">', PIXEL)).attachments[0]
    assert (shown.inline, shown.content_id, shown.octets) == (True, "p1@x", b"png")
    assert not parsed(multipart("mixed", PLAIN, PIXEL)).attachments[0].inline


def test_remote_images_are_held_back_and_counted() -> None:
    mail = parsed('Content-Type: text/html\n\n<img src="https://x.example/a.gif"><script>alert(1)</script>')
    assert mail.remote_images == 1
    assert mail.html == '<img data-remote-src="https://x.example/a.gif">'


def test_a_returned_mail_is_no_body() -> None:
    old = multipart("mixed", HTML).replace("=_edge", "=_old")
    mail = parsed(multipart("mixed", PLAIN, f"Content-Type: message/rfc822\n\nSubject: old\n{old}"))
    assert mail.text == "plain text"
    assert mail.html is None
    assert [(each.media_type, each.file_name) for each in mail.attachments] == [("message/rfc822", "attachment-1.eml")]


def test_a_named_text_is_the_body_only_where_there_is_no_other() -> None:
    named = "Content-Type: text/plain; name=note.txt\n\nnamed"
    assert parsed(multipart("mixed", named)).text == "named"
    mail = parsed(multipart("mixed", PLAIN, named))
    assert mail.text == "plain text"
    assert mail.attachments[0].octets == b"named"


def test_an_attached_text_is_never_the_body() -> None:
    mail = parsed(multipart("mixed", "Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nx"))
    assert mail.text is None
    assert mail.attachments[0].file_name == "a.txt"


def test_a_multipart_whose_boundary_is_missing_is_found_or_is_text() -> None:
    assert parsed("Content-Type: multipart/mixed\n\n--x\nContent-Type: text/plain\n\nhello\n--x--\n").text == "hello"
    assert parsed("Content-Type: multipart/mixed; boundary=y\n\njust text\n").text == "just text\n"


def test_parts_without_a_close_delimiter_and_with_empty_ones() -> None:
    mail = parsed("Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\none\n--b\n--b\n\ntwo\n")
    assert mail.text == "one\ntwo\n"


@pytest.mark.parametrize(
    ("octets", "charset", "text"),
    [
        (b"Gr\xfc\xdfe", "iso-8859-1", "Grüße"),
        (b"\x80 5", "iso-8859-1", "€ 5"),
        ("Grüße".encode(), "", "Grüße"),
        (b"Gr\xfc\xdfe", "", "Grüße"),
        (b"Gr\xfc\xdfe", "utf-8", "Grüße"),
        (b"Gr\xfc\xdfe", "us-ascii", "Grüße"),
        (b"Gr\xfc\xdfe", "nonsense", "Grüße"),
        ("日本語の文書".encode()[:-1], "utf-8", "日本語の文\ufffd"),
        ("日本".encode("shift_jis"), "Shift_JIS", "日本"),
        ("日本".encode("iso-2022-jp"), "ISO-2022-JP", "日本"),
        ("你好".encode("gbk"), "GB2312", "你好"),
        ("привет".encode("koi8-r"), "KOI8-R", "привет"),
        ("привет".encode("cp1251"), "windows-1251", "привет"),
        (b"\xef\xbb\xbfhello", "utf-8", "hello"),
        (b"Hi +AOQ-", "utf-7", "Hi ä"),
        (b"+2AA-", "utf-7", "\ufffd"),
        (b"\xff\xfeh\0i\0", "utf-16", "hi"),
        (b"x", "punycode", "x"),
        (b"x", "zip", "x"),
    ],
)
def test_charsets(octets: bytes, charset: str, text: str) -> None:
    assert decoded(octets, charset) == text


@pytest.mark.parametrize("label", ["base64", "rot13", "idna", "punycode", "undefined", "", "x" * 1_000, "\0", "a b"])
def test_what_is_no_charset_is_none(label: str) -> None:
    assert codec_of(label) == "ascii"


def test_replaced_characters_are_counted() -> None:
    assert parsed(b"Content-Type: text/plain; charset=euc-jp\n\nab\xff\xffcd").replaced_chars == 2
    assert parsed(b"Content-Type: text/plain; charset=utf-8\n\nabc").replaced_chars == 0


def test_html_that_names_its_charset_itself() -> None:
    mail = parsed(b'Content-Type: text/html\n\n<meta charset="koi8-r"><p>' + "привет".encode("koi8-r"))
    assert mail.text == "привет"


@pytest.mark.parametrize(
    ("content", "encoding", "octets"),
    [
        (b"aGVs\r\nbG8=", "base64", b"hello"),
        (b"aGVsbG8", "BASE64", b"hello"),
        (b"aGVsbG8gdGhl#cmUsIGhlbGxv", "base64", b"hello there, hello"),
        (b"aGVsbG8=\r\naGVsbG8=", "base64", b"hellohello"),
        (b"aGVsbG8=a", "base64", b"hello"),
        (b"this is plain, whatever it says", "base64", b"this is plain, whatever it says"),
        (b"a=3Db=\r\nc", "quoted-printable;", b"a=bc"),
        (b"100=% =zz", "quoted-printable", b"100=% =zz"),
        (b"begin 644 x\n%:&5L;&\\\n`\nend\n", "x-uuencode", b"hello"),
        (b"as is", "8bit", b"as is"),
        (b"as is", "plain", b"as is"),
    ],
)
def test_transfer_encodings(content: bytes, encoding: str, octets: bytes) -> None:
    assert octets_of(content, encoding) == octets


def test_flowed_text_is_put_back_into_paragraphs() -> None:
    mail = parsed("Content-Type: text/plain; format=flowed\n\none \ntwo\n> three \n> four\n-- \nAna\n")
    assert mail.text == "one two\n> three four\n-- \nAna\n"


def test_too_much_is_cut_and_it_is_said() -> None:
    mail = parsed(b"Content-Type: text/plain\n\n" + b"x" * (5 << 20))
    assert mail.truncated == ("text",)
    assert len(mail.text or "") == 4 << 20
    mail = parsed(b"Content-Type: text/html\n\n" + b"<div>" * 100_000 + b"deep")
    assert mail.truncated == ("html",)
    assert (mail.html, mail.text) == (None, "deep")


def test_control_characters_do_not_reach_the_reader() -> None:
    assert parsed(b"Content-Type: text/plain\n\na\0b\x1b[2Jc\td\rE\n").text == "ab[2Jc\td\nE\n"
