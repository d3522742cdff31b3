"""Event ids are version 5 UUIDs over what the event is; other teams deduplicate by them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid5

from contracts.event import NAMESPACE, event_id
from contracts.message import CancelRequested

CANCEL = CancelRequested(
    message_id="0195a000-0000-7000-8000-00000000000a", cancel_id="0195a000-0000-7000-8000-00000000000b",
    requested_by="ümläut", requested_at=datetime(2026, 1, 1, tzinfo=UTC),
)  # fmt: skip


def test_they_are_what_the_standard_library_makes() -> None:
    for tenant in ("0195a000-0000-7000-8000-000000000001", "ümläut", ""):
        expected = uuid5(NAMESPACE, f"{tenant}/cancel/{CANCEL.cancel_id}/1/CancelRequested")
        assert event_id(tenant, CANCEL) == str(expected)
