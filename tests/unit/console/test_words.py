"""Both catalogues hold the same words with the same values, and every word a page asks for is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contracts.channel_status import ConnectionReason, ConnectionState
from contracts.outbound import FailureReason
from contracts.signature import Why
from services.gateway.console import catalogue
from services.gateway.console.catalogue import LANGUAGES, chosen, words
from services.gateway.domain.conversation import View
from services.gateway.domain.message import Status
from services.gateway.domain.refusal import Code

FOLDER = Path(catalogue.__file__).parent
EN, PT = (words(one) for one in LANGUAGES)
ASKED = re.compile(r"""\b(?:t|words|reading\.words)\(\s*["']([a-z0-9_.-]+)["'](?!\s*~)""")
STATES = (
    "accepted", "queued", "due", "deferred", "committed", "cancelling", "sent", "partial", "failed", "interrupted",
    "parked", "marked", "bounced",
)  # fmt: skip
SOURCES = [*FOLDER.glob("*.py"), *(FOLDER / "templates").glob("*.html")]


def values(word: str) -> set[str]:
    """The values a word takes."""
    return set(re.findall(r"(?<!\{)\{([a-z]+)\}", word))


def test_both_languages_have_the_same_words() -> None:
    assert EN._words.keys() == PT._words.keys()


@pytest.mark.parametrize("key", sorted(EN._words))
def test_both_take_the_same_values(key: str) -> None:
    assert EN(key).strip()
    assert PT(key).strip()
    assert values(EN(key)) == values(PT(key))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_word_a_page_asks_for_is_there(path: Path) -> None:
    missing = [key for key in ASKED.findall(path.read_text()) if not EN.known(key)]
    assert not missing


def test_every_code_has_its_sentence() -> None:
    needed = [f"st.{one}" for one in STATES]
    needed += [f"st.{one}.d" for one in ("accepted", "queued", "due", "committed", "cancelling", "parked")]
    needed += [f"status.{one}" for one in Status]
    needed += [f"r.{one}" for one in FailureReason]
    needed += [f"c.{one}" for one in ConnectionState]
    needed += [f"why.{one}" for one in ConnectionReason]
    needed += [f"{family}.{one}" for one in Why for family in ("g.why", "g.w")]
    needed += [
        f"{family}.{one}"
        for one in Why
        if one not in (Why.OTHER, Why.RENDER_FAILED, Why.IMAGE_MISSING)
        for family in ("w.sig", "g.is")
    ]
    needed += [f"{key}{one}{end}" for one in View for key, end in (("nav.", ""), ("e.", ""), ("e.", ".d"))]
    needed += [f"aside.{one}" for one in ("too_large", "other")]
    rendering = ("syntax", "unknown_variable", "too_large", "too_slow", "failed", "remote_image", "too_many_images")
    needed += [f"g.fault.{one}" for one in (*rendering, "unknown_image")]
    server_only = {Code.MALFORMED, Code.UNAUTHENTICATED, Code.METHOD_NOT_ALLOWED, Code.TOO_LATE, Code.INTERNAL}
    needed += [f"fault.{one}" for one in Code if one not in server_only]
    assert not [key for key in needed if not EN.known(key)]


def test_no_word_is_left_that_no_page_says() -> None:
    said = "\n".join(path.read_text() for path in SOURCES)
    families = "st r c why fault g.why g.is g.w g.fault w.sig n e nav x role aside status"
    made_up = tuple(f"{family}." for family in families.split())
    plain = [key for key in EN._words if not key.startswith(made_up)]
    assert not [key for key in plain if f"'{key}'" not in said and f'"{key}"' not in said]


def test_an_unknown_code_is_named_not_lost() -> None:
    assert EN.one_of("why", "brand_new") == "The server gave a reason we don't know: brand_new"


def test_a_missing_word_is_an_error() -> None:
    with pytest.raises(KeyError):
        EN("no.such.word")


@pytest.mark.parametrize(
    ("cookie", "accepted", "expected"),
    [
        (None, "pt-BR,pt;q=0.9", "pt-BR"), (None, "de, pt-PT;q=0.8", "pt-BR"), (None, "de", "en"), (None, "", "en"),
        ("pt-BR", "en", "pt-BR"), ("xx", "en-GB", "en"),
    ],
)  # fmt: skip
def test_the_reader_chooses_the_language(cookie: str | None, accepted: str, expected: str) -> None:
    assert chosen(cookie, accepted) == expected
