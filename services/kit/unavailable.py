"""The one exception that means: not now. Whoever meets it tries again later; nothing is decided, nothing is lost."""

from __future__ import annotations


class Unavailable(Exception):
    """Infrastructure is gone, or a copy of somebody's state is not here yet; the event is taken again after a pause."""


class Unanswered(Unavailable):
    """A write was sent and its answer is lost: it may have been applied, or be applied later, or never."""
