"""The tenant: what the platform enables for an organisation that owns channels."""

from __future__ import annotations

from typing import ClassVar

from contracts.payload import Id, Payload


class TenantChangeRequested(Payload):
    """A wish of the platform: make or change a tenant."""

    aggregate: ClassVar[str] = "tenant-request"
    request_id: Id
    requested_by: str
    name: str
    email_enabled: bool
    max_channels: int

    def key(self) -> str:
        """Requests of one tenant keep their order."""
        return "tenant"

    def identity(self) -> str:
        """One wish, one id."""
        return self.request_id


class TenantChanged(Payload):
    """The tenant as it now is; the tenant's id is the event's ``ce_tenantid``."""

    aggregate: ClassVar[str] = "tenant"
    request_id: Id
    name: str
    email_enabled: bool
    max_channels: int

    def key(self) -> str:
        """One record per tenant."""
        return "tenant"
