"""Prometheus metrics: the shared counters of the workbench, and the one way to make more.

Labels name kinds (a topic, an outcome), never individuals: a tenant, a channel or an address as a label would make a
time series for each and put it on somebody's dashboard, so `counter`, `gauge` and `histogram` refuse them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

REGISTRY = CollectorRegistry(auto_describe=True)
CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_INDIVIDUALS = ("tenant", "channel", "message", "operator", "client", "address", "user", "host", "subject")

ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)


def counter(name: str, meaning: str, labels: Sequence[str] = ()) -> Counter:
    """A number that only grows; its name ends in `_total` on the wire."""
    return Counter(f"malote_{name}", meaning, _checked(labels), registry=REGISTRY)


def gauge(name: str, meaning: str, labels: Sequence[str] = ()) -> Gauge:
    """A number that goes up and down."""
    return Gauge(f"malote_{name}", meaning, _checked(labels), registry=REGISTRY)


def histogram(name: str, meaning: str, labels: Sequence[str] = (), *, buckets: Sequence[float] = SECONDS) -> Histogram:
    """Durations in seconds, or other sizes with their own buckets."""
    return Histogram(f"malote_{name}", meaning, _checked(labels), registry=REGISTRY, buckets=tuple(buckets))


def _checked(labels: Sequence[str]) -> Sequence[str]:
    refused = [label for label in labels if any(word in label for word in _INDIVIDUALS)]
    if refused:
        raise ValueError(f"labels must name kinds, not individuals: {refused}")
    return labels


def render() -> bytes:
    """Everything in the Prometheus text format (`CONTENT_TYPE`)."""
    return generate_latest(REGISTRY)


records = counter("records", "Kafka records by what became of them.", ["topic", "outcome"])
"""Outcomes: handled, skipped, dead_letter, retried."""
counted = cache(records.labels)
"""The counter of one topic and outcome: looking it up costs more than counting."""
batch_seconds = histogram("batch_seconds", "Time from receiving a batch of records to its end.", ["topic"])
published = counter("published", "Events published: acknowledged, unknown or failed.", ["topic", "outcome"])
publish_seconds = histogram("publish_seconds", "Time from handing an event to the producer to its acknowledgement.")
producer_rebuilds = counter("producer_rebuilds", "Times the producer was thrown away and built again.")
owed_events = gauge("owed_events", "Events written to documents and not yet published, as the relay last saw it.")
relay_seconds = histogram("relay_seconds", "Time from the write of an event to its acknowledgement.")
bulk_size = histogram("bulk_size", "Writes grouped into one bulk.", ["write"], buckets=SIZES)
bulk_seconds = histogram("bulk_seconds", "Time one bulk took.", ["write"])
cas_misses = counter("cas_misses", "Compare-and-sets that found another version.", ["write"])
child_deaths = counter("child_deaths", "Child processes that ended at a limit.", ["module", "reason"])
egress_denied = counter("egress_denied", "Destinations the egress guard refused.", ["code"])
blob_bytes = counter("blob_bytes", "Bytes stored as blobs.", ["store"])
http_seconds = histogram("http_seconds", "Time to answer a request.", ["method", "route", "status"])
timed = cache(http_seconds.labels)
"""The histogram of one method, route and status."""
loop_lag_seconds = histogram("loop_lag_seconds", "How late the event loop's heartbeat came.")
