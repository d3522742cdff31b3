"""The list of conversations as open pages are told it: whole at first, then only the rows that differ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.gateway.console.shared import Shared

ROW: Final = re.compile(r'<a class="conv[^>]* id="(row-[0-9a-f-]+)".*?</a>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Listing:
    """One rendering of ``_live_list.html``: ``rows`` by id, and the ``frame`` without them."""

    whole: str
    frame: str
    rows: Mapping[str, str]

    @classmethod
    def of(cls, html: str) -> Listing:
        """Taken apart; a row that is not found stays in the frame, and then the whole list is told when it changes."""
        return cls(html, ROW.sub(r"\1", html), {found[1]: found[0] for found in ROW.finditer(html)})

    def since(self, before: Listing | None) -> str:
        """What a page that shows ``before`` has to be told: rows came, went or moved, or they only changed."""
        if before is None or before.frame != self.frame:
            return self.whole
        changed = (row for row in self.rows if self.rows[row] != before.rows[row])
        return "".join(
            f'<hx-partial hx-target="#{row}" hx-swap="outerMorph">{self.rows[row]}</hx-partial>\n' for row in changed
        )


def marked(html: str, conversation_id: str) -> str:
    """The same with the row of the page's own conversation marked."""
    row = f'id="row-{conversation_id}"'
    return html.replace(row, f'{row} aria-current="true"')


@dataclass(frozen=True, slots=True)
class Alike:
    """What many open pages show alike: lists, and how much waits for each tenant."""

    lists: Shared[Listing] = field(default_factory=Shared)
    counts: Shared[dict[str, int]] = field(default_factory=Shared)
