"""One batch of records, handled: decoded, in order by key, concurrently across keys, each with a clear end.

record --undecodable, wrong source--> dead letter
  | handler returns        --> handled
  | handler raises Unavailable: the whole batch is taken again after a pause (nothing is committed)
  | handler raises anything else, ATTEMPTS times --> dead letter; the partition goes on
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.cloudevents import Undecodable, decode
from contracts.event import AnyEvent
from contracts.payload import Payload
from contracts.topics import TOPICS, Topic
from services.kit import logs, metrics, tracing
from services.kit.unavailable import Unavailable

log = logs.get_logger()
ATTEMPTS = 3
PAUSE_S = 0.1
AT_ONCE = 100

Handler = Callable[[Any], Awaitable[Awaitable[None] | None]]
"""It may give back what is still to be waited for: the key's next event is handled meanwhile, its batch ends after."""
Forget = Callable[[Topic, str, str], Awaitable[None]]
_TOPIC = {topic.name: topic for topic in TOPICS}


class Record(Protocol):
    """What we need of a Kafka record."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class DeadLetters(Protocol):
    """Where a record goes that could not be handled."""

    async def bury(self, record: Record, error: str, attempts: int) -> None:
        """Stores the original bytes with their origin; returns when that is acknowledged."""
        ...


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Hands each event to the handler of its type; an event type without one is none of this service's business.

    ``ordered`` false: the events of a key are handled together, too; for handlers that keep the highest version. At
    most ``AT_ONCE`` are then begun in a row, so that whoever else waits for the loop has a turn.
    """

    handlers: Mapping[type[Payload], Handler]
    dead_letters: DeadLetters
    forget: Forget | None = None
    pause_s: float = PAUSE_S
    ordered: bool = True

    async def batch(self, records: Iterable[Record]) -> None:
        """Returns when each record has met its end; raises Unavailable when the batch must be taken again."""
        for lanes in self._turns(records):
            done = await asyncio.gather(*map(self._in_order, lanes), return_exceptions=True)
            for error in done:
                if isinstance(error, BaseException):
                    raise error

    def _turns(self, records: Iterable[Record]) -> Sequence[Collection[Sequence[Record]]]:
        by_key: dict[tuple[str, bytes | None], list[Record]] = {}
        for record in records:
            by_key.setdefault((record.topic, record.key), []).append(record)
        if self.ordered:
            return [by_key.values()]
        alone = [(record,) for lane in by_key.values() for record in lane]
        return [alone[at : at + AT_ONCE] for at in range(0, len(alone), AT_ONCE)]

    async def _in_order(self, records: Sequence[Record]) -> None:
        begun: list[tuple[Record, Awaitable[None]]] = []
        try:
            for record in records:
                if (rest := await self._record(record)) is not None:
                    begun.append((record, rest))
        finally:
            ended = await asyncio.gather(*(rest for _, rest in begun), return_exceptions=True) if begun else ()
        for (record, _), error in zip(begun, ended, strict=True):
            if isinstance(error, Exception) and not isinstance(error, Unavailable):
                log.error("handler_failed", topic=record.topic, exc_info=error)
                await self._bury(record, type(error).__name__, 1)
            elif error is not None:
                raise error

    async def _record(self, record: Record) -> Awaitable[None] | None:
        if record.value is None:
            await self._null(record)
            return None
        try:
            event = self._decoded(record, record.value)
        except Undecodable as error:
            await self._bury(record, str(error), 0)
            return None
        handler = self.handlers.get(type(event.data))
        metrics.counted(record.topic, "skipped" if handler is None else "handled").inc()
        return await self._handle(handler, event, record) if handler is not None else None

    def _decoded(self, record: Record, value: bytes) -> AnyEvent:
        event = decode(record.headers, value)
        topic = _TOPIC.get(record.topic)
        if topic is None or type(event.data) not in topic.events:
            raise Undecodable(f"{event.type} does not belong on this topic")
        if event.source.removeprefix("/malote/") not in topic.sources:
            raise Undecodable("ce_source may not write this topic")
        if record.key != f"{event.tenant}/{event.subject}".encode():
            raise Undecodable("the key is not tenant/subject")
        return event

    async def _handle(self, handler: Handler, event: AnyEvent, record: Record) -> Awaitable[None] | None:
        with tracing.use(event.trace), logs.bound(tenant_id=event.tenant, event_id=event.id):
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    return await handler(event)
                except Unavailable:
                    raise
                except Exception as error:
                    log.exception("handler_failed", topic=record.topic, type=event.type, attempt=attempt)
                    failure = type(error).__name__
                await asyncio.sleep(self.pause_s * attempt)
            await self._bury(record, f"{event.type}: {failure}", ATTEMPTS)
            return None

    async def _null(self, record: Record) -> None:
        tenant, slash, subject = (record.key or b"").decode("utf-8", "replace").partition("/")
        topic = _TOPIC.get(record.topic)
        if topic is None or not topic.compacted or not slash:
            await self._bury(record, "a null record on a topic that is not compacted", 0)
        elif self.forget is not None:
            await self.forget(topic, tenant, subject)

    async def _bury(self, record: Record, error: str, attempts: int) -> None:
        log.error("dead_letter", topic=record.topic, partition=record.partition, offset=record.offset, error=error)
        metrics.counted(record.topic, "dead_letter").inc()
        await self.dead_letters.bury(record, error, attempts)
