"""Delivery reports (RFC 3464, 6533): whom they speak of, and which mail they return."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from services.ingest.domain.mail_addresses import addresses
from services.ingest.domain.mail_charset import one_line
from services.ingest.domain.mail_headers import Headers, read_headers
from services.ingest.domain.mail_ids import message_id, message_ids
from services.ingest.domain.mail_parts import Leaf, Tree
from services.ingest.domain.mail_transfer import octets_of
from services.ingest.domain.parsed import Bounce, Failure

MOST_RECIPIENTS = 100
DIAGNOSTIC_LENGTH = 500
_LOOK = 64 << 10
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_RETURNED_ID = re.compile(r"^[> \t]{0,10}Message-ID:[ \t]{0,10}(?:\n[ \t]{0,10})?(<[^<>\s]{1,998}>)", re.I | re.M)
_REPORTS = frozenset(["message/delivery-status", "message/global-delivery-status"])
_RETURNED = frozenset(["message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"])
_NAMES_IT = ("x-original-message-id", "original-message-id")
_ACTIONS = frozenset(["failed", "delayed", "delivered", "relayed", "expanded"])


def report_in(octets: bytes, tree: Tree) -> Bounce | None:
    """What a report by RFC 3464 says; None where the mail has no such part."""
    reports = [leaf for leaf in tree.leaves if leaf.kind.value in _REPORTS]
    if not reports:
        return None
    blocks = [block for leaf in reports[:10] for block in _blocks(_content(octets, leaf))]
    failures = islice((failure for block in blocks if (failure := _failure(block))), MOST_RECIPIENTS)
    found = with_returned(octets, tree, tuple(failures))
    return found if found.internet_message_id else replace(found, internet_message_id=_named(blocks))


def with_returned(octets: bytes, tree: Tree, failures: tuple[Failure, ...], text: str = "") -> Bounce:
    """The bounce with the ids of the returned mail: of its headers, else as the text quotes them, else none."""
    for leaf in tree.leaves:
        if leaf.kind.value in _RETURNED:
            headers, _ = read_headers(_content(octets, leaf))
            if "message-id" in headers.fields:
                return Bounce(
                    failures,
                    message_id(headers.first("message-id")),
                    message_ids(headers.first("in-reply-to")),
                    message_ids(headers.first("references")),
                )
    quoted = _RETURNED_ID.search(text[:_LOOK])
    return Bounce(failures, quoted[1] if quoted else None)


def _content(octets: bytes, leaf: Leaf) -> bytes:
    content = octets[leaf.start : min(leaf.end, leaf.start + _LOOK)]
    return octets_of(content, leaf.headers.first("content-transfer-encoding")).lstrip(b"\r\n")


def _blocks(content: bytes) -> Iterator[Headers]:
    """The first speaks of the mail, each other one of a recipient (RFC 3464 section 2.1)."""
    blocks = content.replace(b"\r\n", b"\n").split(b"\n\n")
    some = islice((block for block in blocks if block.strip()), MOST_RECIPIENTS + 10)
    return (read_headers(block.strip(b"\n") + b"\n\n")[0] for block in some)


def _named(blocks: Sequence[Headers]) -> str | None:
    """The Message-ID of the mail as large providers name it in a report that returns nothing."""
    values = (headers.first(name) for headers in blocks for name in _NAMES_IT)
    return next((found for value in values if (found := message_id(value))), None)


def _failure(headers: Headers) -> Failure | None:
    """The original recipient before the final one: it is the address that was written to."""
    address = _typed(headers.text("original-recipient")) or _typed(headers.text("final-recipient"))
    if not address:
        return None
    action = headers.text("action").partition(" ")[0].strip(";").lower()
    status = _STATUS.search(headers.text("status"))
    diagnostic = headers.text("diagnostic-code")
    kind, typed, text = diagnostic.partition(";")
    diagnostic = (text if typed and " " not in kind.strip() else diagnostic).strip()[:DIAGNOSTIC_LENGTH]
    return Failure(
        address, action if action in _ACTIONS else "failed", status[1] if status else None, diagnostic or None
    )


def _typed(value: str) -> str:
    """`rfc822; ana@example.com` (RFC 3464 section 2.3.2), the address perhaps as xtext (RFC 3461 section 4)."""
    kind, typed, address = value.partition(";")
    if typed and kind.strip().lower() not in ("rfc822", "utf-8", "unknown", "smtp"):
        return ""
    address = address if typed else value
    found = addresses(address.strip())[0]
    if not found or "@" not in found[0].address:
        return ""
    text = found[0].address
    return one_line(_XTEXT.sub(_character, text)) if typed and kind.strip().lower() == "utf-8" else text


def _character(code: re.Match[str]) -> str:
    return chr(int(code[1], 16))


def failed_recipients(headers: Headers) -> tuple[Failure, ...]:
    """Exim's own field for a report without RFC 3464."""
    found = [each for value in headers.each("x-failed-recipients")[:20] for each in addresses(value)[0]]
    return tuple(Failure(each.address) for each in found[:MOST_RECIPIENTS] if "@" in each.address)


def explained(failures: tuple[Failure, ...], text: str) -> tuple[Failure, ...]:
    """Gives recipients found in prose the status that the text names near them, else the only one it names."""
    shown = text[:_LOOK]
    every = dict.fromkeys(_STATUS.findall(shown))
    return tuple(_explained(each, shown, next(iter(every)) if len(every) == 1 else None) for each in failures)


def _explained(failure: Failure, text: str, only: str | None) -> Failure:
    at = text.lower().find(failure.address.lower())
    near = _STATUS.search(text[at : at + 600]) if at >= 0 else None
    status = near[1] if near else only
    delayed = failure.action == "delayed" or (status or "").startswith("4.")
    return Failure(failure.address, "delayed" if delayed else failure.action, status, failure.diagnostic)
