"""An SMTP server as a session sees it: it refuses, defers, drops and forgets as the story's budget lets it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.outbox.domain.replies import Answer, NoReply, Reply
from services.outbox.ports import EnvelopeAnswers
from tests.model.scheduler import step

if TYPE_CHECKING:
    from tests.model.world import World

OK, GO, LATER, NEVER = Reply(250), Reply(354), Reply(451, "4.3.0"), Reply(550, "5.1.1")


class PeerSession:
    """One connection for one message; what it took is told to the witness."""

    def __init__(self, world: World, replica: int, tenant: str) -> None:
        self.world, self.replica, self.tenant = world, replica, tenant
        self.number = world.next_session()
        self.to: tuple[str, ...] = ()
        self.closed = self.began = False
        self.stamps: list[str] = []

    async def envelope(self, sender: str, recipients: Sequence[str], size: int) -> EnvelopeAnswers:
        """MAIL and RCPTs in one step: they touch nothing that is shared."""
        await step("envelope")
        if self.world.holds_wish(self.tenant):
            self.world.note("takes up a message that holds a wish")
        if self.world.spend("drops", 0.15):
            self.closed = True
            return EnvelopeAnswers(OK, tuple(NoReply() for _ in recipients))
        answers = tuple(self._rcpt(each) for each in recipients)
        self.to = tuple(who for who, said in zip(recipients, answers, strict=True) if said is OK)
        return EnvelopeAnswers(OK, answers)

    async def data(self, deadline: float) -> Answer:
        """DATA, unless it is too late for it."""
        self.began = True
        await step("DATA")
        return self._late(deadline) or self._refusal() or GO

    async def content(self, octets: bytes, deadline: float) -> Answer:
        """The content; the deadline is looked at right before it leaves."""
        await step("content")
        if late := self._late(deadline):
            return late
        world = self.world
        world.witness.content(self.tenant, world.document(self.tenant), self.replica, self.to, self.number)
        if world.spend("silences", 0.9):
            return await self._silent()
        if world.spend("drops", 0.2):
            return await self._lost()
        if refused := self._refusal():
            return refused
        world.took(self.tenant, self.to)
        await step("250 to content")
        return OK

    async def reset(self) -> bool:
        """RSET; one before DATA says that this take-up sends nothing, whatever is written later."""
        if not self.began:
            self.world.witness.abandoned.update(self.stamps)
        await step("RSET")
        return not self.closed

    async def release(self) -> None:
        """Nothing is pooled here."""

    async def close(self) -> None:
        """Gone."""
        self.closed = True

    def _rcpt(self, address: str) -> Reply:
        if self.world.spend("temporary", 0.2):
            return LATER
        if self.world.spend("refusals", 0.15):
            self.world.witness.refused.add(address)
            return NEVER
        return OK

    def _late(self, deadline: float) -> NoReply | None:
        if self.world.monotonic() < deadline:
            return None
        self.closed = True
        return NoReply(dot_sent=False, detail="deadline")

    def _refusal(self) -> Answer | None:
        if self.world.spend("temporary", 0.2):
            return LATER
        if self.world.spend("refusals", 0.1):
            self.world.witness.refused |= set(self.to)
            return NEVER
        return None

    async def _lost(self) -> NoReply:
        self.closed = True
        if self.world.chance.random() < 0.3:
            return NoReply(dot_sent=False)
        return await self._silent()

    async def _silent(self) -> NoReply:
        self.closed = True
        if self.world.chance.random() < 0.5:
            self.world.took(self.tenant, self.to)
        self.world.witness.doubted |= {(self.tenant, address) for address in self.to}
        await step("no answer to the final dot")
        return NoReply(dot_sent=True)
