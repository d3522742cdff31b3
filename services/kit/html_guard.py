"""Is this HTML safe to give to a parser? Answered in linear time, before any parser sees it.

HTML parsers are quadratic in the depth of open elements (100,000 nested `<div>` held nh3 for 225 s in one native call),
in the formatting elements they re-open in each paragraph, and in the attributes of one tag. So the input is tokenised
here exactly as the HTML standard says (section 13.2.5), the stack of open elements is followed (13.2.6.4.7), and what
would cost too much is refused.

To keep the states few, awkward elements are renamed first (`html_prepared`). The stack here is never shallower than the
parser's: an end tag counts only where the standard makes it surely effective.
"""

from __future__ import annotations

from services.kit.html_prepared import TooLarge, prepared
from services.kit.html_tokens import ATTRIBUTES, TOKEN

__all__ = ["MAX_DEPTH", "TooDeep", "TooLarge", "depth", "guarded", "looked_through", "prepared"]

MAX_DEPTH = 256
MAX_WORK = 300_000
MAX_ATTRIBUTES = 200


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_IGNORED = _words(
    "area base basefont bgsound br col embed hr img image link meta param source track wbr html head body "
    "tbody thead tfoot tr colgroup"
)
_NO_DEPTH = _IGNORED | {""}
_FORMATTING = _words("a b big code em font i nobr s small strike strong tt u")
_CELLS = _words("td th caption")
_SCOPE = _CELLS | {"table"}
_ITEMS = {"li": _words("li"), "dd": _words("dd dt"), "dt": _words("dd dt")}
_WEIGHTLESS = _words("p")  # nests only through others, which are counted; left open in most mails
_SPECIAL = (
    _SCOPE
    | _words("p li dd dt")
    | _words(
        "address article aside blockquote center details dir div dl figcaption figure footer h header hgroup listing"
    )
    | _words("main menu nav ol pre section summary ul")
)
_P, _TABLE = _words("p"), _words("table")
_STOPS_ITEMS = _SPECIAL - {"address", "div", "p"}
_BARRIERS: dict[str, frozenset[str]] = dict.fromkeys(_SPECIAL, _SCOPE) | {
    "table": frozenset(),
    "td": _TABLE,
    "th": _TABLE,
    "caption": _TABLE,
    "li": _SCOPE | {"ol", "ul"},
}
"""What stops an end tag from reaching its element; for elements not listed, any special one does."""
_KNOWN = {f"{h}{level}": "h" for h in "hH" for level in range(1, 7)}  # any heading's end tag closes any heading
_MOST_BLOCKS = 4  # the adoption agency gives up after 8 blocks and leaves the formatting element open


class TooDeep(ValueError):
    """Nested too deeply, or in another way more work for a parser than it is worth."""


def guarded(html: str, size: int) -> str:
    """The HTML as it may be given to a parser, `prepared`; raises `TooLarge` or `TooDeep`."""
    return looked_through(html, size)[0]


def looked_through(html: str, size: int) -> tuple[str, list[tuple[str, str, str]]]:
    """The same, and its tags as `TOKEN` finds them."""
    text = prepared(html, size)
    tags = TOKEN.findall(text)
    if not _tidy(tags):
        _depth(tags)
    return text, tags


def _tidy(tags: list[tuple[str, str, str]]) -> bool:
    """So few tags, or so well nested, that they are surely not too much; none has room for too many attributes. Where
    each end tag closes what was opened last, no parser's stack is deeper than this one: it closes more by itself."""
    stack: list[str] = []
    deepest, few = 0, len(tags) <= MAX_DEPTH
    for closing, name, attributes in tags:
        if len(attributes) > 2 * MAX_ATTRIBUTES:
            return False
        if few or name in _NO_DEPTH:
            continue
        if not closing:
            stack.append(name)
            deepest = max(deepest, len(stack))
        elif not stack or stack.pop() != name:
            return False
    return deepest <= MAX_DEPTH and len(tags) * 2 * (deepest + 1) <= MAX_WORK


def depth(html: str) -> int:
    """An upper bound of the depth of counted elements; raises `TooDeep` above `MAX_DEPTH` and for too much work."""
    return _depth(TOKEN.findall(html))


def _depth(tags: list[tuple[str, str, str]]) -> int:
    stack = _Stack()
    for closing, name, attributes in tags:
        if not name:
            continue
        if len(attributes) > MAX_ATTRIBUTES and len(ATTRIBUTES.findall(attributes)) > MAX_ATTRIBUTES:
            raise TooDeep("too many attributes in one tag")
        name = _KNOWN.get(name) or name.lower()
        if name in _IGNORED:
            stack.work += stack.formatting
        elif closing:
            stack.close(name)
        else:
            stack.open(name)
        if stack.weight > MAX_DEPTH or stack.work > MAX_WORK:
            raise TooDeep("nested too deeply" if stack.weight > MAX_DEPTH else "too much work")
    return stack.deepest


class _Stack:
    """The open elements, oldest first, as the parser holds them or more."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.formatting = self.weight = self.deepest = self.work = 0

    def open(self, name: str) -> None:
        if name == "p":
            self._remove(_P, _SCOPE)
        elif name in _ITEMS:
            self._remove(_ITEMS[name], _STOPS_ITEMS)
        elif name in _CELLS:
            self._remove(_CELLS, _TABLE)
        self.names.append(name)
        if name in _FORMATTING:
            self.formatting += 1
        if name not in _WEIGHTLESS:
            self.weight += 1
            if self.weight > self.deepest:
                self.deepest = self.weight
        self.work += self.formatting

    def close(self, name: str) -> None:
        if self.names and self.names[-1] == name:
            self._take(-1)
        elif name in _FORMATTING:
            self._remove(frozenset([name]), _SCOPE, most_blocks=_MOST_BLOCKS)
        else:
            self._remove(frozenset([name]), _BARRIERS.get(name, _SPECIAL))
        self.work += self.formatting

    def _remove(self, wanted: frozenset[str], barrier: frozenset[str], most_blocks: int = MAX_DEPTH * 4) -> None:
        """Take out the nearest of the wanted, unless a barrier stands above it; never more than that one."""
        names, blocks = self.names, 0
        for at in range(len(names) - 1, -1, -1):
            name = names[at]
            if name in wanted:
                self._take(at)
                break
            blocks += name in _SPECIAL
            if name in barrier or blocks > most_blocks:
                break
            self.work += 1

    def _take(self, at: int) -> None:
        name = self.names.pop(at)
        if name in _FORMATTING:
            self.formatting -= 1
        if name not in _WEIGHTLESS:
            self.weight -= 1
