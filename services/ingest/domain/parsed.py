"""What a mail says once it is read: plain values, so that handlers, the ledger and the events never see MIME.

Every string is valid Unicode without NUL; addresses, ids and the subject hold no CR or LF either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Auto = Literal["none", "auto-reply", "bounce", "list", "loop", "other"]
"""Whether a machine wrote it; the values of ``contracts.inbound.Auto``.

``other``: by a machine, but no answer and no report of a delivery: a notification, a feedback report, bulk mail.
"""


@dataclass(frozen=True, slots=True)
class Address:
    """An address as the mail has it, decoded; ``address`` need not be one we would accept for sending."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """Octets that are too many for this process: they stand in the blob store, for now under an id of their own."""

    blob_id: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Attached:
    """A part that is no body.

    ``file_name`` is safe to show and to save (no path, no control or bidi character, at most 255 octets).
    ``content_id`` has no angle brackets; ``inline`` says that the HTML body shows it by ``cid:``. With ``held`` they
    stand in the blob store.
    """

    file_name: str
    media_type: str
    octets: bytes = field(repr=False)
    content_id: str | None = None
    inline: bool = False
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """One recipient a report speaks of (RFC 3464 section 2.3); ``action`` is ``failed`` where nothing is said."""

    address: str
    action: str = "failed"
    status: str | None = None
    diagnostic: str | None = None


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report: whom it speaks of, and the headers of the mail it returns, where it returns any.

    The ids are those of the returned mail: its Message-ID is what finds the outbound message.
    """

    recipients: tuple[Failure, ...] = ()
    internet_message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trail:
    """What the mail tells of its way: for lists, absence notes and loops.

    ``delivered_to`` and ``loops`` (X-Loop and the like) are in lower case; ``hops`` counts Received.
    """

    auto_submitted: str = ""
    precedence: str = ""
    list_id: str = ""
    return_path: str | None = None
    delivered_to: tuple[str, ...] = ()
    loops: tuple[str, ...] = ()
    hops: int = 0


@dataclass(frozen=True, slots=True)
class Parsed:
    """A mail that could be read.

    Ids keep their angle brackets. ``text`` is the whole text (from the HTML where the mail has none), ``html`` is
    sanitised, ``new_part`` what of ``text`` is not quoted, as best it can be told: None where nothing is quoted.
    ``truncated`` names what was cut at a limit: ``addresses``, ``headers``, ``parts``, ``depth``, ``text``, ``html``.
    """

    internet_message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    date: datetime | None = None
    sender: Address | None = None
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    subject: str = ""
    text: str | None = None
    html: str | None = None
    new_part: str | None = None
    remote_images: int = 0
    attachments: tuple[Attached, ...] = ()
    auto: Auto = "none"
    bounce: Bounce | None = None
    trail: Trail = field(default_factory=Trail)
    replaced_chars: int = 0
    truncated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unparsable:
    """A mail that could not be read within its limits.

    ``reason`` is ``too_large`` (over 50 MB), ``cpu``, ``wall``, ``memory``, ``output``, ``raised`` or ``died``; with
    ``raised`` the ``detail`` is the exception's type, never its message.
    """

    reason: str
    detail: str = ""
