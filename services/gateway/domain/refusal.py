"""Refusals as values: what a caller did wrong, as a code for programs and a next step for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """The codes of the published interface; the HTTP adapter gives each its status."""

    INVALID = "invalid"
    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    VERSION_MISMATCH = "version_mismatch"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    TOO_LATE = "too_late"
    WRITE_FIRST_DISABLED = "write_first_disabled"
    EMAIL_DISABLED = "email_disabled"
    CHANNEL_LIMIT = "channel_limit"
    TOO_LARGE = "too_large"
    SECRET_REQUIRED = "secret_required"  # noqa: S105 - a code, no secret
    HOST_NOT_ALLOWED = "host_not_allowed"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Fault:
    """One field that is wrong: its path like ``smtp.host``, a code, and what to change."""

    field: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a request is not granted; ``status`` the message's where it is too late, ``version`` the current one.

    ``retry_after`` in seconds.
    """

    code: Code
    detail: str
    faults: tuple[Fault, ...] = ()
    status: str | None = None
    cancel_id: str | None = None
    version: int | None = None
    retry_after: int | None = None


NOT_FOUND = Refused(Code.NOT_FOUND, "There is nothing here, or nothing you may see.")
"""A foreign and an unknown id get this same value, so their answers are equal to the byte."""


def invalid(field: str, code: str, detail: str) -> Refused:
    """One wrong field."""
    return Refused(Code.INVALID, detail, (Fault(field, code, detail),))


def invalid_fields(faults: Sequence[Fault], detail: str = "Some fields are wrong; see errors.") -> Refused:
    """Several wrong fields."""
    return Refused(Code.INVALID, detail, tuple(faults))


def forbidden(detail: str) -> Refused:
    """The caller is known and may not."""
    return Refused(Code.FORBIDDEN, detail)


def conflict(detail: str) -> Refused:
    """The thing is in a state that does not allow this."""
    return Refused(Code.CONFLICT, detail)
