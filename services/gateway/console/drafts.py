"""What somebody is writing, kept while they type and written into its form again: the console's side.

The page's script sends a form's fields as they stand, with ``over``: which draft (its time) they continue. What could
not be sent in time, because the session had ended or the network had, comes with ``join``: where the same person wrote
elsewhere meanwhile both are kept, and the script is told to show the form anew (205).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.responses import Response

from services.gateway.adapters.problems import STATUS
from services.gateway.console.reading import HEADERS, Reading
from services.gateway.domain.refusal import Refused

FIELD: Final = "f."
"""Before the names of the draft's own fields."""
PUT: Final = "PUT /v1/drafts/{draft_name}"
WRITTEN: Final = ("text", "html")
"""The fields that hold words of one's own; others are choices."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft; ``at`` is empty where there is none."""

    at: str = ""
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def one(self, name: str, default: str = "") -> str:
        """A field with one value."""
        return next(iter(self.fields.get(name, ())), default)


async def read(reading: Reading, name: str) -> Kept:
    """The reader's draft of this name."""
    found = await reading.ask("GET /v1/drafts/{draft_name}", name)
    return Kept() if isinstance(found, Refused) else Kept(found.at.isoformat(), found.fields)


async def forget(reading: Reading, name: str) -> None:
    """The words have been taken."""
    await reading.ask(PUT, name, body={"fields": {}})


async def keep(reading: Reading) -> Response:
    """Kept; says which draft it is now."""
    said, name = reading.form, reading.form.get("draft", "")
    fields = {key[len(FIELD) :]: tuple(values) for key, values in reading.lists.items() if key.startswith(FIELD)}
    stands = await read(reading, name)
    mine, late = fields, said.get("join") and stands.at not in ("", said.get("over"))
    fields = joined(mine, stands.fields) if late else mine
    if fields == stands.fields == mine:
        return Response(stands.at, 200, HEADERS, "text/plain")
    answer = await reading.ask(PUT, name, body={"fields": {key: list(values) for key, values in fields.items()}})
    if isinstance(answer, Refused):
        return Response(status_code=STATUS[answer.code], headers=HEADERS)
    if fields != mine:
        return Response(status_code=205, headers=HEADERS)
    return Response(answer.at.isoformat() if fields else "", 200, HEADERS, "text/plain")


def joined(mine: Mapping[str, tuple[str, ...]], theirs: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Both drafts of one person, written in two places: what stands already comes below, no word is lost."""
    both = {**theirs, **mine}
    for name in WRITTEN:
        above, below = (next(iter(one.get(name, ())), "") for one in (mine, theirs))
        if below not in above:
            both[name] = (below if above in below else f"{above}\n\n{below}",)
    return both
