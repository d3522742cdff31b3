"""From the domain's words to the contract's: a signature, the switches or a refusal, as the event that tells it."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

from contracts.blob import BlobRef
from contracts.event import Event, Trace, event
from contracts.outcome import FieldError, RejectionCode, SignatureChangeRejected
from contracts.signature import (
    SignatureChanged,
    SignatureChangeRequested,
    SignatureMode,
    SignaturePolicyChanged,
    SignaturePolicyChangeRequested,
    SignatureTemplate,
)
from services.signature.domain.signature import Image, Signature, Switches, Template

SOURCE: Final = "signature"
Wish = Event[SignatureChangeRequested] | Event[SignaturePolicyChangeRequested]


def template_of(told: SignatureTemplate) -> Template:
    """The contract's template in the domain's words."""
    return Template(told.mode.value, told.html, told.text)


@lru_cache(maxsize=500)  # every message of an operator names the same one
def told_template(template: Template) -> SignatureTemplate:
    """The domain's template in the contract's words."""
    return SignatureTemplate(mode=SignatureMode(template.mode), html=template.html, text=template.text)


def signature_event(tenant: str, channel_id: str, state: Signature, trace: Trace) -> Event[SignatureChanged]:
    """The signature as it now is; the same state gives the same event id."""
    told = SignatureChanged(
        version=state.version, request_id=state.change.request_id, channel_id=channel_id,
        operator_id=state.operator_id, template=told_template(state.template), changed_by=state.change.by,
        changed_at=state.change.at, images=tuple(map(ref_of, state.images)),
    )  # fmt: skip
    return event(tenant, told, at=state.change.at, source=SOURCE, trace=trace)


def ref_of(image: Image) -> BlobRef:
    """The domain's image in the contract's words."""
    return BlobRef(blob_id=image.blob_id, sha256=image.sha256, size=image.size, media_type=image.media_type)


def switches_event(tenant: str, channel_id: str, state: Switches, trace: Trace) -> Event[SignaturePolicyChanged]:
    """The switches as they now are; they must have been stored once."""
    assert state.change is not None
    told = SignaturePolicyChanged(
        version=state.version, request_id=state.change.request_id, channel_id=channel_id,
        operators_sign=state.operators_sign, default_enabled=state.default_enabled, changed_by=state.change.by,
        changed_at=state.change.at,
    )  # fmt: skip
    return event(tenant, told, at=state.change.at, source=SOURCE, trace=trace)


def refusal_event(
    wish: Wish, code: RejectionCode, detail: str, at: datetime, *,
    errors: tuple[FieldError, ...] = (), current_version: int | None = None,
) -> Event[SignatureChangeRejected]:  # fmt: skip
    """Why a wish was not granted."""
    told = SignatureChangeRejected(
        request_id=wish.data.request_id, channel_id=wish.data.channel_id, code=code, detail=detail, errors=errors,
        current_version=current_version,
    )  # fmt: skip
    return event(wish.tenant, told, at=at, source=SOURCE, trace=wish.trace)
