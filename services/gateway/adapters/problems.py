"""Refusals as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

from typing import Final, Self

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from services.gateway.domain.refusal import Code, Refused

MEDIA_TYPE: Final = "application/problem+json"
STATUS: Final = {
    Code.MALFORMED: 400, Code.UNAUTHENTICATED: 401, Code.FORBIDDEN: 403, Code.WRITE_FIRST_DISABLED: 403,
    Code.EMAIL_DISABLED: 403, Code.NOT_FOUND: 404, Code.METHOD_NOT_ALLOWED: 405, Code.CONFLICT: 409,
    Code.IDEMPOTENCY_MISMATCH: 409, Code.TOO_LATE: 409, Code.CHANNEL_LIMIT: 409, Code.VERSION_MISMATCH: 412,
    Code.TOO_LARGE: 413, Code.INVALID: 422, Code.SECRET_REQUIRED: 422, Code.HOST_NOT_ALLOWED: 422,
    Code.RATE_LIMITED: 429, Code.INTERNAL: 500, Code.UNAVAILABLE: 503,
}  # fmt: skip
TITLES: Final = {
    Code.INVALID: "The request is not valid", Code.MALFORMED: "The body is no JSON",
    Code.UNAUTHENTICATED: "No valid token", Code.FORBIDDEN: "Not allowed", Code.NOT_FOUND: "Not found",
    Code.METHOD_NOT_ALLOWED: "Method not allowed", Code.CONFLICT: "Not possible in this state",
    Code.VERSION_MISMATCH: "Changed meanwhile", Code.IDEMPOTENCY_MISMATCH: "Idempotency-Key used before",
    Code.TOO_LATE: "Too late to interrupt", Code.WRITE_FIRST_DISABLED: "Writing first is switched off",
    Code.EMAIL_DISABLED: "E-mail is not enabled", Code.CHANNEL_LIMIT: "No more channels",
    Code.TOO_LARGE: "Too large", Code.SECRET_REQUIRED: "Password needed", Code.HOST_NOT_ALLOWED: "Host not allowed",
    Code.RATE_LIMITED: "Too much at once", Code.UNAVAILABLE: "Not now", Code.INTERNAL: "Our mistake",
}  # fmt: skip


class FaultResource(BaseModel):
    """One field that is wrong and what to change."""

    field: str
    code: str
    detail: str


class Problem(BaseModel):
    """Why a request was not granted. ``code`` is for programs, ``detail`` names the next step."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: tuple[FaultResource, ...] | None = None
    message_status: str | None = None
    cancel_id: str | None = None
    current_version: int | None = None

    @classmethod
    def of(cls, refused: Refused) -> Self:
        """The problem of a refusal."""
        faults = tuple(FaultResource(field=one.field, code=one.code, detail=one.detail) for one in refused.faults)
        # A body that cannot be read is told apart by its status alone: its code is published as ``invalid``.
        code = Code.INVALID if refused.code is Code.MALFORMED else refused.code
        return cls(
            type=f"urn:malote:problem:{code}", title=TITLES[refused.code], status=STATUS[refused.code], code=code,
            detail=refused.detail, errors=faults or None, message_status=refused.status, cancel_id=refused.cancel_id,
            current_version=refused.version,
        )  # fmt: skip


def problem(refused: Refused) -> Response:
    """The answer to a request that is not granted."""
    headers = {}
    if refused.code is Code.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = 'Bearer realm="malote"'
    if refused.retry_after is not None:
        headers["Retry-After"] = str(refused.retry_after)
    content = Problem.of(refused).model_dump_json(exclude_none=True)
    return Response(content, STATUS[refused.code], headers, MEDIA_TYPE)
