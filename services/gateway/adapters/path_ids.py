"""The ids in a request's path."""

from __future__ import annotations

from collections.abc import Mapping

from services.gateway.adapters.endpoint import Endpoint, Trait
from services.gateway.adapters.tokens import TENANT, UUID
from services.gateway.domain.refusal import NOT_FOUND, Refused, invalid


def read_ids(endpoint: Endpoint, named: Mapping[str, str]) -> list[str] | Refused:
    """The values by their order; what cannot be an id is unknown, or wrong where the caller chooses it."""
    for name, value in named.items():
        shape = TENANT if name == "tenant_id" else UUID
        if not name.endswith("_id") or shape.fullmatch(value):
            continue
        if Trait.NAMED not in endpoint.traits:
            return NOT_FOUND
        detail = "Letters, digits, dots, underscores and hyphens, at most 64." if shape is TENANT else "A UUID."
        return invalid(name, "invalid", f"{detail} Choose another id.")
    return list(named.values())
