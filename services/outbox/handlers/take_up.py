"""A ticket's turn: find the document, a session, submit, and see to what comes after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.channel import ChannelChanged
from services.kit import logs
from services.kit.unavailable import Unavailable
from services.outbox.domain import attempt
from services.outbox.domain.backoff import later
from services.outbox.domain.conclude import has_expired
from services.outbox.domain.document import Message, Status
from services.outbox.domain.give_up import expire
from services.outbox.domain.lane import Ticket, ticket_of
from services.outbox.domain.replies import NotOpen
from services.outbox.handlers.note_tenant import NoteTenant
from services.outbox.handlers.offer_copy import OfferCopy
from services.outbox.handlers.record_decision import Record
from services.outbox.handlers.remove_channel_messages import RemoveChannelMessages
from services.outbox.handlers.report_smtp import ReportSmtp
from services.outbox.handlers.submit_message import Ended, SubmitMessage
from services.outbox.ports import Channels, Desk, Session, Submission

log = logs.get_logger()
SOON_S = 0.05
"""After a lost commit: our idea of the database's clock may be a few milliseconds ahead."""
WAIT_S = 3.0


class Freed:
    """Tells the board once that the ticket's connection is free."""

    __slots__ = ("_desk", "_done", "_ticket")

    def __init__(self, desk: Desk, ticket: Ticket) -> None:
        self._desk, self._ticket, self._done = desk, ticket, False

    def __call__(self) -> None:
        if not self._done:
            self._done = True
            self._desk.board.freed(self._ticket)
            self._desk.ring()


@dataclass(frozen=True, slots=True)
class TakeUp:
    """Carries a ticket from the board to its end, and puts the next one back where there is one."""

    desk: Desk
    record: Record
    submit: SubmitMessage
    submission: Submission
    channels: Channels
    report: ReportSmtp
    remove: RemoveChannelMessages
    tenants: NoteTenant
    offer: OfferCopy | None = None

    async def handle(self, ticket: Ticket) -> None:
        """Never raises: what fails is taken up again."""
        freed, again = Freed(self.desk, ticket), None
        try:
            again = await self._attempt(ticket, freed)
        except Unavailable as error:
            log.warning("take_up_postponed", reason=str(error), message_id=ticket.message_id)
            again = self._later(ticket, WAIT_S)
        except Exception:
            log.exception("take_up_failed", message_id=ticket.message_id)
            again = self._later(ticket, WAIT_S)
        freed()
        self.desk.board.done(ticket, self.record.database_clock.now())
        if again is not None:
            self.desk.board.add(again)
        self.desk.ring()

    async def _attempt(self, ticket: Ticket, freed: Freed) -> Ticket | None:
        message = ticket.message or await self.record.store.load(ticket.tenant, ticket.message_id)
        if message is None or not attempt.can_be_taken_up(message):
            return None
        if has_expired(message, self.record.database_clock.now()):
            await self.record.handle(message, expire)
            return None
        channel = await self.channels.get(*ticket.lane)
        if channel is None or not await self.tenants.may_send(ticket.tenant):
            return self._later(ticket, WAIT_S)
        if channel.removed:
            await self.remove.one(message)
            return None
        return await self._submit(ticket, message, channel, freed)

    async def _submit(self, ticket: Ticket, message: Message, channel: ChannelChanged, freed: Freed) -> Ticket | None:
        session = await self.submission.session(channel, ticket.tenant)
        if isinstance(session, NotOpen):
            await self.report.handle(ticket.lane, channel.version, session)
            return ticket
        ended = await self._drive(message, channel, session, freed)
        log.info(
            "taken_up", tenant=ticket.tenant, channel_id=ticket.channel_id, message_id=ticket.message_id,
            status=ended.message.status.value if ended.message else "left",
        )  # fmt: skip
        if ended.pause is not None:
            await self.report.handle(ticket.lane, channel.version, ended.pause)
        elif ended.message is not None and ended.message.status is Status.SENT:
            await self.report.handle(ticket.lane, channel.version, None)
            if self.offer is not None:
                self.desk.begin(self.offer.handle(message, channel.settings))
        return await self._after(ticket, ended)

    async def _drive(self, message: Message, channel: ChannelChanged, session: Session, freed: Freed) -> Ended:
        try:
            return await self.submit.handle(message, channel.settings.address, session, freed)
        except Exception:
            await session.close()
            raise

    async def _after(self, ticket: Ticket, ended: Ended) -> Ticket | None:
        message = ended.message
        if message is None:
            message = await self.record.store.load(ticket.tenant, ticket.message_id)
        if message is None or not attempt.can_be_taken_up(message) or message.due_at is None:
            return None
        if ended.message is not None:
            return ticket_of(message, first=False)
        soon = later(self.record.database_clock.now(), SOON_S)
        return ticket_of(message, first=ticket.first, due_at=max(message.due_at, soon))

    def _later(self, ticket: Ticket, seconds: float) -> Ticket:
        due_at: datetime = later(self.record.database_clock.now(), seconds)
        return Ticket(
            ticket.tenant, ticket.channel_id, ticket.message_id, ticket.conversation_id, due_at, ticket.first,
        )  # fmt: skip
