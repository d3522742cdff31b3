"""List operators, read one, and put one: the gateway owns them."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.event import event
from contracts.operator import OperatorChanged
from services.gateway.domain.page import Cut, Page
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused
from services.gateway.domain.who import Principal
from services.gateway.ports import Now, Operators
from services.kit import tracing
from services.kit.unavailable import Unavailable

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class PutOperator:
    """A put that changes nothing writes nothing."""

    operators: Operators
    clock: Now

    async def handle(
        self, who: Principal, operator_id: str, name: str, email: str | None, active: bool, expected: int | None
    ) -> OperatorChanged | Refused:
        """The operator as they now are; ``expected`` is the version the caller has seen, 0 where there is none."""
        for _ in range(ATTEMPTS):
            before = await self.operators.get(who.tenant, operator_id)
            version = before.version if before else 0
            if expected is not None and expected != version:
                return _mismatch(version)
            after = OperatorChanged(version=version + 1, operator_id=operator_id, name=name, email=email, active=active)
            if before and before.model_copy(update={"version": version + 1}) == after:
                return before
            owed = event(who.tenant, after, at=self.clock.now(), source="gateway", trace=tracing.current())
            if await self.operators.put(owed):
                return after
        raise Unavailable("the operator kept changing")

    async def list(self, who: Principal, cut: Cut) -> Page[OperatorChanged]:
        """All operators of the tenant."""
        return await self.operators.list(who.tenant, cut)

    async def read(self, who: Principal, operator_id: str) -> OperatorChanged | Refused:
        """One operator."""
        return await self.operators.get(who.tenant, operator_id) or NOT_FOUND


def _mismatch(version: int) -> Refused:
    return Refused(
        Code.VERSION_MISMATCH, "Somebody changed this meanwhile. Read it again and repeat your change.", version=version
    )
