"""What the peer wrote down becomes transmissions; our Message-IDs name their message without a key."""

from __future__ import annotations

from typing import Any

from contracts.threading import Keyring, mint
from tests.chaos.reading import message_id_of, transmissions
from tests.infra.smtp_peer import Entry

MESSAGE = "01890a5d-ac96-774b-bcce-b302099a8057"
HEADER = mint(
    Keyring("k1", {"k1": b"x" * 32}), tenant="t", channel_id=MESSAGE, message_id=MESSAGE, conversation_id=MESSAGE,
    domain="a.test",
)  # fmt: skip
CONTENT: dict[str, Any] = {"size": 10, "message_id": HEADER, "recipients": ["c@c.test"]}


def entry(n: int, event: str, transmission: int = 1, **fields: object) -> Entry:
    return Entry(n, 100.0 + n, float(n), 1, transmission, event, fields)


def test_reads_the_message_out_of_a_header() -> None:
    assert message_id_of(HEADER) == MESSAGE
    assert message_id_of("<what@ever.test>") == ""


def test_a_whole_transmission() -> None:
    events = [entry(1, "data", recipients=["c@c.test"]), entry(2, "content", **CONTENT)]
    (taken,) = transmissions([*events, entry(3, "answered", code=250, sent=True, **CONTENT)])
    assert (taken.message_id, taken.accepted, taken.in_doubt) == (MESSAGE, True, False)
    assert (taken.began_at, taken.ended_at, taken.answered_at) == (101.0, 102.0, 103.0)


def test_a_reply_kept_back_is_in_doubt_and_a_cut_is_not() -> None:
    never = entry(3, "answered", code=0, sent=False, **CONTENT)
    cut = entry(4, "partial", transmission=2, **CONTENT)
    doubt, partial = transmissions([never, cut])
    assert (doubt.in_doubt, doubt.accepted) == (True, False)
    assert (partial.complete, partial.in_doubt) == (False, False)


def test_no_octet_is_no_transmission() -> None:
    assert transmissions([entry(1, "connected", 0), entry(2, "partial", **{**CONTENT, "size": 0})]) == []
