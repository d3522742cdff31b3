"""Dead letters: records that could not be handled, kept with their origin; the breaker that stops a flood."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.kit import logs, metrics
from services.kit.dispatch import Record
from services.kit.publisher import Publisher
from services.kit.unavailable import Unavailable

log = logs.get_logger()
tripped = metrics.gauge("breaker_open", "1 while a consumer stands still because too much was refused.", ["consumer"])

SHARE = 0.05
COUNTED_FROM = 200


@dataclass(slots=True)
class Breaker:
    """Opens when more than 5 % of at least 200 records were refused; a person closes it again (SIGUSR1).

    closed --too many refused--> open --resume()--> closed, counting anew
    """

    name: str
    seen: int = 0
    refused: int = 0
    open: bool = False

    def count(self, refused: bool) -> None:
        """Notes the end of one record."""
        self.seen += 1
        self.refused += refused
        if self.seen >= COUNTED_FROM and self.refused > self.seen * SHARE and not self.open:
            self.open = True
            tripped.labels(self.name).set(1)
            log.critical("breaker_opened", consumer=self.name, seen=self.seen, refused=self.refused)
        if self.seen >= COUNTED_FROM * 10:
            self.seen, self.refused = self.seen // 2, self.refused // 2

    def resume(self) -> None:
        """Closes the breaker by hand."""
        self.seen, self.refused, self.open = 0, 0, False
        tripped.labels(self.name).set(0)


@dataclass(slots=True)
class Graveyard:
    """The DeadLetters of one consumer, on ``<topic>.dlq`` with the original key, value and headers."""

    publisher: Publisher
    breaker: Breaker
    _buried: set[tuple[str, int, int]] = field(default_factory=set)

    async def bury(self, record: Record, error: str, attempts: int) -> None:
        """See DeadLetters; raises Unavailable while the breaker is open, so that the record waits where it is."""
        self.breaker.count(refused=True)
        if self.breaker.open:
            raise Unavailable("the breaker is open: look at the dead letters, then resume by hand")
        place = (record.topic, record.partition, record.offset)
        if place not in self._buried:
            await self.publisher.send(
                f"{record.topic}.dlq", record.key, record.value, [*record.headers, *_origin(record, error, attempts)]
            )
            self._remember(place)

    def _remember(self, place: tuple[str, int, int]) -> None:
        if len(self._buried) > 10_000:
            self._buried.clear()
        self._buried.add(place)


def _origin(record: Record, error: str, attempts: int) -> list[tuple[str, bytes]]:
    facts = {
        "dlq_topic": record.topic,
        "dlq_partition": str(record.partition),
        "dlq_offset": str(record.offset),
        "dlq_error": error[:500],
        "dlq_attempts": str(attempts),
    }
    return [(name, value.encode("utf-8", "replace")) for name, value in facts.items()]
