"""The mails of the inbound benches: small ones of 1.7 KB and mixed ones of 19 KB (HTML mostly, some attachments)."""

from __future__ import annotations

import base64
import random

_WORDS = [
    "the",
    "order",
    "we",
    "spoke",
    "about",
    "is",
    "on",
    "its",
    "way",
    "and",
    "will",
    "be",
    "with",
    "you",
    "by",
    "Friday",
]
_ATTACHED = (None, None, None, ("image/png", "logo.png"), None, ("application/pdf", "offer.pdf"))


def small(number: int) -> bytes:
    """1.7 KB of text."""
    return _head(number, "text/plain; charset=utf-8") + _text(number, 1300).encode()


def mixed(number: int) -> bytes:
    """19 KB in the mean: one in four plain, the others with HTML beside the text, one in three with an attachment."""
    chance = random.Random(number)
    if number % 4 == 0:
        return _head(number, "text/plain; charset=utf-8") + _text(number, 9000).encode()
    text = _text(number, chance.randrange(2000, 4600))
    html = _page(text.splitlines())
    parts = [("text/plain; charset=utf-8", "", text), ("text/html; charset=utf-8", "", html)]
    body = _multipart("alternative", parts, f"alt{number}")
    attached = _ATTACHED[number % len(_ATTACHED)]
    if attached is None:
        return _head(number, f'multipart/alternative; boundary="alt{number}"') + body.encode()
    octets = base64.encodebytes(chance.randbytes(12_000)).decode().replace("\n", "\r\n")
    extra = f'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="{attached[1]}"\r\n'
    whole = _multipart(
        "mixed",
        [(f'multipart/alternative; boundary="alt{number}"', "", body), (attached[0], extra, octets)],
        f"m{number}",
    )
    return _head(number, f'multipart/mixed; boundary="m{number}"') + whole.encode()


def _page(lines: list[str]) -> str:
    """A page as newsletters and mail clients write it: a table of paragraphs with some style, a link now and then."""
    rows = []
    for place in range(0, len(lines), 2):
        link = " <a href='https://shop.test/order'>Your order</a>" if place % 6 == 0 else ""
        text = "\r\n".join(lines[place : place + 2])
        rows.append(f"<tr><td style='padding:8px 0'><p style='margin:0'>{text}{link}</p></td></tr>")
    head = "<html><head><style>p { color: #333 }</style></head><body><table width='600'>"
    return head + "\r\n".join(rows * 2) + "</table></body></html>"


def _head(number: int, kind: str) -> bytes:
    lines = (
        f"Return-Path: <client{number}@client.test>",
        f"Received: from mx.client.test by mail.test with ESMTP id {number}; Tue, 24 Nov 2026 14:02:54 +0000",
        f"From: Client {number} <client{number}@client.test>",
        "To: The Desk <desk@mail.test>",
        f"Subject: About order {number}",
        "Date: Tue, 24 Nov 2026 14:02:54 +0000",
        f"Message-ID: <{number}.{random.getrandbits(60)}@client.test>",
        "MIME-Version: 1.0",
        f"Content-Type: {kind}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _text(number: int, size: int) -> str:
    chance = random.Random(number)
    lines: list[str] = []
    while sum(map(len, lines)) < size:
        lines.append(" ".join(chance.choices(_WORDS, k=12)))
    return "\r\n".join(lines) + "\r\n"


def _multipart(kind: str, parts: list[tuple[str, str, str]], boundary: str) -> str:
    pieces = [f"--{boundary}\r\nContent-Type: {kind}\r\n{extra}\r\n{body}\r\n" for kind, extra, body in parts]
    return "".join(pieces) + f"--{boundary}--\r\n"
