"""A whole mail read: from its octets to a `Parsed`, with the foreign code (sanitiser, bounce detectors) handed in.

Linear in the size of the mail and within the limits of its parts; never raises for what a mail is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from services.ingest.domain.mail_addresses import MOST, addresses
from services.ingest.domain.mail_bodies import Bodies, bodies
from services.ingest.domain.mail_charset import REPLACEMENT
from services.ingest.domain.mail_headers import Headers
from services.ingest.domain.mail_html import as_html, shown_inside
from services.ingest.domain.mail_ids import date_of, message_id, message_ids
from services.ingest.domain.mail_kind import auto, suspected_bounce, trail
from services.ingest.domain.mail_parts import Tree, cut
from services.ingest.domain.mail_reply import new_part
from services.ingest.domain.mail_report import explained, failed_recipients, report_in, with_returned
from services.ingest.domain.parsed import Address, Attached, Bounce, Failure, Parsed

SUBJECT_LENGTH = 1_000
HTML_OCTETS = 1 << 20
_LOOK = 65_536


@dataclass(frozen=True, slots=True)
class Tools:
    """The foreign code: `clean` gives safe HTML and its remote images, None where it is too much; `to_text` its text.

    `bounced` finds the recipients of a delivery report in prose.
    """

    clean: Callable[[str], tuple[str, int] | None]
    to_text: Callable[[str], str]
    bounced: Callable[[bytes], Sequence[Failure]]


def read(octets: bytes, tools: Tools) -> Parsed:
    """What the mail says."""
    octets = _with_newlines(octets)
    tree = cut(octets)
    headers = tree.headers
    found = bodies(octets, tree)
    text, html, remote = _shown(found, tools)
    sender = _addresses(headers, "from", found) or _addresses(headers, "sender", found)
    bounce = _bounce(octets, tree, sender[0].address if sender else "", text or "", tools)
    way = trail(headers)
    subject = headers.text("subject")[:SUBJECT_LENGTH]
    return Parsed(
        internet_message_id=message_id(headers.first("message-id")),
        in_reply_to=message_ids(headers.first("in-reply-to")),
        references=message_ids(headers.first("references")),
        date=date_of(headers.first("date")),
        sender=sender[0] if sender else None,
        reply_to=_addresses(headers, "reply-to", found),
        to=_addresses(headers, "to", found),
        cc=_addresses(headers, "cc", found),
        subject=subject,
        text=text,
        html=html,
        new_part=new_part(text) if text else None,
        remote_images=remote,
        attachments=_attachments(found, html),
        auto=auto(headers, way, tree.kind, bounced=bounce is not None),
        bounce=bounce,
        trail=way,
        replaced_chars=sum(each.count(REPLACEMENT) for each in (text, html, subject) if each and not each.isascii()),
        truncated=tuple(sorted(found.truncated)),
    )


def _with_newlines(octets: bytes) -> bytes:
    """A mail whose lines end in CR alone gets line ends; a CR elsewhere is a character of its line."""
    if b"\n" in octets[:_LOOK] or b"\r" not in octets[:_LOOK]:
        return octets
    return octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _addresses(headers: Headers, name: str, found: Bodies) -> tuple[Address, ...]:
    """Of all fields of that name, for some mailers repeat them."""
    every: list[Address] = []
    for value in headers.each(name):
        some, full = addresses(value)
        every += some
        if full or len(every) > MOST:
            found.truncated.add("addresses")
            break
    return tuple(every[:MOST])


def _shown(found: Bodies, tools: Tools) -> tuple[str | None, str | None, int]:
    """The text and the safe HTML of the whole body; each side is made from the other where a slot lacks it."""
    texts = ["\n".join(slot.text) or _text_of(slot.html, found, tools) for slot in found.slots]
    html, remote = _html(found, texts, tools)
    text = "\n".join(each for each in texts if each)
    return text if found.slots else None, html, remote


def _text_of(html: list[str], found: Bodies, tools: Tools) -> str:
    return tools.to_text(_fitting("".join(html), found)) if html else ""


def _html(found: Bodies, texts: list[str], tools: Tools) -> tuple[str | None, int]:
    if not any(slot.html for slot in found.slots):
        return None, 0
    slots = zip(found.slots, texts, strict=True)
    sides = "".join("".join(slot.html) if slot.html else as_html(text) for slot, text in slots)
    cleaned = tools.clean(_fitting(sides, found))
    if cleaned is None:
        found.truncated.add("html")
        return None, 0
    return cleaned


def _fitting(html: str, found: Bodies) -> str:
    """As much of it as the sanitiser takes."""
    if len(html) * 4 <= HTML_OCTETS or len(octets := html.encode("utf-8", "replace")) <= HTML_OCTETS:
        return html
    found.truncated.add("html")
    return octets[:HTML_OCTETS].decode("utf-8", "ignore")


def _attachments(found: Bodies, html: str | None) -> tuple[Attached, ...]:
    shown = shown_inside(html)
    if not shown:
        return tuple(found.attachments)
    return tuple(
        replace(each, inline=True) if each.content_id and each.content_id in shown else each
        for each in found.attachments
    )


def _bounce(octets: bytes, tree: Tree, sender: str, text: str, tools: Tools) -> Bounce | None:
    """By RFC 3464, else by Exim's field, else by the detectors, where the mail looks like a report at all."""
    reported = report_in(octets, tree)
    if reported is not None and reported.recipients:
        return reported
    if reported is None and not suspected_bounce(tree.headers, sender):
        return None
    failures = failed_recipients(tree.headers) or tuple(tools.bounced(octets))
    return with_returned(octets, tree, explained(failures, text), text)
