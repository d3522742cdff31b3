"""Header blocks, encoded words, ids, dates and parameters."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from services.ingest.domain.mail_headers import FIELD_OCTETS, FIELDS, read_headers
from services.ingest.domain.mail_ids import MOST, date_of, message_ids
from services.ingest.domain.mail_params import file_name, structured
from services.ingest.domain.mail_words import words
from tests.unit.ingest_parse.reading import field, parsed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?iso-8859-1?Q?Gr=FC=DFe?=", "Grüße"),
        ("=?UTF-8?B?R3LDvA==?= =?UTF-8?B?w59l?=", "Grüße"),
        ("=?utf-8?Q?Gr=C3?= =?utf-8?Q?=BC=C3=9Fe?=", "Grüße"),  # a character cut in two
        ("a =?utf-8?Q?b?= c", "a b c"),
        ("=?utf-8?q?a?==?utf-8?q?b?=", "ab"),
        ("=?utf-8*en?Q?hello_there?=", "hello there"),
        ("=?utf-8?Q?what?_is?=", "what? is"),
        ("=?nonsense?Q?plain?=", "plain"),
        ("=?utf-8?B?####?=", ""),
        ("=?utf-8?Q?Hi=0D=0ABcc:_x?=", "Hi Bcc: x"),
        ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        ("no words =? here", "no words =? here"),
        ("a\tb   c", "a b c"),
    ],
)
def test_encoded_words(value: str, text: str) -> None:
    assert words(value) == text


def test_a_subject_of_raw_octets() -> None:
    assert parsed("Subject: Grüße\n\nx".encode()).subject == "Grüße"
    assert parsed("Subject: Grüße\n\nx".encode("latin-1")).subject == "Grüße"


def test_a_subject_never_has_a_line_end() -> None:
    assert field("Subject", "=?utf-8?B?SGkNCkJjYzogYQBi?=").subject == "Hi Bcc: a b"


def test_a_folded_field_and_a_line_that_is_none() -> None:
    headers, body = read_headers(b"Subject: a\r\n b\r\nquite\r\nTo: c\r\n\r\nbody")
    assert headers.first("subject") == "a b"
    assert headers.first("to") == "c"
    assert body == len(b"Subject: a\r\n b\r\nquite\r\nTo: c\r\n\r\n")


def test_without_an_empty_line_the_body_begins_where_fields_end() -> None:
    mail = parsed("Subject: a\nHello Ana\nmore text\n")
    assert mail.subject == "a"
    assert mail.text == "Hello Ana\nmore text\n"


def test_limits_of_headers() -> None:
    headers, _ = read_headers(b"".join(b"X-%d: y\n" % each for each in range(FIELDS + 1)) + b"\nx")
    assert headers.truncated
    assert len(headers.fields) == FIELDS
    headers, _ = read_headers(b"Subject: " + b"x" * (FIELD_OCTETS + 1) + b"\n\nx")
    assert headers.truncated
    assert len(headers.first("subject")) == FIELD_OCTETS


def test_a_long_list_of_references_keeps_both_ends() -> None:
    mail = field("References", " ".join(f"<{each:05}@example.com>" for each in range(5_000)))
    assert mail.references[0] == "<00000@example.com>"
    assert mail.references[-1] == "<04999@example.com>"
    assert len(mail.references) == MOST
    assert "headers" in mail.truncated


def test_long_ids_are_read_as_python_s_mailers_write_them() -> None:
    ours = "<" + "a" * 26 + "." + "b" * 26 + ".k1" + "c" * 16 + "@acme.test>"
    answer = EmailMessage()
    answer["Message-ID"], answer["In-Reply-To"], answer["References"] = "<x@y>", ours, f"<root@y> {ours}"
    answer.set_content("hello")
    assert b"=?utf-8?q?" in bytes(answer), "this is the case that is tested"
    read = parsed(bytes(answer))
    assert (read.internet_message_id, read.in_reply_to, read.references) == ("<x@y>", (ours,), ("<root@y>", ours))


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("<a@b>", ("<a@b>",)),
        ("Your message of Monday <a@b> and <c@d>", ("<a@b>", "<c@d>")),
        ("a@b", ("<a@b>",)),
        ("<a@b><a@b>", ("<a@b>",)),
        ("<a @ b>", ("<a@b>",)),
        ("<<<<", ()),
        ("<<a@b>>", ("<a@b>",)),
        ("", ()),
    ],
)
def test_message_ids(value: str, ids: tuple[str, ...]) -> None:
    assert message_ids(value) == ids


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("Tue, 24 Nov 2026 12:00:00 +0100", datetime(2026, 11, 24, 11, tzinfo=UTC)),
        ("24 Nov 2026 12:00 GMT (a comment)", datetime(2026, 11, 24, 12, tzinfo=UTC)),
        ("Tue, 24 Nov 2026 12:00:00 -0000", datetime(2026, 11, 24, 12, tzinfo=UTC)),
        ("Tue, 24 Nov 2026 12:00:60 +0000", datetime(2026, 11, 24, 12, 0, 59, tzinfo=UTC)),
        ("yesterday", None),
        ("Tue, 99 Nov 2026 12:00:00 +0000", None),
        ("Tue, 24 Nov 0001 00:00:00 +9900", None),
        ("", None),
    ],
)
def test_dates(value: str, moment: datetime | None) -> None:
    assert date_of(value) == moment


@pytest.mark.parametrize(
    ("text", "value", "params"),
    [
        ("text/plain", "text/plain", {}),
        ('TEXT/HTML; Charset="UTF-8"', "text/html", {"charset": "UTF-8"}),
        ("attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.pdf", "attachment", {"filename": "Grüße.pdf"}),
        ("attachment; filename*0=\"a b\"; filename*1=c.pdf", "attachment", {"filename": "a bc.pdf"}),
        ("attachment; filename*1*=%C3%9F; filename*0*=utf-8''Gr%C3%BC", "attachment", {"filename": "Grüß"}),
        ('a/b; name="x;y\\"z"', "a/b", {"name": 'x;y"z'}),
        ('a/b; name="open', "a/b", {"name": "open"}),
        ("text", "text", {}),
        ("; charset=x", "", {"charset": "x"}),
    ],
)  # fmt: skip
def test_parameters(text: str, value: str, params: dict[str, str]) -> None:
    found = structured(text)
    assert (found.value, found.params) == (value, params)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\a.doc", "a.doc"),
        ("=?utf-8?Q?=C3=9C.txt?=", "Ü.txt"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("a\r\nb\0c.txt", "abc.txt"),
        ("CON.txt", "_CON.txt"),
        (".htaccess", "htaccess"),
        ('a<b>:"c|?*.txt', "a_b___c___.txt"),
        ("..", "attachment-1.pdf"),
        ("", "attachment-1.pdf"),
    ],
)
def test_a_file_name_is_safe(raw: str, name: str) -> None:
    assert file_name(raw, "application/pdf", 1) == name


def test_a_long_file_name_keeps_its_ending() -> None:
    name = file_name("ü" * 300 + ".pdf", "application/pdf", 1)
    assert len(name.encode()) <= 255
    assert name.endswith("ü.pdf")
