"""The people of the demonstration desk, for the local stack alone: whoever opens the page may be any of them."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.gateway.console.http_ask import ask


class Person(BaseModel):
    """One of them; ``scope`` is what a token for them allows."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    role: Literal["operator", "supervisor", "admin"]
    tenant: str
    operator: str
    scope: str


async def token_of(person: Person, url: str) -> str:
    """A token from the local issuer's ``POST /token``; raises Unavailable."""
    asked = {"tenant": person.tenant, "scope": person.scope, "sub": person.id, "operator": person.operator}
    return str((await ask(url, json.dumps(asked).encode())).get("access_token", ""))
