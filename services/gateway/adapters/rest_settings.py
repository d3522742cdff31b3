"""Tenants, operators, signatures and requests as people and programs read them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from contracts.operator import OperatorChanged
from contracts.signature import SignatureChanged, SignaturePolicyChanged
from contracts.tenant import TenantChanged
from services.gateway.adapters.cursors import cursor_of
from services.gateway.adapters.problems import Problem
from services.gateway.adapters.rest_messages import Resource
from services.gateway.domain.answers import Pending
from services.gateway.domain.page import Page
from services.gateway.ports import Preview, Signed, Wish
from services.kit.images import content_id


class TenantResource(Resource):
    """What the platform enables for an organisation."""

    tenant_id: str
    name: str
    email_enabled: bool
    max_channels: int
    version: int

    @classmethod
    def of(cls, named: tuple[str, TenantChanged]) -> Self:
        """What the reader sees of a tenant."""
        return cls(tenant_id=named[0], **named[1].model_dump(exclude={"request_id"}))


class OperatorResource(Resource):
    """A person who writes for the tenant."""

    operator_id: str
    name: str
    email: str | None
    active: bool
    version: int

    @classmethod
    def of(cls, operator: OperatorChanged) -> Self:
        """What the reader sees of an operator."""
        return cls(**operator.model_dump())


class OperatorPage(Resource):
    """Operators in order of id."""

    items: tuple[OperatorResource, ...]
    next: str | None

    @classmethod
    def of(cls, page: Page[OperatorChanged]) -> Self:
        """What the reader sees of the list."""
        return cls(items=tuple(map(OperatorResource.of, page.items)), next=cursor_of(page.after))


class SignatureResource(Resource):
    """A signature; ``operator_id`` is null for the default one.

    Its HTML shows an uploaded image (``/v1/uploads?purpose=signature_image``) by ``<img src="blob:{blob_id}">``.
    """

    operator_id: str | None
    mode: str
    html: str
    text: str
    changed_by: str
    changed_at: datetime
    version: int

    @classmethod
    def of(cls, signature: SignatureChanged) -> Self:
        """What the reader sees of a signature."""
        fields: dict[str, Any] = signature.template.model_dump(mode="json")
        names = ("operator_id", "changed_by", "changed_at", "version")
        return cls(**fields, **{name: getattr(signature, name) for name in names})


class PolicyResource(Resource):
    """The two switches; version 0 where nobody has turned them yet."""

    operators_sign: bool
    default_enabled: bool
    version: int

    @classmethod
    def of(cls, policy: SignaturePolicyChanged | None) -> Self:
        """What the reader sees of the switches."""
        if policy is None:
            return cls(operators_sign=True, default_enabled=True, version=0)
        return cls.model_validate(policy)


class SignaturesResource(Resource):
    """Everything a channel has of signatures; If-Match takes the ``version`` of the part that is put."""

    policy: PolicyResource
    default: SignatureResource | None
    operators: tuple[SignatureResource, ...]

    @classmethod
    def of(cls, signed: Signed) -> Self:
        """What the reader sees of a channel's signatures."""
        default = SignatureResource.of(signed.default) if signed.default else None
        operators = tuple(map(SignatureResource.of, signed.operators))
        return cls(policy=PolicyResource.of(signed.policy), default=default, operators=operators)


class ShownImageResource(Resource):
    """An image that HTML shows by ``cid:`` and its content id; its octets are under ``/v1/blobs/{blob_id}``."""

    content_id: str
    blob_id: str


class PreviewResource(Resource):
    """A signature as a message would carry it, with the images its HTML shows."""

    html: str
    text: str
    images: tuple[ShownImageResource, ...]

    @classmethod
    def of(cls, preview: Preview) -> Self:
        """What the reader sees of a preview."""
        images = (ShownImageResource(content_id=content_id(one), blob_id=one) for one in preview.images)
        return cls(html=preview.html, text=preview.text, images=tuple(images))


class RequestResource(Resource):
    """How a settings change stands: pending, granted or refused (then with the problem)."""

    request_id: str
    state: str
    resource: str
    version: int | None
    problem: Problem | None

    @classmethod
    def of(cls, wish: Wish | Pending) -> Self:
        """What the reader sees of a wish."""
        if isinstance(wish, Pending):
            return cls(request_id=wish.request_id, state="pending", resource=wish.what, version=None, problem=None)
        state = "granted" if wish.granted is not None else "refused" if wish.refused else "pending"
        problem = Problem.of(wish.refused) if wish.refused else None
        return cls(request_id=wish.request_id, state=state, resource=wish.what, version=wish.granted, problem=problem)
