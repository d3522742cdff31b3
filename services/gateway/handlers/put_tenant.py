"""Make or change a tenant: what the platform enables for an organisation."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.tenant import TenantChanged, TenantChangeRequested
from services.gateway.domain.answers import Granted, Pending
from services.gateway.domain.refusal import NOT_FOUND, Refused
from services.gateway.domain.who import Principal
from services.gateway.handlers.ask_owner import AskOwner
from services.gateway.ports import Tenants
from services.kit.ids import uuid7

PLATFORM = "platform:tenants"


@dataclass(frozen=True, slots=True)
class PutTenant:
    """For the platform's own programs alone."""

    tenants: Tenants
    ask: AskOwner

    async def handle(
        self, who: Principal, tenant: str, name: str, email_enabled: bool, max_channels: int
    ) -> tuple[str, TenantChanged] | Pending | Refused:
        """The tenant as it now is."""
        request_id = str(uuid7())
        wish = TenantChangeRequested(
            request_id=request_id, requested_by=who.sub, name=name, email_enabled=email_enabled,
            max_channels=max_channels,
        )  # fmt: skip
        answer = await self.ask.handle(who, request_id, wish, f"/v1/tenants/{tenant}", tenant)
        if not isinstance(answer, Granted):
            return answer
        found = await self.tenants.at_least(tenant, answer.version)
        return tenant, found

    async def read(self, who: Principal, tenant: str) -> tuple[str, TenantChanged] | Refused:
        """A tenant, for the platform and for itself."""
        if tenant != who.tenant and not who.may(PLATFORM):
            return NOT_FOUND
        found = await self.tenants.get(tenant)
        return (tenant, found) if found else NOT_FOUND
