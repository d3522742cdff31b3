"""How a bench speaks: lines for people on stderr, one JSON object on the last line of stdout."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Mapping


def say(text: str) -> None:
    """A line for whoever watches."""
    print(text, file=sys.stderr, flush=True)


def last_line(figures: Mapping[str, object]) -> None:
    """The result, as the last line."""
    print(json.dumps({name: _short(value) for name, value in figures.items()}), flush=True)


def median(values: Iterable[float]) -> float:
    """The median of the repeats."""
    return float(statistics.median(values))


def percentile(values: Iterable[float], share: float) -> float:
    """The value `share` (0 to 1) of all values do not exceed (nearest rank); NaN of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _short(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value
