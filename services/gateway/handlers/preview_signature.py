"""Preview a signature with the code that composes messages."""

from __future__ import annotations

from dataclasses import dataclass

from contracts import limits
from contracts.signature import SignatureTemplate
from services.gateway.domain.refusal import NOT_FOUND, Refused, invalid
from services.gateway.domain.who import Principal
from services.gateway.ports import Channels, Files, Operators, Preview, Previews, Tenants
from services.kit.images import ENDINGS
from services.kit.rendering import UNKNOWN_IMAGE


@dataclass(frozen=True, slots=True)
class PreviewSignature:
    """The signature as a message would carry it."""

    channels: Channels
    operators: Operators
    tenants: Tenants
    previews: Previews
    files: Files

    async def handle(
        self, who: Principal, channel_id: str, template: SignatureTemplate, operator_id: str | None,
        client: tuple[str, str],
    ) -> Preview | Refused:  # fmt: skip
        """``client`` is the example's name and address."""
        channel = await self.channels.get(who.tenant, channel_id)
        if channel is None or channel.removed:
            return NOT_FOUND
        operator_id = operator_id or who.operator
        operator = await self.operators.get(who.tenant, operator_id) if operator_id else None
        if operator_id and operator is None:
            return invalid("operator_id", "unknown", "There is no such operator.")
        tenant = await self.tenants.get(who.tenant)
        variables = {
            "operator_name": operator.name if operator else "",
            "operator_email": (operator.email if operator else None) or "",
            "channel_name": channel.settings.name, "channel_address": channel.settings.address,
            "client_name": client[0], "client_address": client[1], "tenant_name": tenant.name if tenant else "",
        }  # fmt: skip
        shown = await self.previews.render(template, variables)
        return shown if isinstance(shown, Refused) else await self._whole(who, shown)

    async def _whole(self, who: Principal, shown: Preview) -> Preview | Refused:
        """The preview, if every image in it is there; one of another tenant is as unknown as one that never was."""
        for blob_id in shown.images:
            file = await self.files.find(who.tenant, blob_id)
            if file is None or file.media_type not in ENDINGS or file.size > limits.SIGNATURE_IMAGE:
                return invalid("template.html", UNKNOWN_IMAGE.code, UNKNOWN_IMAGE.reason)
        return shown
