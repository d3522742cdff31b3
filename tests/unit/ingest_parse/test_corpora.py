"""Real and awkward mails, as public projects publish them: none raises, none is slow, none reads worse than by stdlib.

The folders are not part of the repository: `MALOTE_CORPORA` names one or more (`:` between them), else `corpora` of the
folder `shared` beside the checkout is taken; the tests are skipped, and say so, where there is neither. The standard
library's own samples are added where they are installed.
"""

from __future__ import annotations

import os
import time
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from services.ingest.adapters.child_parser import CPU_SECONDS, ChildParser, pool
from services.ingest.domain.parsed import Parsed
from tests.unit.ingest_parse.reading import parsed

_BESIDE = Path(__file__).parents[4] / "shared" / "corpora"
_STDLIB = Path(os.__file__).parent / "test" / "test_email" / "data"
_NO_MAIL = (".md", ".py", ".png", ".gif", ".au", ".golden", ".js", ".json")
_MOST_WORSE = 0.05
"""Of the mails whose From or subject differ from the standard library's reading; those looked at were better."""


def folders() -> list[Path]:
    """The folders there are."""
    named = os.environ.get("MALOTE_CORPORA")
    found = [Path(each) for each in named.split(":")] if named else [_BESIDE]
    return [each for each in [*found, _STDLIB] if each.is_dir()]


def mails() -> list[Path]:
    """Every file that is a mail."""
    every = sorted(path for folder in folders() for path in folder.rglob("*") if path.is_file())
    skipped = ("readme", "licen", "copying")
    return [path for path in every if path.suffix not in _NO_MAIL and not path.name.lower().startswith(skipped)]


MAILS = mails()
pytestmark = pytest.mark.skipif(len(MAILS) < 50, reason=f"no corpora: {len(MAILS)} mails in {folders()}")


@pytest.fixture(autouse=True)
def _said(capsys: pytest.CaptureFixture[str]) -> None:
    """On which mails a green test ran must be seen."""
    with capsys.disabled():
        print(f"[{len(MAILS)} mails of {', '.join(each.name for each in folders())}]", end="")


async def test_every_mail_is_read_in_time() -> None:
    parser = ChildParser(pool(size=1))
    try:
        unread, worst = [], 0.0
        for path in MAILS:
            before = time.monotonic()
            if not isinstance(await parser.parse(path.read_bytes()), Parsed):
                unread.append(path.name)
            worst = max(worst, time.monotonic() - before)
        assert len(unread) <= 0.002 * len(MAILS), unread
        assert worst < CPU_SECONDS
    finally:
        await parser.close()


def test_none_raises_and_no_text_is_unfit_for_an_event() -> None:
    for path in MAILS:
        mail = parsed(path.read_bytes())
        people = [*mail.to, *mail.cc, *mail.reply_to, *([mail.sender] if mail.sender else [])]
        for line in [mail.subject, *(each.name for each in people), *(each.address for each in people)]:
            assert not set(line) & {"\r", "\n", "\0"}, path
        for shown in (mail.text or "", mail.html or "", mail.new_part or "", mail.subject):
            shown.encode()  # no halves of characters
            assert "\0" not in shown


def test_it_reads_no_worse_than_the_standard_library() -> None:
    """Where stdlib's modern parser does not raise: From, subject and text, white space aside."""
    differ: dict[str, list[str]] = {"from": [], "subject": [], "text": []}
    for path in MAILS:
        octets = path.read_bytes()
        mine = parsed(octets)
        for name, theirs in _theirs(octets).items():
            ours = {
                "from": mine.sender.address if mine.sender else "",
                "subject": mine.subject,
                "text": mine.text or "",
            }[name]
            if " ".join(theirs.split()) not in " ".join(ours.split()):
                differ[name].append(path.name)
    assert all(len(each) <= _MOST_WORSE * len(MAILS) for each in differ.values()), differ


def _theirs(octets: bytes) -> dict[str, str]:
    try:
        message = message_from_bytes(octets, policy=policy.default)
        senders = message["from"].addresses if message["from"] else ()
        body = message.get_body(("plain",))
        return {
            "from": senders[0].addr_spec if senders and senders[0].domain else "",
            "subject": str(message["subject"] or ""),
            "text": str(body.get_content()) if body else "",
        }
    except Exception:  # it does, on some
        return {}
