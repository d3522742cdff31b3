"""From the domain's words to the contract's: a state, or a refusal, as the event that tells it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Final

from contracts.channel import ChannelChanged, ChannelSettings, Credentials, SealedSecret
from contracts.event import Event, Trace, event
from contracts.outcome import ChannelChangeRejected, FieldError, RejectionCode
from contracts.tenant import TenantChanged
from services.config.domain.channel import Channel, Secret
from services.config.domain.outcome import Refusal
from services.config.domain.tenant import Tenant

SOURCE: Final = "config"


def channel_event(tenant: str, channel: Channel, trace: Trace) -> Event[ChannelChanged]:
    """The channel as it now is; the same state gives the same event id."""
    settings = {**channel.settings.rest, "imap": asdict(channel.settings.imap), "smtp": asdict(channel.settings.smtp)}
    told = ChannelChanged(
        version=channel.version, request_id=channel.request_id, channel_id=channel.channel_id,
        settings=ChannelSettings.model_validate(settings), removed=channel.removed,
        credentials=Credentials(imap=_sealed(channel.secrets.imap), smtp=_sealed(channel.secrets.smtp)),
        created_at=channel.created_at, changed_at=channel.changed_at, reconnect_seq=channel.reconnect_seq,
    )  # fmt: skip
    return event(tenant, told, at=channel.changed_at, source=SOURCE, trace=trace)


def tenant_event(tenant: str, state: Tenant, at: datetime, trace: Trace) -> Event[TenantChanged]:
    """The tenant as it now is."""
    told = TenantChanged(
        version=state.version, request_id=state.request_id, name=state.name, email_enabled=state.email_enabled,
        max_channels=state.max_channels,
    )  # fmt: skip
    return event(tenant, told, at=at, source=SOURCE, trace=trace)


def refusal_event(
    tenant: str, request_id: str, channel_id: str, refusal: Refusal, at: datetime, trace: Trace
) -> Event[ChannelChangeRejected]:
    """Why a wish was not granted."""
    told = ChannelChangeRejected(
        request_id=request_id, channel_id=channel_id, code=RejectionCode(refusal.code), detail=refusal.detail,
        errors=tuple(FieldError(**asdict(fault)) for fault in refusal.faults), current_version=refusal.current_version,
    )  # fmt: skip
    return event(tenant, told, at=at, source=SOURCE, trace=trace)


def _sealed(secret: Secret | None) -> SealedSecret | None:
    return SealedSecret(jwe=secret.jwe, sealed_version=secret.sealed_version) if secret else None
