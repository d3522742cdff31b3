"""The limits of the channel, in one table; sizes in octets, times in seconds unless the name says otherwise."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

MESSAGE_SIZE: Final = 25 * MIB
INBOUND_SIZE: Final = 50 * MIB
RECIPIENTS: Final = 50
ATTACHMENTS: Final = 20
SUBJECT_OCTETS: Final = 998
HTML_SIZE: Final = 1 * MIB
TEXT_SIZE: Final = 1 * MIB
INLINE_TEXT: Final = 64 * KIB
"""Bodies up to this size travel in the event, larger ones by reference; the same for MIME in the outbound document."""
REFERENCES: Final = 20
NAME_LENGTH: Final = 200

UNDO_MAX: Final = 120
UNDO_DEFAULT: Final = 10
UNDO_GRACE: Final = 3
"""Added to the undo window before a message is due, so that a cancel on the last tick still arrives; none at undo 0."""

IMPORT_DAYS: Final = 365
"""The oldest mail that is imported when a channel is connected."""

EXPIRY: Final = 24 * 3600
"""A message that could not be submitted for this long fails as expired."""
DAY: Final = 86_400
AGE_GATE: Final = 30 * DAY
"""A message or cancel whose UUIDv7 is older than this writes nothing."""
HORIZON: Final = 35 * DAY
SLIM_AFTER: Final = 7 * DAY

SIGNATURE_SIZE: Final = 64 * KIB
SIGNATURE_CPU_MS: Final = 200
SIGNATURE_IMAGE: Final = 200 * KIB
SIGNATURE_IMAGES: Final = 10
"""So many different images a signature shows."""

EVENT_SIZE: Final = 900 * KIB
"""No event of ours is larger; the topics take 1 MiB."""
ACCEPTED_PER_TENANT: Final = 10_000
BLOB_LIFE: Final = 24 * 3600
"""How long a blob lives that no document has referred to."""

IMAP_PORTS: Final = frozenset({143, 993})
SMTP_PORTS: Final = frozenset({465, 587, 2525})
