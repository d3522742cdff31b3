"""Why a wish was not granted; a granted one is answered by the changed state itself, by its ``request_id``."""

from __future__ import annotations

from typing import ClassVar

from contracts.payload import Id, Open, Part, Payload


class RejectionCode(Open):
    """The kinds of refusal; the gateway turns each into a problem (RFC 9457) of the same code."""

    INVALID = "invalid"
    CONFLICT = "conflict"
    VERSION_MISMATCH = "version_mismatch"
    SECRET_REQUIRED = "secret_required"  # noqa: S105 - a code, no secret
    CHANNEL_LIMIT = "channel_limit"
    EMAIL_DISABLED = "email_disabled"
    NOT_FOUND = "not_found"
    HOST_NOT_ALLOWED = "host_not_allowed"
    OTHER = "other"


class FieldError(Part):
    """One field, as a path like ``smtp.host``, what is wrong with it and what to change."""

    field: str
    code: str
    detail: str


class Rejected(Payload):
    """A wish that was refused; ``current_version`` where it lost against another change."""

    request_id: Id
    channel_id: Id
    code: RejectionCode
    detail: str
    errors: tuple[FieldError, ...] = ()
    current_version: int | None = None

    aggregate: ClassVar[str] = "outcome"

    def key(self) -> str:
        """One answer per wish."""
        return self.request_id


class ChannelChangeRejected(Rejected):
    """A channel was not created, changed, removed or reconnected."""


class SignatureChangeRejected(Rejected):
    """A signature or a channel's switches were not changed."""
