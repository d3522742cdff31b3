"""Hostile mails, made here: each is legal enough to be delivered and costs a naive parser its life."""

from __future__ import annotations

import base64
from collections.abc import Callable

_MIME = b"MIME-Version: 1.0\r\n"


def mail(headers: bytes = b"", body: bytes = b"hello\r\n") -> bytes:
    """A small mail around what is hostile."""
    top = b"From: a@example.org\r\n"
    if b"To:" not in headers:
        top += b"To: b@example.net\r\n"
    if b"Subject:" not in headers:
        top += b"Subject: s\r\n"
    return top + headers + b"\r\n" + body


def text(charset: bytes, body: bytes, kind: bytes = b"text/plain") -> bytes:
    """One body in a charset."""
    return mail(_MIME + b"Content-Type: " + kind + b"; charset=" + charset + b"\r\n", body)


def html(body: bytes) -> bytes:
    """An HTML body."""
    return text(b"utf-8", body, b"text/html")


def _nested(levels: int) -> bytes:
    top = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(levels)
    )
    return mail(_MIME + top[: top.index(b"\r\n") + 2], top[top.index(b"\r\n") + 4 :] + b"\r\ndeep\r\n")


def _forwarded(levels: int) -> bytes:
    return mail(_MIME + b"Content-Type: message/rfc822\r\n", b"Content-Type: message/rfc822\r\n\r\n" * levels + b"x")


def _parts(count: int, kind: bytes = b"mixed") -> bytes:
    return mail(
        _MIME + b"Content-Type: multipart/" + kind + b"; boundary=b\r\n",
        b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" * count + b"--b--\r\n",
    )


def _within(field: bytes, value: bytes) -> bytes:
    return mail(field + b": " + value + b"\r\n")


def _params(value: bytes) -> bytes:
    return mail(_MIME + b"Content-Type: application/x-a" + value + b"\r\n")


def _report(block: bytes) -> bytes:
    return mail(
        _MIME + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
        b"--b\r\n\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n" + block + b"\r\n--b--\r\n",
    )


def _daemon(body: bytes) -> bytes:
    return b"From: MAILER-DAEMON@example.org\r\nSubject: failure notice\r\nReturn-Path: <>\r\n\r\n" + body


