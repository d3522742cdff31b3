"""One mail of a slice is published: as received, bounced, answered by a machine, or set aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.blob import BlobRef
from contracts.cloudevents import encode
from contracts.event import AnyEvent
from contracts.limits import EVENT_SIZE
from services.ingest.domain.account import Account
from services.ingest.domain.identity import blob_id
from services.ingest.domain.ledger import Seen
from services.ingest.domain.parsed import Parsed, Unparsable
from services.ingest.domain.slices import Mail
from services.ingest.handlers.facts import Resolved, speak_mail, speak_quarantined
from services.ingest.handlers.keep_bodies import KeepBodies
from services.ingest.ports import Clock
from services.kit.publisher import Publishes

RAW_TYPE = "message/rfc822"
_SURELY_SMALL = 100_000


@dataclass(frozen=True, slots=True)
class TellMail:
    """Publishes the one event of a mail."""

    bodies: KeepBodies
    publisher: Publishes
    clock: Clock

    async def handle(
        self, account: Account, as_: Seen, it: Resolved, taking_part: Mapping[str, frozenset[str]]
    ) -> None:  # fmt: skip
        """A mail that was read. Returns when Kafka has it; raises Unavailable. Our own is announced to nobody."""
        if it.own:
            return
        bodies = await self.bodies.handle(account, it.mail.sha256, it.parsed)
        spoken = speak_mail(
            account, it, as_, raw_ref(account, it.mail), bodies, self.clock.now(),
            new_participant=_is_new(it.parsed, taking_part.get(as_.conversation_id)),
        )  # fmt: skip
        if _fits(spoken, it.parsed):
            await self.publisher.publish(spoken)
        else:
            await self.set_aside(account, it.mail, as_, "output")

    async def set_aside(self, account: Account, mail: Mail, as_: Seen, reason: str) -> None:
        """A mail that could not be read or had; its bytes are kept where there are any."""
        raw = raw_ref(account, mail) if mail.octets is not None else None
        await self.publisher.publish(speak_quarantined(account, mail, as_, reason, raw, self.clock.now()))


def why_aside(mail: Mail, read: Parsed | Unparsable | None) -> str:
    """The reason a mail is set aside for."""
    return mail.trouble or (read.reason if isinstance(read, Unparsable) else "failed")


def raw_ref(account: Account, mail: Mail) -> BlobRef:
    """Where the bytes of a mail are, or will be."""
    return BlobRef(
        blob_id=blob_id(account.key, mail.sha256, "raw"), sha256=mail.sha256, size=mail.size, media_type=RAW_TYPE
    )


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
