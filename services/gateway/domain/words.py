"""Search by the beginnings of words, without case and accents: *joao* finds João, *pedido 12* finds "Pedido 1234"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

MOST: Final = 60
LENGTH: Final = 64
ASKED: Final = 8
_WORD: Final = re.compile(r"[^\W_]+")
_SPACE: Final = re.compile(r"[\s,;<>\"()]+")


def words_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The words by which these texts are found: each word, and an address also whole; at most 60."""
    found: dict[str, None] = {}
    for text in texts:
        plain = _plain(text[:2_000])
        found.update((one[:LENGTH], None) for one in _SPACE.split(plain) if "@" in one)
        found.update((one[:LENGTH], None) for one in _WORD.findall(plain))
    return tuple(found)[:MOST]


def asked_words(query: str) -> tuple[str, ...]:
    """The words a search names; a result has, for each, a word that begins like it."""
    found: list[str] = []
    for one in _SPACE.split(_plain(query[:500])):
        found += [one[:LENGTH]] if "@" in one.strip("@") else (word[:LENGTH] for word in _WORD.findall(one))
    return tuple(dict.fromkeys(one for one in found if one))[:ASKED]


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    return "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))
