"""A `Parsed` as octets between the child and its parent; what comes back is data, never code.

Four octets of length and a JSON object, then the large things as they are: text, HTML, new part, then each attachment;
their lengths are in the object (-1 for None).
"""

from __future__ import annotations

import json
import struct
from datetime import datetime
from typing import TYPE_CHECKING, Any

from services.ingest.domain.parsed import Address, Attached, Bounce, Failure, Parsed, Trail

if TYPE_CHECKING:  # the child, which packs, does without them
    from services.ingest.ports import Hold
    from services.kit.child_stream import Answer

_JSON = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
_LENGTH = struct.Struct(">I")
_SMALL = 64 * 1024
_HERE = 1 << 20
"""Of a large mail, so much of what is attached stays in this process."""


def packed(parsed: Parsed) -> bytes:
    """In frames; a half of a character, which no decoder should let through, becomes `?`."""
    bodies = [None if each is None else each.encode("utf-8", "replace") for each in _bodies(parsed)]
    blobs = [each.octets for each in parsed.attachments]
    head = {
        "sizes": [-1 if each is None else len(each) for each in bodies],
        "attachments": [(a.file_name, a.media_type, len(a.octets), a.content_id, a.inline) for a in parsed.attachments],
        "ids": (parsed.internet_message_id, parsed.in_reply_to, parsed.references),
        "date": None if parsed.date is None else parsed.date.isoformat(),
        "who": [_people(each) for each in ((parsed.sender,) if parsed.sender else (), *_lists(parsed))],
        "rest": (parsed.subject, parsed.remote_images, parsed.auto, parsed.replaced_chars, parsed.truncated),
        "trail": _trail(parsed.trail),
    }
    if parsed.bounce:
        head["bounce"] = _bounce(parsed.bounce)
    content = _JSON.encode(head).encode("utf-8", "replace")
    return b"".join([_LENGTH.pack(len(content)), content, *(each for each in bodies if each), *blobs])


async def streamed(answer: Answer, hold: Hold) -> Parsed:
    """A `Parsed` as it comes out of the child: what is large is held as it comes. Raises as `unpacked` does."""
    head: dict[str, Any] = json.loads(await answer.exactly(_LENGTH.unpack(await answer.exactly(4))[0]))
    bodies = [None if size < 0 else str(await answer.exactly(size), "utf-8") for size in head["sizes"]]
    attachments, here = [], 0
    for name, media_type, size, content_id, inline in head["attachments"]:
        if size > _SMALL or here + size > _HERE:
            it = Attached(name, media_type, b"", content_id, inline, await hold(answer.pieces(size)))
        else:
            it, here = Attached(name, media_type, await answer.exactly(size), content_id, inline), here + size
        attachments.append(it)
    if answer.left:
        raise ValueError("frames do not add up")
    return _parsed(head, bodies, tuple(attachments))


def unpacked(frames: bytes) -> Parsed:
    """Back again; raises ValueError, KeyError, IndexError or TypeError for what `packed` did not write."""
    view = memoryview(frames)
    at = 4 + _LENGTH.unpack_from(frames)[0]
    head: dict[str, Any] = json.loads(frames[4:at])
    bodies: list[str | None] = []
    for size in head["sizes"]:
        bodies.append(None if size < 0 else str(view[at : at + size], "utf-8"))
        at += max(0, size)
    attachments = []
    for name, media_type, size, content_id, inline in head["attachments"]:
        attachments.append(Attached(name, media_type, bytes(view[at : at + size]), content_id, inline))
        at += size
    if at != len(frames):
        raise ValueError("frames do not add up")
    return _parsed(head, bodies, tuple(attachments))


def _parsed(head: dict[str, Any], bodies: list[str | None], attachments: tuple[Attached, ...]) -> Parsed:
    sender, reply_to, to, cc = (tuple(Address(*each) for each in people) for people in head["who"])
    message_id, in_reply_to, references = head["ids"]
    subject, remote_images, auto, replaced, truncated = head["rest"]
    text, html, new_part = bodies
    return Parsed(
        internet_message_id=message_id,
        in_reply_to=tuple(in_reply_to),
        references=tuple(references),
        date=datetime.fromisoformat(head["date"]) if head["date"] else None,
        sender=sender[0] if sender else None,
        reply_to=reply_to,
        to=to,
        cc=cc,
        subject=subject,
        text=text,
        html=html,
        new_part=new_part,
        remote_images=remote_images,
        attachments=attachments,
        auto=auto,
        bounce=_bounce_from(head["bounce"]) if "bounce" in head else None,
        trail=_trail_from(head["trail"]),
        replaced_chars=replaced,
        truncated=tuple(truncated),
    )


def _bodies(parsed: Parsed) -> tuple[str | None, ...]:
    return parsed.text, parsed.html, parsed.new_part


def _lists(parsed: Parsed) -> tuple[tuple[Address, ...], ...]:
    return parsed.reply_to, parsed.to, parsed.cc


def _people(people: tuple[Address, ...]) -> list[tuple[str, str]]:
    return [(each.address, each.name) for each in people]


def _trail(way: Trail) -> tuple[Any, ...]:
    return way.auto_submitted, way.precedence, way.list_id, way.return_path, way.delivered_to, way.loops, way.hops


def _trail_from(packed_trail: list[Any]) -> Trail:
    auto_submitted, precedence, list_id, return_path, delivered_to, loops, hops = packed_trail
    return Trail(auto_submitted, precedence, list_id, return_path, tuple(delivered_to), tuple(loops), hops)


def _bounce(bounce: Bounce) -> tuple[Any, ...]:
    failures = [(each.address, each.action, each.status, each.diagnostic) for each in bounce.recipients]
    return failures, bounce.internet_message_id, bounce.in_reply_to, bounce.references


def _bounce_from(packed_bounce: list[Any]) -> Bounce:
    failures, message_id, in_reply_to, references = packed_bounce
    return Bounce(tuple(Failure(*each) for each in failures), message_id, tuple(in_reply_to), tuple(references))
