"""A desk with every state a message can be in, mails of every kind, and channels in every condition."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from contracts.blob import BlobRef
from contracts.channel_status import ChannelStatusChanged
from contracts.event import AnyEvent, event
from contracts.inbound import AutoReplyReceived, BouncedRecipient, InboundAddress
from contracts.signature import SignatureChanged, SignaturePolicyChanged, SignatureTemplate
from services.gateway.adapters.liquid_previews import LiquidPreviews
from services.gateway.adapters.stored_clock import StoredClock
from services.gateway.domain.change import Change, Thing
from services.gateway.domain.content import Content
from services.gateway.domain.message import (
    Asked,
    Cancel,
    Message,
    Person,
    Progress,
    Recipient,
    Resolution,
    Status,
)
from services.gateway.domain.refusal import Code, Refused
from services.gateway.domain.who import Principal
from services.gateway.ports import Key
from services.kit.ids import uuid7
from services.kit.images import named_in
from services.kit.rendering import Renderer, pool
from tests.fakes.gateway_world import fake_ports
from tests.unit.gateway import world as desk
from tests.unit.gateway.mails import bounce, mail, unreadable
from tests.unit.gateway.world import ANA, CHANNEL, RUI, TENANT, World

OTHER_CHANNEL, JOANA = str(uuid7()), str(uuid7())
ARCHITECT = InboundAddress(address="paula@estudio.example", name="Paula Reis")
LONG = "RES: ENC: RES: Mobiliário do apartamento decorado da torre B, alterações de 12 de novembro e prazos"
SUBJECT = "Orçamento das poltronas e dos aparadores do salão de festas"
MEANWHILE = Refused(Code.VERSION_MISMATCH, "Somebody saved meanwhile.", version=2)
HTML = (
    "<p>Prezados,</p><p>Conforme a assembleia, pedimos <b>três alterações</b>:</p><table><tr><th>Item</th><th>N.</th>"
    '</tr><tr><td>Poltrona</td><td>8</td></tr></table><img alt="logo" data-remote-src="https://tracker.test/x.png">'
)


def now() -> datetime:
    """The gateway's clock."""
    return datetime.now(UTC)


