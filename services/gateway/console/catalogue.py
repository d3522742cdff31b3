"""The console's words in both languages, from checked catalogues; a missing word is an error, never an empty label."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("en", "pt-BR")
FOLDER: Final = Path(__file__).parent / "catalogues"


class Words:
    """One language; ``t("st.queued", t="0:09")`` gives the sentence."""

    def __init__(self, language: str, words: Mapping[str, str]) -> None:
        self.language = language
        self._words = words

    def __call__(self, key: str, **values: object) -> str:
        """The word with its values filled in; raises KeyError where it is missing."""
        word = self._words[key]
        for name, value in values.items():
            word = word.replace(f"{{{name}}}", str(value))
        return word

    def known(self, key: str) -> bool:
        """Whether there is such a word: codes of later versions have none."""
        return key in self._words

    def one_of(self, family: str, code: str | None, **values: object) -> str:
        """The word ``family.code``, or ``family.other`` with the code for one that is not known here."""
        key = f"{family}.{code}"
        return self(key, **values) if key in self._words else self(f"{family}.other", r=code or "")


@cache
def words(language: str) -> Words:
    """The catalogue of this language."""
    return Words(language, json.loads((FOLDER / f"{language}.json").read_text()))


def chosen(cookie: str | None, accepted: str) -> str:
    """The reader's language: their own choice, else the first of ``Accept-Language`` that we have, else English."""
    if cookie in LANGUAGES:
        return str(cookie)
    for part in accepted.split(","):
        tag = part.split(";")[0].strip().lower()
        if tag.startswith("pt"):
            return "pt-BR"
        if tag.startswith("en"):
            return "en"
    return "en"
