"""A relay that remembers what it was given, and says what a test had it speak."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from contracts.event import AnyEvent


class FakeRelay:
    """``given``: what was handed over, by document; ``said``: ids a document has spoken and owes still."""

    def __init__(self) -> None:
        self.given: list[tuple[str, Sequence[AnyEvent]]] = []
        self.said: dict[str, list[str]] = {}

    def hand_over(self, doc_id: str, events: Sequence[AnyEvent], taken_off: Collection[str] = ()) -> None:
        """Remember."""
        if events:
            self.given.append((doc_id, events))
        for each in taken_off:
            self.said[doc_id].remove(each)

    def spoken(self, doc_id: str) -> Collection[str]:
        """What a test put there."""
        return tuple(self.said.get(doc_id, ()))
