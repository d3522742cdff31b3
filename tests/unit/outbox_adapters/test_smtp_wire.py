"""Octets of SMTP: transparency that cannot be talked out of, commands that hold one address, replies as values."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.outbox.adapters import smtp_wire as wire
from services.outbox.domain.replies import Reply

PIECES = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"..", b"a", b"MAIL FROM:<a@b>", b"\0"]), max_size=30)


def read_back(sent: bytes) -> tuple[bytes, bytes]:
    """What a server takes as the message, and what it would take as commands after it (RFC 5321 section 4.5.2)."""
    lines = sent.split(b"\r\n")
    end = lines.index(b".")
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:end]), b"\r\n".join(lines[end + 1 :])


@settings(max_examples=500, deadline=None)
@given(PIECES.map(b"".join))
@example(b"a\n.\nMAIL FROM:<x@y>")
@example(b"a\r.\r\n.\r\n")
@example(b".")
@example(b"")
def test_one_message_stays_one_message(octets: bytes) -> None:
    sent = wire.content(octets)
    whole = re.sub(rb"\r\n|\r|\n", b"\r\n", octets)
    assert read_back(sent) == (whole if whole.endswith(b"\r\n") else whole + b"\r\n", b"")
    assert b"\r" not in sent.replace(b"\r\n", b"")
    assert b"\n" not in sent.replace(b"\r\n", b"")
    assert sent.count(b"\r\n.\r\n") == (0 if sent == b".\r\n" else 1)


@pytest.mark.parametrize(
    ("code", "text", "reply"),
    [
        (250, "2.0.0 ok", Reply(250, "2.0.0", "ok")),
        (250, "ok", Reply(250, None, "ok")),
        (550, "5.1.1 no\n5.1.1 such user", Reply(550, "5.1.1", "no such user")),
        (550, "5.1.1", Reply(550, "5.1.1", "")),
        (550, "5.1.1x no", Reply(550, None, "5.1.1x no")),
        (550, "9.1.1 no", Reply(550, None, "9.1.1 no")),
        (550, "a\r\n\x00b\udcff", Reply(550, None, "a b?")),
        (550, "x" * 900, Reply(550, None, "x" * 500)),
    ],
)
def test_replies_are_read(code: int, text: str, reply: Reply) -> None:
    assert wire.read_reply(code, text) == reply


@pytest.mark.parametrize(
    "address", ["", "a b@c.d", "a@b.c>", "<a@b.c", "a@b.c\r\nDATA", "a@b.c\n", "a\0@b.c", "a@b.c\t"]
)
def test_what_would_leave_the_command_is_no_address(address: str) -> None:
    assert wire.refusal(address, {"smtputf8": ""}) == wire.NO_ADDRESS


def test_utf8_is_offered_or_refused() -> None:
    assert wire.refusal("ü@b.c", {}) == wire.NEEDS_UTF8
    assert wire.refusal("ü@b.c", {"smtputf8": ""}) is None
    offers = {"smtputf8": "", "8bitmime": "", "size": "99"}
    assert wire.mail_command("a@b.c", ["d@e.f"], 7, offers) == b"MAIL FROM:<a@b.c> SIZE=7\r\n"
    assert wire.mail_command("a@b.c", ["d@e.f"], 7, {}) == b"MAIL FROM:<a@b.c>\r\n"
    utf8 = "MAIL FROM:<a@b.c> SIZE=7 SMTPUTF8 BODY=8BITMIME\r\n"
    assert wire.mail_command("a@b.c", ["ü@e.f"], 7, offers) == utf8.encode()


@pytest.mark.parametrize(("limit", "refused"), [("", False), ("0", False), ("99", True), ("100", False), ("x", False)])
def test_size_is_a_limit_only_where_it_is_one(limit: str, refused: bool) -> None:
    assert wire.too_large(100, {"size": limit}) is refused
    assert not wire.too_large(100, {})
