"""The rendered MIME, read back by the standard library's own parser and by hand where that parser is known to err."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.conversation import Correspondent
from contracts.message import MessageComposed
from contracts.signature import Why
from services.kit.ids import uuid7
from services.outbox.adapters.mime import File, HeaderRefused, render

AT = datetime(2026, 11, 24, 13, 21, 7, tzinfo=UTC)
OURS = "<aaaa.bbbb.k1cccc@desk.example>"
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0")
LINES = st.text(st.characters(exclude_categories=["Cs"]), max_size=2500)


def composed(**changes: Any) -> MessageComposed:
    known: dict[str, Any] = {
        "message_id": str(uuid7()),
        "conversation_id": str(uuid7()),
        "channel_id": str(uuid7()),
        "channel_version": 1,
        "operator_id": None,
        "operator_version": None,
        "requested_by": "sub",
        "internet_message_id": OURS,
        "to": (Correspondent(address="client@client.example", name="Ana Lima"),),
        "subject": "Your order",
        "undo_seconds": 10,
        "accepted_at": AT,
        "expires_at": AT,
        "sender": Correspondent(address="desk@desk.example", name="The Desk"),
        "signature": {"why": Why.NONE},
    }
    return MessageComposed.model_construct(**(known | changes))


def read(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def clean(raw: bytes) -> None:
    """Line ends, line lengths and seven bits of a whole message."""
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\0" not in raw
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.isascii()
    assert raw.endswith(b"\r\n")


def header(raw: bytes, field: str) -> str:
    """One raw field, unfolded by removing line breaks alone (RFC 5322 section 2.2.3)."""
    head = raw.partition(b"\r\n\r\n")[0].decode().replace("\r\n ", " ")
    (line,) = [line for line in head.split("\r\n") if line.lower().startswith(f"{field.lower()}: ")]
    return line.partition(": ")[2]


def decoded(value: str) -> str:
    return str(make_header(decode_header(value)))


def same_text(found: str, given: str) -> bool:
    wanted = given.replace("\r\n", "\n").replace("\r", "\n")
    return found.replace("\r\n", "\n") == (wanted if wanted.endswith("\n") else wanted + "\n")


def test_plain_text_has_every_field_once_and_in_order() -> None:
    raw = render(composed(in_reply_to="<a@b>", references=("<a@b>", "<c@d>")), "Hello\n.\nBye", None)
    clean(raw)
    assert [line.partition(b":")[0] for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n") if line[0] != 32] == [
        b"Date", b"From", b"To", b"Subject", b"Message-ID", b"In-Reply-To", b"References", b"MIME-Version",
        b"Content-Type", b"Content-Transfer-Encoding",
    ]  # fmt: skip
    found = read(raw)
    assert parsedate_to_datetime(found["Date"]) == AT
    assert (found["Message-ID"], found["In-Reply-To"], found["References"]) == (OURS, "<a@b>", "<a@b> <c@d>")
    assert found.get_content_type() == "text/plain"
    assert raw.endswith(b"\r\n\r\nHello\r\n.\r\nBye\r\n")


def test_text_and_html_are_alternatives_and_the_same_again() -> None:
    message = composed()
    raw = render(message, "Olá", "<p>Olá</p>")
    assert raw == render(message, "Olá", "<p>Olá</p>")
    clean(raw)
    found = read(raw)
    assert found.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content() for part in found.iter_parts()] == ["Olá\r\n", "<p>Olá</p>\r\n"]


def test_files_go_beside_the_text() -> None:
    files = [
        File("Ünïcode " * 20 + ".pdf", "application/pdf", bytes(range(256)) * 9),
        File('a "b".txt', "message/rfc822", b""),
        File("plain.csv", "text/csv", b"a,b\n"),
    ]
    raw = render(composed(), "see", None, files)
    clean(raw)
    found = read(raw)
    assert [part.get_filename() for part in found.iter_attachments()] == [file.name for file in files]
    assert [part.get_payload(decode=True) for part in found.iter_attachments()] == [file.content for file in files]
    kinds = ["application/pdf", "application/octet-stream", "text/csv"]
    assert [part.get_content_type() for part in found.iter_attachments()] == kinds


def test_an_address_beyond_ascii_needs_smtputf8_and_only_that_does() -> None:
    raw = render(composed(to=(Correspondent.model_construct(address="ünï@client.example", name="Ünï"),)), "é", None)
    assert not raw.isascii()
    assert "To: =?utf-8?b?w5xuw68=?=\r\n <ünï@client.example>\r\n".encode() in raw


def test_a_boundary_in_the_text_is_not_a_boundary() -> None:
    message = composed()
    mark = read(render(message, "a", "b")).get_boundary()
    found = read(render(message, f"--{mark}--\n", "b"))
    assert found.get_boundary() != mark
    assert [part.get_content() for part in found.iter_parts()] == [f"--{mark}--\r\n", "b\r\n"]


@pytest.mark.parametrize(
    "bad", ["a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\0b", "=?utf-8?q?a=0D=0ABcc:_x?=", "=?utf-8?b?AA0K?="]
)
@pytest.mark.parametrize("field", ["subject", "sender", "to", "message_id", "in_reply_to", "references", "file"])
def test_line_breaks_are_refused_in_every_field(field: str, bad: str) -> None:
    person = Correspondent.model_construct(address="a@b.example", name=bad)
    every: dict[str, dict[str, Any]] = {
        "subject": {"subject": bad},
        "sender": {"sender": person},
        "to": {"to": (person,)},
        "message_id": {"internet_message_id": bad},
        "in_reply_to": {"in_reply_to": bad},
        "references": {"references": ("<a@b>", bad)},
        "file": {},
    }
    with pytest.raises(HeaderRefused) as refused:
        render(composed(**every[field]), "x", None, [File(bad, "text/plain", b"")] if field == "file" else ())
    assert bad not in str(refused.value)


def test_line_breaks_are_refused_in_addresses() -> None:
    with pytest.raises(HeaderRefused):
        render(composed(to=(Correspondent.model_construct(address="a@b.example>\r\nBcc: <c", name=""),)), "x", None)


def test_foreign_ids_that_are_none_are_left_out() -> None:
    raw = render(composed(in_reply_to="<no id>", references=("<é@b>", "<" + "x" * 2000 + "@b>", "<fine@b>")), "x", None)
    found = read(raw)
    assert "In-Reply-To" not in found
    assert found["References"] == "<fine@b>"


def test_fifty_recipients_are_all_named() -> None:
    people = tuple(Correspondent(address=f"client{n}@client.example", name=f"Cliente número {n}") for n in range(50))
    raw = render(composed(to=people), "x", None)
    clean(raw)
    assert [address.addr_spec for address in read(raw)["To"].addresses] == [person.address for person in people]


@settings(max_examples=300, deadline=None)
@given(st.text(CHARACTERS, min_size=1, max_size=400))
@example("=?utf-8?q?literal?=")
@example(" lead and trail ")
@example("x" * 998)
@example("two  spaces " * 30)
@example("Re: " + "fold me " * 60)
def test_any_subject_comes_back(subject: str) -> None:
    raw = render(composed(subject=subject), "x", None)
    clean(raw)
    assert decoded(header(raw, "Subject")) == subject
    assert max(len(line) for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n")) <= 76


@settings(max_examples=300, deadline=None)
@given(st.text(CHARACTERS, max_size=200))
@example('Lima, Ana "A" \\ <x@y.example>')
@example("a@b.example, c")
@example("=?utf-8?q?x?= y")
def test_any_name_comes_back_and_brings_no_address_along(name: str) -> None:
    raw = render(composed(sender=Correspondent.model_construct(address="desk@desk.example", name=name)), "x", None)
    clean(raw)
    (found,) = getaddresses([header(raw, "From")])
    assert found[1] == "desk@desk.example"
    assert decoded(found[0]) == name
    assert [address.addr_spec for address in read(raw)["From"].addresses] == ["desk@desk.example"]


@settings(max_examples=300, deadline=None)
@given(LINES)
@example("a\rb\nc\r\nd\r\r\n\n.")
@example("x" * 5000)
@example(".\r\n.\r\n" + "é" * 300)
@example("trailing \t\n \n")
@example("From me\n\0\x0b\x0c\x1c\x85\u2028")
def test_any_text_comes_back(text: str) -> None:
    raw = render(composed(), text, None)
    clean(raw)
    payload = read(raw).get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert same_text(payload.decode(), text)


@settings(max_examples=60, deadline=None)
@given(LINES, LINES)
def test_any_text_with_html_comes_back(text: str, html: str) -> None:
    raw = render(composed(), text, html)
    clean(raw)
    parts = [part.get_payload(decode=True) for part in read(raw).iter_parts()]
    assert [same_text(part.decode(), whole) for part, whole in zip(parts, (text, html), strict=True)] == [True, True]  # type: ignore[union-attr]
