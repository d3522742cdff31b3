"""Signatures: the block under the body, one per operator of a channel, a default, and two switches."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from contracts import limits
from contracts.blob import BlobRef
from contracts.payload import Id, Moment, Open, Part, Payload


class SignatureMode(Open):
    """``text``: the template below (an empty one means "use the default"); ``none``: explicitly no signature."""

    TEXT = "text"
    NONE = "none"
    OTHER = "other"


class SignatureTemplate(Part):
    """A Liquid template in HTML, in text, or both; the text is derived from the HTML where it is absent.

    The HTML shows an uploaded image by ``<img src="blob:{blob_id}">``; images from elsewhere are refused.
    """

    mode: SignatureMode = SignatureMode.TEXT
    html: str = Field(default="", max_length=limits.SIGNATURE_SIZE)
    text: str = Field(default="", max_length=limits.SIGNATURE_SIZE)


class Why(Open):
    """Why a message carries the signature it does.

    ``render_failed``: the last good version, or the plain name; ``image_missing``: without an image that is gone.
    """

    OWN = "own"
    DEFAULT = "default"
    NONE = "none"
    OPERATORS_DO_NOT_SIGN = "operators_do_not_sign"
    NO_SIGNATURE = "no_signature"
    RENDER_FAILED = "render_failed"
    IMAGE_MISSING = "image_missing"
    OTHER = "other"


class SignatureChangeRequested(Payload):
    """A wish: set the signature of an operator, or the default one where ``operator_id`` is None."""

    aggregate: ClassVar[str] = "signature-request"
    request_id: Id
    requested_by: str
    channel_id: Id
    operator_id: Id | None
    expected_version: int | None
    template: SignatureTemplate

    def key(self) -> str:
        """Requests for one channel keep their order."""
        return self.channel_id

    def identity(self) -> str:
        """One wish, one id."""
        return self.request_id


class SignaturePolicyChangeRequested(Payload):
    """A wish: turn the two switches of a channel."""

    aggregate: ClassVar[str] = "signature-request"
    request_id: Id
    requested_by: str
    channel_id: Id
    expected_version: int | None
    operators_sign: bool
    default_enabled: bool

    def key(self) -> str:
        """Requests for one channel keep their order."""
        return self.channel_id

    def identity(self) -> str:
        """One wish, one id."""
        return self.request_id


class SignatureChanged(Payload):
    """A signature as it now is; the default one where ``operator_id`` is None; ``images``: those its HTML refers to."""

    aggregate: ClassVar[str] = "signature"
    request_id: Id | None
    channel_id: Id
    operator_id: Id | None
    template: SignatureTemplate
    images: tuple[BlobRef, ...] = Field(default=(), max_length=limits.SIGNATURE_IMAGES)
    changed_by: str
    changed_at: Moment

    def key(self) -> str:
        """One record per operator of a channel, one for its default."""
        return f"{self.channel_id}/operator/{self.operator_id}" if self.operator_id else f"{self.channel_id}/default"


class SignaturePolicyChanged(Payload):
    """The two switches of a channel as they now are."""

    aggregate: ClassVar[str] = "signature"
    request_id: Id | None
    channel_id: Id
    operators_sign: bool
    default_enabled: bool
    changed_by: str
    changed_at: Moment

    def key(self) -> str:
        """One record per channel."""
        return f"{self.channel_id}/policy"
