"""Drafts over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from pydantic import Field

from contracts import limits
from services.gateway.adapters.rest_messages import Resource
from services.gateway.adapters.rest_requests import Body
from services.gateway.domain.draft import Draft

NAMES = 50


class DraftResource(Resource):
    """What the caller is writing under this name; ``at``: when it was kept last."""

    name: str
    fields: Mapping[str, tuple[str, ...]]
    at: datetime

    @classmethod
    def of(cls, draft: Draft) -> Self:
        """What the reader sees of a draft."""
        return cls(name=draft.name, fields=draft.fields, at=draft.at)


class DraftBody(Body):
    """The fields of a form as they stand; without any the draft is forgotten."""

    largest: ClassVar[int] = 8 * limits.MIB
    fields: dict[str, list[str]] = Field(max_length=NAMES)

    def parts(self) -> tuple[Any, ...]:
        """The fields."""
        return ({name: tuple(values) for name, values in self.fields.items()},)