SHAPES: dict[str, Callable[[], bytes]] = {
    "20,000 quotes in To": lambda: _within(b"To", b'"' * 20_000),
    "20,000 escaped quotes in To": lambda: _within(b"To", b'"\\' * 20_000),
    "quotes in 1,000 To": lambda: mail((b"To: " + b'"\\' * 100 + b" <a@b.example>\r\n") * 999),
    "50,000 commas": lambda: _within(b"To", b"," * 50_000),
    "50,000 commas folded": lambda: _within(b"To", b",\r\n " * 50_000),
    "10,000 recipients": lambda: _within(b"To", b", ".join(b"u%d@example.org" % n for n in range(10_000))),
    "10,000 recipients in 200 Cc": lambda: mail(
        b"".join(b"Cc: " + b",".join(b"u%d.%d@example.org" % (m, n) for n in range(50)) + b"\r\n" for m in range(200))
    ),
    "20,000 open comments in From": lambda: _within(b"Reply-To", b"(" * 20_000),
    "20,000 angles in To": lambda: _within(b"To", b"<" * 20_000),
    "20,000 groups in To": lambda: _within(b"To", b"a:b," * 5_000),
    "30,000 spaces in To": lambda: _within(b"To", b"a" + b" " * 30_000 + b"b"),
    "100,000 headers": lambda: mail(b"".join(b"X-%d: y\r\n" % n for n in range(100_000))),
    "one header of 5 MB": lambda: _within(b"X-Long", b"y" * 5_000_000),
    "one header of 100,000 folds": lambda: _within(b"References", b"<a@b>\r\n " * 100_000),
    "no end of headers in 5 MB": lambda: b"Subject: x\r\n" + b"X: y\r\n" * 800_000,
    "100,000 parts": lambda: _parts(100_000),
    "100,000 alternatives": lambda: _parts(100_000, b"alternative"),
    "100,000 delimiters and nothing else": lambda: mail(
        _MIME + b"Content-Type: multipart/mixed; boundary=b\r\n", b"--b\r\n" * 100_000
    ),
    "nesting 2,000": lambda: _nested(2_000),
    "nesting 2,000 forwarded": lambda: _forwarded(2_000),
    "nesting 2,000 with one boundary": lambda: _nested(2_000).replace(b"boundary=b", b"boundary=b; x="),
    "a boundary of 10,000": lambda: mail(_MIME + b"Content-Type: multipart/mixed; boundary=" + b"b" * 10_000 + b"\r\n"),
    "Message-ID: <<<<": lambda: _within(b"Message-ID", b"<" * 10_000),
    "Message-ID without end": lambda: _within(b"Message-ID", b"<a@b" * 4_000),
    "References of 100,000": lambda: _within(b"References", b" ".join(b"<%d@x>" % n for n in range(100_000))),
    "20,000 RFC 2231 parts": lambda: _params(b"".join(b";\r\n name*%d*=a%%20" % n for n in range(20_000))),
    "20,000 parameters": lambda: _params(b"".join(b"; p%d=1" % n for n in range(20_000))),
    "20,000 semicolons": lambda: _params(b";" * 20_000),
    "20,000 quotes in a parameter": lambda: _params(b"; name=" + b'"\\' * 8_000),
    "100,000 nested div": lambda: html(b"<div>" * 100_000),
    "100,000 nested b in p": lambda: html(b"<p><b><i><font>" * 30_000),
    "50,000 attributes": lambda: html(b"<a " + b" ".join(b"a%d=1" % n for n in range(50_000)) + b">"),
    "an open comment of 900 kB": lambda: html(b"<!--" * 225_000),
    "900 kB of <": lambda: html(b"<" * 900_000),
    "10 MB of HTML": lambda: html(b"<p>paragraph <img src='http://example.org/a.gif'></p>\r\n" * 190_000),
    "100,000 table cells": lambda: html(b"<table><tr>" + b"<td>x" * 100_000),
    "encoded newline in Subject": lambda: _within(b"Subject", b"=?utf-8?Q?Hi=0D=0ABcc:_evil@example.org?="),
    "10,000 encoded words": lambda: _within(b"Subject", b"=?utf-8?Q?a?= " * 10_000),
    "encoded words without end": lambda: _within(b"Subject", b"=?utf-8?Q?" * 1_600),
    "lying charset": lambda: text(b"utf-8", "Gr\u00fc\u00dfe aus M\u00fcnchen".encode("latin-1")),
    "punycode of 1 MB": lambda: text(b"punycode", b"a-" * 500_000),
    "idna of 1 MB": lambda: text(b"idna", b"xn--a" * 200_000),
    "zip as charset": lambda: text(b"zip", b"x"),
    "unicode_escape as charset": lambda: text(b"unicode_escape", b"\\ud800\\x00"),
    "UTF-7": lambda: text(b"utf-7", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-", b"text/html"),
    "UTF-7 halves of characters": lambda: text(b"utf-7", b"+2AA- and +3AA-" * 1_000),
    "bare CR": lambda: mail(b"X-A: b\rBcc: evil@example.org\r\n", b"one\rtwo\r\rthree"),
    "CR alone": lambda: b"From: a@example.org\rSubject: s\r\rline one\rline two\r",
    "NUL": lambda: mail(b"Subject: a\0b\r\n", b"x\0y\0" * 10_000),
    "20 MB line": lambda: mail(b"", b"a" * 20_000_000),
    "20 MB of blank lines": lambda: mail(b"", b"\r\n" * 10_000_000),
    "20 MB of quoted-printable": lambda: mail(b"Content-Transfer-Encoding: quoted-printable\r\n", b"=3D" * 6_600_000),
    "20 MB of > lines": lambda: mail(b"", b"> a\r\nb\r\n" * 2_500_000),
    "10,000 lines that say who wrote": lambda: mail(b"", b"On 2025-11-03 a@b wrote\r\nx:\r\n" * 10_000),
    "100,000 colons": lambda: mail(b"", b"From: a: b:\r\n" * 100_000),
    "base64 that is none": lambda: mail(b"Content-Transfer-Encoding: base64\r\n", b"=A" * 1_000_000),
    "a report with 50,000 recipients": lambda: _report(
        b"Reporting-MTA: dns; x\r\n\r\n" + b"Final-Recipient: rfc822; a@b\r\n\r\n" * 50_000
    ),
    "a report of one line of 1 MB": lambda: _report(b"Final-Recipient: rfc822; " + b"<" * 1_000_000),
    "prose of a daemon, one line": lambda: _daemon(b"a@" * 200_000),
    "prose of a daemon, spaces": lambda: _daemon((b" " * 490 + b"\r\n") * 2_000),
    "prose of a daemon, nested": lambda: _daemon(b"x").replace(b"\r\n\r\n", b"\r\n") + _nested(500),
    "nothing": lambda: b"",
    "one newline": lambda: b"\r\n",
    "all octets": lambda: bytes(range(256)) * 1_000,
    "50 MB in one attachment": lambda: mail(
        _MIME + b"Content-Type: application/pdf; name=x.pdf\r\nContent-Transfer-Encoding: base64\r\n",
        base64.encodebytes(bytes(36_500_000)),
    ),
}  # fmt: skip
