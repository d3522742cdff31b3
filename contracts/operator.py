"""The operator: a person who writes for the tenant."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from contracts import limits
from contracts.addresses import Address, HeaderText
from contracts.payload import Id, Payload


class OperatorChanged(Payload):
    """The operator as they now are."""

    aggregate: ClassVar[str] = "operator"
    operator_id: Id
    name: HeaderText = Field(max_length=limits.NAME_LENGTH)
    email: Address | None = None
    active: bool = True

    def key(self) -> str:
        """One record per operator."""
        return self.operator_id
