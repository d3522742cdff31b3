"""People: who writes for the desk; add somebody, change a name or an address, say that somebody has left."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from services.gateway.console.beside import nav
from services.gateway.console.reading import Reading
from services.gateway.domain.refusal import Refused
from services.kit.ids import uuid7

NOBODY: Final = {"operator_id": "", "name": "", "email": "", "active": True, "version": 0}


async def show(reading: Reading, status: int = 200, **typed: Any) -> Response:
    """Everybody, one unfolds to a form; ``typed`` is what was refused, by its ``operator_id``."""
    found = await reading.need("GET /v1/operators", query={"limit": "200"})
    people = sorted(found.items, key=lambda one: (not one.active, one.name.casefold()))
    shown = {"faults": {}, "refused": None, "typed": None, **typed}
    return reading.html("people.html", status, **await nav(reading), people=people, nobody=NOBODY, **shown)


async def save(reading: Reading) -> Response:
    """Puts the person; refused, what was typed stays with what is wrong."""
    said = reading.form
    operator_id, version = said.get("operator_id") or "", said.get("version") or "0"
    fields = {"name": said.get("name", "").strip(), "email": said.get("email", "").strip(), "active": "active" in said}
    body = {**fields, "email": fields["email"] or None}
    answer = await reading.ask(
        "PUT /v1/operators/{operator_id}", operator_id or str(uuid7()), body=body, version=version
    )
    if isinstance(answer, Refused):
        faults = {one.field: reading.words.one_of("fault", one.code) for one in answer.faults}
        typed = {**fields, "operator_id": operator_id, "version": answer.version or version}
        return await show(reading, 422, typed=typed, faults=faults, refused=None if faults else answer)
    return reading.away(f"/settings/people?saved={answer.operator_id}")
