"""Lines of text under construction: folded white space, and breaks that are owed until the next word."""

from __future__ import annotations

import re

_MOST_BREAKS = 3


class Lines:
    """Collects words; a break is written only before the next word, so empty elements leave no empty lines."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._owed = 0
        self._space = False
        self._glued = False

    @property
    def open(self) -> bool:
        """Whether the last line has begun and not ended."""
        return bool(self._parts) and not self._owed

    def break_line(self, ends: int) -> None:
        """At least so many line ends before the next word."""
        if self._glued:
            return
        if self._parts and not self._owed and self._parts[-1].endswith("\n"):
            self._parts[-1] = self._parts[-1].rstrip("\n")
        if self._parts and ends > self._owed:
            self._owed = ends
        self._space = False

    def add_break(self) -> None:
        """One more line end."""
        if self._parts:
            self._owed += 1
        self._space = False

    def fold(self, text: str) -> None:
        """Text whose white space means one blank at most."""
        words = " ".join(text.split())
        if words:
            self._space = (self._space or text[0].isspace()) and self.open
            self.put(words)
            self._space = text[-1].isspace()
        elif text:
            self._space = self.open

    def put(self, text: str) -> None:
        """Text exactly as it is."""
        if self._owed:
            self._parts.append("\n" * min(self._owed, _MOST_BREAKS))
            self._owed = 0
        elif self._space and not text.startswith(" ") and not self._parts[-1].endswith(" "):
            self._parts.append(" ")
        self._space = self._glued = False
        self._parts.append(text)

    def put_bullet(self, text: str) -> None:
        """The beginning of a list item, which the first block of the item does not break off."""
        self.put(text)
        self._glued = True

    def mark(self) -> int:
        """A place to ask `since` for."""
        return len(self._parts)

    def since(self, mark: int) -> str:
        """What was written after the mark."""
        return "".join(self._parts[mark:])

    def text(self) -> str:
        """Everything: line ends as LF, no blanks before them, at most two empty lines in a row."""
        whole = "".join(self._parts).replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
        lines = "\n".join(line.rstrip() for line in whole.split("\n"))
        return re.sub(r"\n{4,}", "\n\n\n", lines).strip("\n")
