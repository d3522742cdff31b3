"""What the child says arrives as it was said, and nothing else is believed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.ingest.adapters.parsed_frames import packed, unpacked
from services.ingest.domain.parsed import Address, Attached, Bounce, Failure, Parsed, Trail

FULL = Parsed(
    internet_message_id="<a@b>",
    in_reply_to=("<c@d>",),
    references=("<c@d>", "<e@f>"),
    date=datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC),
    sender=Address("ana@example.com", "Ana Lúcia"),
    reply_to=(Address("r@example.com"),),
    to=(Address("b@example.com"), Address("c@example.com", "C")),
    cc=(Address("d@example.com"),),
    subject="Grüße",
    text="text\n",
    html="<p>ü</p>",
    new_part="",
    remote_images=2,
    attachments=(
        Attached("a.pdf", "application/pdf", b"\x00\xff", "cid", inline=True),
        Attached("b", "text/csv", b""),
    ),
    auto="bounce",
    bounce=Bounce((Failure("x@y", "failed", "5.1.1", "no"),), "<g@h>", ("<i@j>",), ("<k@l>",)),
    trail=Trail("auto-replied", "bulk", "<list>", "", ("a@b",), ("c@d",), 3),
    replaced_chars=4,
    truncated=("html", "text"),
)


@pytest.mark.parametrize("parsed", [FULL, Parsed()])
def test_there_and_back(parsed: Parsed) -> None:
    assert unpacked(packed(parsed)) == parsed


def test_half_a_character_does_not_break_the_frame() -> None:
    assert unpacked(packed(Parsed(text="a\ud800", subject="b\udfff"))) == Parsed(text="a?", subject="b?")


@pytest.mark.parametrize("frames", [b"", b"\0\0\0\x02{}", b"\0\0\0\x02{}x", packed(FULL)[:-1], packed(FULL) + b"x"])
def test_broken_frames_are_refused(frames: bytes) -> None:
    import struct

    with pytest.raises((ValueError, KeyError, struct.error)):
        unpacked(frames)
