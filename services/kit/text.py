"""Plain text from HTML, for mails and signatures that come without any: what a reader would see, line by line.

Works on the tokens (`html_tokens.TOKEN`) and builds no tree, so it is linear in the input, however deep that is nested.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from services.kit.html_prepared import prepared
from services.kit.html_tokens import TOKEN
from services.kit.text_lines import Lines

LONGEST = 1 << 20
_ONE = (
    "address article aside center dd details dir div dt figcaption figure footer header hgroup hr li main menu nav "
    "section tr caption"
)
_TWO = "p h1 h2 h3 h4 h5 h6 table pre blockquote ul ol dl"
_BLOCKS = dict.fromkeys(_ONE.split(), 1) | dict.fromkeys(_TWO.split(), 2)
"""Line ends before and after a block's text."""
_HIDDEN = frozenset(["x-svg", "x-math", "x-template", "x-script", "x-style", "x-title"])
_VALUE = r"""[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:"([^"]*+)"?|'([^']*+)'?|([^\t\n\f\r >]++))"""
_ATTRIBUTE = re.compile(rf"([^\t\n\f\r />][^\t\n\f\r />=]*+)(?>(?:{_VALUE})?)")
_LINK = re.compile(r"(?:https?://|mailto:|tel:)\S", re.IGNORECASE)
_PREFIX = re.compile(r"^(?:https?://|mailto:|tel:)|/$", re.IGNORECASE)


def to_text(html: str) -> str:
    """The text: line breaks for blocks, `- ` or numbers for list items, ` | ` between cells, links as `text (address)`.

    Raises `TooLarge` above 1 MiB.
    """
    pieces = TOKEN.split(prepared(html, LONGEST))
    writer = _Writer()
    writer.write(pieces[0])
    for at in range(1, len(pieces), 4):
        closing, name, attributes, text = pieces[at : at + 4]
        if name:
            writer.tag(name.lower(), closing, attributes)
        if text:
            writer.write(text)
    return writer.lines.text()


class _Writer:
    """Turns tags and text into lines."""

    def __init__(self) -> None:
        self.lines = Lines()
        self._hidden = ""
        self._preformatted = 0
        self._just_opened = False
        self._lists: list[int] = []  # the next number of each open list, 0 for bullets
        self._cells: list[int] = []  # cells so far in the open row of each open table
        self._link: tuple[str, int] | None = None

    def write(self, text: str) -> None:
        """Text as it stands between two tags."""
        if self._hidden:
            return
        if "&" in text:
            text = unescape(text)
        if self._preformatted:
            self.lines.put(text.removeprefix("\n") if self._just_opened else text)
            self._just_opened = False
        else:
            self.lines.fold(text)

    def tag(self, name: str, closing: str, attributes: str) -> None:
        """A start or end tag, name in lower case."""
        if self._hidden or name in _HIDDEN:
            self._hidden = "" if closing and name == self._hidden else self._hidden or name
            return
        if name in _BLOCKS:
            inside_list = bool(self._lists) and name != "p"
            self.lines.break_line(1 if inside_list else _BLOCKS[name])
        handle = (_END if closing else _START).get(name)
        if handle:
            handle(self, attributes)

    def start_list(self, first: int) -> None:
        """`<ul>` (0) or `<ol>` (1)."""
        self._lists.append(first)

    def end_list(self) -> None:
        """`</ul>`, `</ol>`; an empty line follows the outermost."""
        if self._lists:
            self._lists.pop()
        if not self._lists:
            self.lines.break_line(2)

    def item(self) -> None:
        """`<li>`: its bullet or number, indented by the depth of the list."""
        number = self._lists[-1] if self._lists else 0
        self.lines.put_bullet("  " * min(len(self._lists) - 1, 8) + (f"{number}. " if number else "- "))
        if number:
            self._lists[-1] += 1

    def row(self) -> None:
        """`<tr>`."""
        if self._cells:
            self._cells[-1] = 0

    def cell(self) -> None:
        """`<td>`, `<th>`: a bar before every one but the first of a row, where they stand on one line."""
        if self._cells and self._cells[-1] and self.lines.open:
            self.lines.put(" | ")
        if self._cells:
            self._cells[-1] += 1

    def table(self, change: int) -> None:
        """`<table>` (1) or `</table>` (-1)."""
        if change > 0:
            self._cells.append(0)
        elif self._cells:
            self._cells.pop()

    def rule(self) -> None:
        """`<hr>`."""
        self.lines.put("----")
        self.lines.break_line(1)

    def preformat(self, change: int) -> None:
        """`<pre>` (1) or `</pre>` (-1)."""
        self._preformatted = max(0, self._preformatted + change)
        self._just_opened = change > 0  # the line end after <pre> is not shown

    def start_link(self, attributes: str) -> None:
        """`<a>`; links do not nest, a new one ends the one before."""
        self.end_link()
        address = _attribute(attributes, "href").strip()
        if _LINK.match(address):
            self._link = address, self.lines.mark()

    def end_link(self) -> None:
        """`</a>`: the address in brackets, unless it is what was shown."""
        if self._link:
            address, mark = self._link
            self._link = None
            shown = self.lines.since(mark).strip()
            if _PREFIX.sub("", address).lower() != _PREFIX.sub("", shown).lower():
                self.lines.put(f" ({address})" if shown else address)


def _attribute(attributes: str, wanted: str) -> str:
    for name, *values in _ATTRIBUTE.findall(attributes):
        if name.lower() == wanted:
            return " ".join(unescape("".join(values)).split())
    return ""


_Handler = Callable[[_Writer, str], None]
_START: dict[str, _Handler] = {
    "br": lambda writer, _: writer.lines.add_break(),
    "hr": lambda writer, _: writer.rule(),
    "a": lambda writer, attributes: writer.start_link(attributes),
    "img": lambda writer, attributes: writer.lines.fold(_attribute(attributes, "alt")),
    "ul": lambda writer, _: writer.start_list(0),
    "ol": lambda writer, _: writer.start_list(1),
    "li": lambda writer, _: writer.item(),
    "table": lambda writer, _: writer.table(1),
    "tr": lambda writer, _: writer.row(),
    "td": lambda writer, _: writer.cell(),
    "th": lambda writer, _: writer.cell(),
    "pre": lambda writer, _: writer.preformat(1),
}
_END: dict[str, _Handler] = {
    "a": lambda writer, _: writer.end_link(),
    "ul": lambda writer, _: writer.end_list(),
    "ol": lambda writer, _: writer.end_list(),
    "table": lambda writer, _: writer.table(-1),
    "pre": lambda writer, _: writer.preformat(-1),
}