@dataclass
class Scenery:
    """``ids`` of what stands, by name."""

    world: World
    renderer: Renderer
    ids: dict[str, str] = field(default_factory=dict)
    _position: int = 0

    @classmethod
    async def make(cls) -> Scenery:
        """The whole desk; signatures are rendered by the real code."""
        renderer = Renderer(pool())
        made = World(replace(fake_ports(), clock=StoredClock(), previews=LiquidPreviews(renderer)))
        made.changes.most = 1_000
        scenery = cls(made, renderer)
        await scenery.people()
        await scenery.channels()
        await scenery.signatures()
        await scenery.talks()
        made.owner_grants()
        return scenery

    async def people(self) -> None:
        """Tenants and operators."""
        filled = await desk.world()
        self.world.tenants.kept.update(filled.tenants.kept)
        for operator, name in ((ANA, "Ana Beatriz Lemos"), (JOANA, "Joana Kühl"), (RUI, "Rui Couto")):
            known = filled.operators.kept[TENANT, ANA].model_copy(update={"operator_id": operator, "name": name})
            self.world.operators.kept[TENANT, operator] = known

    async def channels(self) -> None:
        """One that works, one whose password is refused."""
        plain = desk.settings(name="Atendimento", address="atendimento@casaipe.example")
        for channel_id, settings in (
            (CHANNEL, plain),
            (OTHER_CHANNEL, desk.settings(name="Financeiro", address="financeiro@casaipe.example", write_first=False)),
        ):
            state = desk.channel(channel_id=channel_id, settings=settings)
            await self.world.channels.put(event(TENANT, state, at=now(), source="config"))
        await self.status(CHANNEL, "imap", "connected", "none")
        await self.status(CHANNEL, "smtp", "connected", "none")
        await self.status(OTHER_CHANNEL, "imap", "connected", "none")
        await self.status(OTHER_CHANNEL, "smtp", "auth_failed", "authentication_failed", now() + timedelta(hours=1))

    async def status(self, channel: str, way: str, state: str, reason: str, again: datetime | None = None) -> None:
        """One direction's condition."""
        said = ChannelStatusChanged(
            channel_id=channel, direction=way, state=state, reason=reason, since=now() - timedelta(minutes=50),
            next_retry_at=again, version=int(now().timestamp() * 1000),
        )  # fmt: skip
        await self.world.ports.statuses.put(event(TENANT, said, at=now(), source="outbox"))

    async def signatures(self) -> None:
        """Ana's own and the generalised one."""
        own = "<b>{{ operator.name }}</b><br>\nAtendimento · {{ tenant.name }}"
        await self.sign(ANA, own)
        await self.sign(None, "Equipe de atendimento")
        policy = SignaturePolicyChanged(
            request_id=None, channel_id=CHANNEL, operators_sign=True, default_enabled=True, changed_by="ana",
            changed_at=now(), version=1,
        )  # fmt: skip
        await self.world.ports.signatures.put(event(TENANT, policy, at=now(), source="signature"))

    async def sign(self, operator: str | None, html: str, by: str = "ana", version: int = 1) -> None:
        """One signature as it now is."""
        state = SignatureChanged(
            request_id=None, channel_id=CHANNEL, operator_id=operator, changed_by=by, changed_at=now(), version=version,
            template=SignatureTemplate(html=html, text="Ana Beatriz Lemos" if operator else "Equipe de atendimento"),
        )  # fmt: skip
        await self.world.ports.signatures.put(event(TENANT, state, at=now(), source="signature"))

    async def talks(self) -> None:
        """Conversations."""
        people = (Person("sindico@jacaranda.example", "Condomínio Jacarandá"), Person("helena@traco.example", "Helena"))
        self.ids["states"] = self.talk(people, SUBJECT)
        self.ids["plain"] = self.talk((Person("marina@correio.example", "Marina Duarte"),), "Entrega do sofá Ipanema")
        self.ids["empty"] = self.talk((Person("diretoria@semear.example", "Escola Semear"),), None)
        self.ids["unread"] = self.talk((Person("otavio@correio.example", "Otávio Prates"),), "Assento rasgado")
        self.ids["long"] = self.talk((Person(f"compras.{'x' * 60}@construtora-vale-do-araguari.example"),), LONG)
        self.ids["paused"] = self.talk((Person("helio@correio.example", "Hélio Takahashi"),), "Boleto", OTHER_CHANNEL)
        self.ids["hidden"] = self.talk((Person("luana@correio.example", "Luana Ferrari"),), "Rack")
        await self.mails()
        await self.states()
        await self.waiting()

    def talk(self, people: tuple[Person, ...], subject: str | None, channel: str = CHANNEL) -> str:
        """One conversation."""
        made = self.world.conversation(
            participants=people, subject=subject, created_at=now(), last_at=now(), channel_id=channel
        )
        return made.conversation_id

    async def waiting(self) -> None:
        """A message that a refused password holds up, one that failed, and two mails that could not be read."""
        due = now() - timedelta(minutes=3)
        stuck = await self.send("paused", "Segue a segunda via do boleto.", desk.rui())
        self.put(replace(stuck, progress=Progress(Status.QUEUED, 1, undo_until=due, due_at=due)))
        lost = await self.send("long", "Segue a planta revisada.")
        full = (Recipient("compras@construtora.example", "refused", 552, "5.2.2", "mailbox full"),)
        failed = Progress(Status.FAILED, 2, finished_at=now(), reason="refused", recipients=full)
        self.put(replace(lost, progress=failed))
        for talk, message in (("long", lost.message_id), ("states", self.ids["failed"])):
            await self.world.conversations.ask_attention(TENANT, self.ids[talk], message)
        at = now() - timedelta(hours=2)
        for mail_ in (
            unreadable(CHANNEL, received_at=at, size=61_234_567, reason="too_large", raw=None),
            unreadable(OTHER_CHANNEL, received_at=at, size=7_310),
        ):
            await self.world.use.aside.handle(mail_)

    async def arrive(self, talk: str, seconds: float = 0, **changes: Any) -> None:
        """A mail, from the first who takes part where nobody else is named."""
        one = self.world.conversations.kept[TENANT, self.ids[talk]].participants[0]
        changes = {"sender": InboundAddress(address=one.address, name=one.name), **changes}
        await self.world.use.inbound.handle(mail(CHANNEL, self.ids[talk], at=now(), seconds=seconds, **changes))

    async def mails(self) -> None:
        """Plain, with a quote, in HTML, from a stranger, an absence note."""
        quote = "Na semana que vem, de manhã.\n\n> Bom dia, Marina.\n> Qual dia fica melhor?"
        await self.arrive("plain", -600, subject="Entrega do sofá Ipanema", text="Quando chega o sofá?")
        await self.arrive("plain", -500, text=quote, new_part="Na semana que vem, de manhã.", subject="Re: Entrega")
        await self.arrive("states", -900, subject=SUBJECT, text="Prezados", html=HTML, remote_images=1)
        await self.arrive(
            "states", -800, subject=SUBJECT, text="Sou a arquiteta.", new_participant=True, sender=ARCHITECT
        )
        note = {"kind": AutoReplyReceived, "subject": "Férias", "text": "Volto em dezembro.", "auto": "auto-reply"}
        await self.arrive("states", -700, **note)
        await self.arrive("long", -400, subject=LONG, text="Segue a planta com as cotas que o arquiteto pediu.")
        await self.arrive("hidden", -90_000, subject="Rack", text="Obrigada!")
        await self.world.use.conversation.hide(desk.ana(), self.ids["hidden"])
        await self.arrive("unread", -100, subject="Assento rasgado", text="A capa veio rasgada na costura de trás.")

    async def states(self) -> None:
        """Every state of an outbound message."""
        at, later = now(), now() + timedelta(seconds=9)
        ok, bad = (
            Recipient("sindico@jacaranda.example", "accepted", 250),
            Recipient("helena@traco.example", "refused", 550, "5.1.1", "no such user"),
        )
        unknown = replace(ok, state="unknown", code=None)
        done = {"finished_at": at, "attempt": 1, "outbox_version": 3}
        queued = {"status": Status.QUEUED, "due_at": later, "outbox_version": 1}
        held = {"cancels": (Cancel(str(uuid7()), (Asked("ana", at),)),)}
        marked = {"resolution": Resolution("marked_sent", "ana", at)}
        parked = {"status": Status.FAILED, "reason": "outcome_unknown", "recipients": (unknown,), **done}
        states: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
            ("accepted", {}, {}),
            ("queued", {**queued, "undo_until": now() + timedelta(minutes=9)}, {}),
            ("due", {**queued, "undo_until": at}, {}),
            ("deferred", {**queued, "attempt": 1, "next_attempt_at": later}, {}),
            ("committed", {"status": Status.COMMITTED, "attempt": 1}, {}),
            ("cancelling", {"status": Status.COMMITTED, "attempt": 1}, held),
            ("sent", {"status": Status.SENT, "recipients": (ok,), **done}, {}),
            ("partial", {"status": Status.SENT, "recipients": (ok, bad), **done}, {}),
            ("failed", {"status": Status.FAILED, "reason": "refused", "recipients": (bad,), **done}, {}),
            ("expired", {"status": Status.FAILED, "reason": "expired", "recipients": (bad,), **done}, {}),
            ("interrupted", {"status": Status.INTERRUPTED, "interrupted_by": ("ana",), **done}, {}),
            ("parked", parked, {}),
            ("marked", parked, marked),
            ("bounced", {"status": Status.SENT, "recipients": (ok,), **done}, {}),
        )
        for name, progress, more in states:
            made = await self.send("states", f"Mensagem: {name}")
            self.put(replace(made, progress=Progress(**progress), **more))
            self.ids[name] = made.message_id
        nobody = BouncedRecipient(address="helena@traco.example", status="5.1.1", diagnostic="550 no such user")
        said = {"subject": "Undelivered Mail Returned to Sender", "text": "550 no such user", "recipients": (nobody,)}
        report = bounce(CHANNEL, self.ids["states"], self.ids["bounced"], at=now(), seconds=1, **said)
        await self.world.use.inbound.handle(report)

    async def send(self, talk: str, text: str, who: Principal | None = None) -> Message:
        """A message into a conversation."""
        content, key = Content(None, text, None), Key(f"messages/{uuid4()}", "hash")
        made = await self.world.use.send.handle(who or desk.ana(), self.ids.get(talk, talk), content, key)
        assert isinstance(made, Message), made
        return made

    def put(self, message: Message) -> None:
        """The message as it now is."""
        self.world.messages.kept[TENANT, message.message_id] = message

    async def progress(self, message_id: str, **changes: Any) -> None:
        """The outbox says something; whoever follows hears of it."""
        known = self.world.messages.kept[TENANT, message_id]
        self.put(replace(known, progress=replace(known.progress, **changes)))
        self.tell(Thing.MESSAGE, message_id, known.conversation_id)

    def tell(self, kind: Thing, of: str, talk: str | None = None) -> None:
        """What the change stream would."""
        self._position += 1
        change = Change(TENANT, kind, of, self._position, f"p{self._position}", talk)
        for tenant, _, follower in self.world.changes.followers:
            if tenant == TENANT:
                follower.queue.put_nowait(change)

    async def hold(self, message_id: str, seconds: float = 60) -> None:
        """The outbox has taken it: the clock counts."""
        until = now() + timedelta(seconds=seconds)
        await self.progress(message_id, status=Status.QUEUED, undo_until=until, due_at=until, outbox_version=1)

    def outbox_answers(self, status: Status = Status.INTERRUPTED) -> None:
        """From now on a cancel is answered at once: stopped, or too late with this status."""
        stopped = status is Status.INTERRUPTED

        async def ask(message: Message, cancel: Cancel, event: Any) -> bool:
            done = replace(cancel, outcome="interrupted" if stopped else "too_late", status=str(status))
            progress = replace(message.progress, status=status, finished_at=now(), interrupted_by=("ana",) * stopped)
            self.put(replace(message, progress=progress, cancels=(*message.cancels, done)))
            return True

        self.world.messages.ask = ask  # type: ignore[method-assign]  # the outbox, answering at once

    def owner_refuses_signatures(self, html: str, by: str) -> None:
        """From now on somebody else has always saved first."""

        async def refuse(wish: Any, _: Any) -> None:
            await self.sign(ANA, html, by, 2)
            self.world.wishes.kept[wish.tenant, wish.request_id] = replace(wish, refused=MEANWHILE)

        self.world.wishes.owner = refuse

    def owner_signs(self) -> None:
        """From now on the signature service is there: it grants, with the images, or refuses what came second."""

        async def sign(wish: Any, asked: AnyEvent) -> None:
            said: Any = asked.data
            signed = await self.world.ports.signatures.of(TENANT, CHANNEL)
            known = [one for one in (signed.default, *signed.operators) if one and one.operator_id == said.operator_id]
            version = known[0].version if known else 0
            if said.expected_version not in (None, version):
                self.world.wishes.kept[wish.tenant, wish.request_id] = replace(wish, refused=MEANWHILE)
                return
            found = [await self.world.files.find(TENANT, one) for one in named_in(said.template.html)]
            images = [
                BlobRef(blob_id=f.blob_id, sha256=f.sha256, size=f.size, media_type=f.media_type) for f in found if f
            ]
            state = SignatureChanged(
                request_id=said.request_id, channel_id=CHANNEL, operator_id=said.operator_id, version=version + 1,
                template=said.template, images=tuple(images), changed_by=said.requested_by, changed_at=now(),
            )  # fmt: skip
            await self.world.use.settings.handle(event(TENANT, state, at=now(), source="signature"))

        self.world.wishes.owner = sign

    async def rename(self, state: Any, name: str) -> None:
        """A channel under another name."""
        settings = state.settings.model_copy(update={"name": name})
        renamed = state.model_copy(update={"settings": settings, "version": state.version + 1})
        await self.world.channels.put(event(TENANT, renamed, at=now(), source="config"))
