"""What is wrong with a body, field by field."""

from __future__ import annotations

from pydantic import ValidationError

from services.gateway.domain.refusal import Code, Fault, Refused, invalid_fields


def refusal_of(error: ValidationError) -> Refused:
    """What is wrong, without a word of what was sent."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if any(one["type"] == "json_invalid" for one in found):
        return Refused(Code.MALFORMED, "The body is no JSON text. Check quotes, commas and the encoding (UTF-8).")
    return invalid_fields([_fault(".".join(map(str, one["loc"])) or "body", one["type"], one["msg"]) for one in found])


def _fault(name: str, kind: str, said: str) -> Fault:
    if kind == "extra_forbidden":
        return Fault(name, "unknown_field", "This field is not known here. Take it out.")
    return Fault(name, kind, said.removeprefix("Value error, "))
