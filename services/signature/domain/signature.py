"""A channel's signatures and its two switches, and how a wish changes them.

(absent, version 0) --set--> version 1 --set--> version 2 ...   --channel removed--> (null record, gone)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

REMEMBERED: Final = 16
"""How many answered wishes a document remembers."""


def subject(channel_id: str, operator_id: str | None) -> str:
    """What a signature is called: its key in the topic, and the ``id`` a message names it by."""
    return f"{channel_id}/operator/{operator_id}" if operator_id else f"{channel_id}/default"


@dataclass(frozen=True, slots=True)
class Template:
    """A Liquid template; ``mode`` ``none`` means explicitly no signature, an empty one that none is set."""

    mode: str = "text"
    html: str = ""
    text: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing is set; an explicit "no signature" is not empty."""
        return self.mode != "none" and not self.html.strip() and not self.text.strip()


@dataclass(frozen=True, slots=True)
class Image:
    """An uploaded image; ``size`` in octets, ``sha256`` in hex."""

    blob_id: str
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An older version that is kept because it could be rendered."""

    version: int
    template: Template
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Who changed it, when, by which wish."""

    request_id: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Signature:
    """An operator's signature, or the default one (``operator_id`` None); ``previous`` is its last good version."""

    operator_id: str | None
    version: int
    template: Template
    change: Change
    previous: Kept | None = None
    recent: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()

    @property
    def blob_ids(self) -> tuple[str, ...]:
        """Every image that may still have to be shown."""
        kept = self.previous.images if self.previous else ()
        return tuple(dict.fromkeys(image.blob_id for image in (*self.images, *kept)))


@dataclass(frozen=True, slots=True)
class Switches:
    """The policy: whether operators sign, and whether those without a signature of their own get the default one."""

    version: int = 0
    operators_sign: bool = True
    default_enabled: bool = True
    change: Change | None = None
    recent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelSignatures:
    """Everything stored for one channel; ``by_operator`` holds the default one under None."""

    switches: Switches = field(default_factory=Switches)
    by_operator: dict[str | None, Signature] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The wish was made against another version than the one that stands."""

    current_version: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The wish was granted before."""


def sign_with(
    before: Signature | None, operator_id: str | None, template: Template, change: Change, expected: int | None
) -> Signature | Mismatch | Unchanged:
    """The signature after this wish."""
    version, recent = (before.version, before.recent) if before else (0, ())
    if ended := _ended(version, recent, change, expected):
        return ended
    return Signature(operator_id, version + 1, template, change, _kept(before), _plus(recent, change))


def switch(
    before: Switches, operators_sign: bool, default_enabled: bool, change: Change, expected: int | None
) -> Switches | Mismatch | Unchanged:
    """The two switches after this wish."""
    if ended := _ended(before.version, before.recent, change, expected):
        return ended
    after = replace(before, operators_sign=operators_sign, default_enabled=default_enabled, change=change)
    return replace(after, version=before.version + 1, recent=_plus(before.recent, change))


def _kept(before: Signature | None) -> Kept | None:
    if before is None:
        return None
    shows = before.template.mode != "none" and not before.template.empty
    return Kept(before.version, before.template, before.images) if shows else before.previous


def _ended(version: int, recent: tuple[str, ...], change: Change, expected: int | None) -> Mismatch | Unchanged | None:
    if change.request_id in recent:
        return Unchanged()
    return Mismatch(version) if expected is not None and expected != version else None


def _plus(recent: tuple[str, ...], change: Change) -> tuple[str, ...]:
    return (*recent, change.request_id)[-REMEMBERED:]
