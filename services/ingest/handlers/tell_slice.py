"""A slice's mails are published: as received, bounced, answered by a machine, or set aside; one event each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.blob import BlobRef
from contracts.cloudevents import encode
from contracts.event import AnyEvent
from contracts.limits import EVENT_SIZE
from services.ingest.domain.account import Account
from services.ingest.domain.bodies import bodies_of
from services.ingest.domain.identity import blob_id
from services.ingest.domain.ledger import Seen
from services.ingest.domain.parsed import Parsed
from services.ingest.domain.slices import Mail
from services.ingest.handlers.facts import Resolved, ref, speak_mail, speak_quarantined
from services.ingest.ports import Clock, Publisher, RawStore, Stored
from services.kit import metrics

RAW_TYPE = "message/rfc822"
announced = metrics.counter("mails_announced", "Mails published, by event type.", ["type"])
_SURELY_SMALL = 100_000
TakingPart = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Told:
    """A mail to be told, under the identity ``as_``: as what was read and resolved, else set aside for this reason.
    ``raw``: where its bytes are, where there are any."""

    mail: Mail
    as_: Seen
    raw: BlobRef | None
    it: Resolved | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TellSlice:
    """Stores what does not travel in the events, and publishes them."""

    raw: RawStore
    publisher: Publisher
    clock: Clock

    async def handle(self, account: Account, told: Sequence[Told], taking_part: TakingPart) -> None:
        """In the order given; returns when Kafka has all of them. Raises Unavailable. Our own are told to nobody."""
        now = self.clock.now()
        events: list[AnyEvent] = []
        things: list[Stored] = []
        for each in told:
            if each.it is None:
                events.append(speak_quarantined(account, each.mail, each.as_, each.reason, each.raw, now))
            elif not each.it.own:
                spoken, more = _received(account, each, each.it, taking_part.get(each.as_.conversation_id), now)
                events.append(spoken)
                things += more
        if things:
            await self.raw.keep(account.tenant, things)
        if events:
            await self.publisher.publish_all(events)
            _count(events)


def _count(events: Sequence[AnyEvent]) -> None:
    for kind, number in Counter(type(each.data).__name__ for each in events).items():
        announced.labels(kind).inc(number)


def raw_ref(account: Account, mail: Mail) -> BlobRef:
    """Where the bytes of a mail are, or will be."""
    return BlobRef(
        blob_id=blob_id(account.key, mail.sha256, "raw"), sha256=mail.sha256, size=mail.size, media_type=RAW_TYPE
    )


def _received(
    account: Account, told: Told, it: Resolved, participants: frozenset[str] | None, now: datetime
) -> tuple[AnyEvent, Sequence[Stored]]:
    if told.raw is None:
        raise ValueError("a mail that was read without its bytes")
    bodies = bodies_of(account.key, it.mail.sha256, it.parsed)
    new = _is_new(it.parsed, participants)
    spoken = speak_mail(account, it, told.as_, told.raw, bodies, now, new_participant=new)
    if _fits(spoken, it.parsed):
        return spoken, [Stored(ref(each), each.octets, each.held) for each in bodies.kept()]
    return speak_quarantined(account, it.mail, told.as_, "output", told.raw, now), ()


def _is_new(parsed: Parsed, participants: frozenset[str] | None) -> bool:
    """Whether the sender is a stranger to a conversation that is known."""
    return participants is not None and parsed.sender is not None and parsed.sender.address.lower() not in participants


def _fits(spoken: AnyEvent, parsed: Parsed) -> bool:
    """Whether Kafka takes it; encoded only where it may be large, since the publisher encodes it too."""
    texts = len(parsed.text or "") + len(parsed.html or "") + len(parsed.new_part or "")
    many = len(parsed.to) + len(parsed.cc) + len(parsed.references) + len(parsed.attachments)
    if texts + 400 * many < _SURELY_SMALL:
        return True
    return len(encode(spoken).value or b"") <= EVENT_SIZE
