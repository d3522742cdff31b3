"""A large thing by reference: written before the event that names it."""

from __future__ import annotations

from contracts.payload import Id, Part


class BlobRef(Part):
    """Where a blob is and what it must hash to; ``size`` in octets."""

    blob_id: Id
    sha256: str
    size: int
    media_type: str
