"""The operator's guide says what the console says, in both languages, and every picture it shows is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contracts.channel_status import ConnectionReason
from contracts.outbound import FailureReason
from services.gateway.console.catalogue import LANGUAGES, words

DOCS = Path(__file__).parents[3] / "docs"
STATES = (
    "accepted", "queued", "due", "deferred", "committed", "cancelling", "sent", "partial", "failed", "interrupted",
    "parked", "marked", "bounced",
)  # fmt: skip
VIEWS = ("all", "unread", "mine", "clock", "attention", "hidden")
SAID = (
    "act.interrupt", "eye.stop", "act.bringback", "act.edit", "act.again", "act.mark", "talk.attended", "aside.title",
    "original", "hide", "images.show", "quote", "start", "s.just", "s.write", "a.first", "a.add", "c.reconnect",
    "x.copy", "x.support", "f.undo", "g.preview", "g.ops", "g.common", "nav.accounts",
    "nav.settings", "g.var", "nav.people", "pp.add", "pp.id", "pp.active",
)  # fmt: skip
NO_FAILURE = {ConnectionReason.NONE, ConnectionReason.NOT_WATCHED, ConnectionReason.REMOVED}
SILENT = NO_FAILURE | {ConnectionReason.SETTINGS_CHANGED}
VALUE = re.compile(r"\{[a-z]+\}")


def guide(language: str) -> str:
    """The guide on one line."""
    return " ".join((DOCS / f"operators-guide.{language}.md").read_text().split())


def missing(language: str, keys: list[str]) -> list[str]:
    """Words of the catalogue that the guide does not say, whatever their values."""
    text, said = guide(language), words(language)
    parts = {key: [" ".join(part.split()) for part in VALUE.split(said(key))] for key in keys}
    return [key for key, each in parts.items() if not all(part in text for part in each)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_view_and_button_is_named_as_on_the_page(language: str) -> None:
    keys = [f"st.{one}" for one in STATES] + [f"nav.{one}" for one in VIEWS] + list(SAID)
    assert not missing(language, keys)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_stands_with_its_next_step(language: str) -> None:
    waits = ["server_busy", "greylisted", "connection_lost", "channel_paused"]
    keys = [f"why.{one}" for one in ConnectionReason if one not in SILENT]
    keys += [f"r.{one}" for one in [*FailureReason, *waits]]
    assert not missing(language, keys)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_picture_is_there_and_all_are_shown(language: str) -> None:
    shown = set(re.findall(r"\]\((pictures/[^)]+)\)", guide(language)))
    there = {str(path.relative_to(DOCS)) for path in (DOCS / "pictures" / language).glob("*.png")}
    assert shown == there
    assert sum(path.stat().st_size for path in DOCS.glob("pictures/*/*.png")) < 2_000_000
