"""Submission against a scripted peer: every stage answers, refuses, drops, goes silent; TLS is checked by name."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest
import uvloop

from contracts.channel import ChannelChanged, ChannelSettings, Credentials, SealedSecret, Security, Server
from contracts.channel_status import ConnectionReason as Why
from services.kit.clock import SystemClock
from services.kit.egress import Egress
from services.kit.ids import uuid7
from services.kit.sealing import Binding, Opener, Sealer, new_keypair
from services.outbox.adapters.smtp import SmtpSubmission
from services.outbox.adapters.smtp_client import tls_context
from services.outbox.adapters.smtp_connect import SmtpConnector
from services.outbox.adapters.smtp_session import SmtpSession
from services.outbox.adapters.smtp_wire import NEEDS_UTF8, TOO_LARGE
from services.outbox.domain.replies import NoReply, NotOpen, Reply, Stage
from tests.infra.smtp_peer import Action, Peer, Rule, Settings, Tls
from tests.infra.smtp_peer import Stage as At
from tests.infra.smtp_peer.certificates import Certificates, issue, server_context
from tests.infra.smtp_peer.content import unstuffed

TENANT, PUBLIC_PRIVATE = str(uuid7()), new_keypair()
NOW = datetime(2026, 11, 24, tzinfo=UTC)
MAIL = b"Subject: x\r\nMessage-ID: <one@a.test>\r\n\r\n.dot\r\n..two\r\nend\r\n"
SECURITY = {Tls.NONE: Security.NONE, Tls.STARTTLS: Security.STARTTLS, Tls.IMPLICIT: Security.TLS}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(tmp_path_factory.mktemp("certificates"), "localhost")


def channel(
    port: int, security: Security = Security.NONE, *, host: str = "localhost", password: str = "right", **changes: Any
) -> ChannelChanged:
    server = Server(host=host, port=port, security=security, user_name="me")
    channel_id = changes.pop("channel_id", None) or str(uuid7())
    bound = Binding(TENANT, channel_id, "smtp", host, port, security.value, "me", 1)
    sealed = SealedSecret(jwe=Sealer(PUBLIC_PRIVATE[0]).seal({"password": password}, bound=bound), sealed_version=1)
    settings = ChannelSettings(name="desk", address="desk@a.test", imap=server, smtp=server)
    credentials = Credentials(smtp=sealed)
    return ChannelChanged(
        request_id=None, channel_id=channel_id, settings=settings, credentials=credentials, created_at=NOW,
        changed_at=NOW, **changes,
    )  # fmt: skip


def submission(
    port: int,
    context: ssl.SSLContext | None = None,
    *,
    plain: bool = True,
    seconds: float = 20,
    command_s: float = 20,
    allow: str = "127.0.0.0/8",
) -> SmtpSubmission:
    connector = SmtpConnector(
        Egress(allow=[ip_network(allow), ip_network("::1/128")]), Opener(PUBLIC_PRIVATE[1]), context or tls_context(),
        {port}, plain, "outbox.test", seconds,
    )  # fmt: skip
    return SmtpSubmission(connector, SystemClock(), command_s=command_s)


@asynccontextmanager
async def peer(
    settings: Settings | None = None, *rules: Rule, context: ssl.SSLContext | None = None
) -> AsyncIterator[Peer]:
    running = await Peer.start(settings, rules, context=context)
    try:
        yield running
    finally:
        await running.stop()


async def opened(running: Peer, **options: Any) -> SmtpSession:
    found = await submission(running.port, **options).session(channel(running.port), TENANT)
    assert isinstance(found, SmtpSession), found
    return found


def soon(seconds: float = 20) -> float:
    return time.monotonic() + seconds


async def send(session: SmtpSession, mail: bytes = MAIL, *to: str, within: float = 20) -> Any:
    answers = await session.envelope("desk@a.test", to or ("b@b.test",), len(mail))
    if not any(isinstance(answer, Reply) and answer.code == 250 for answer in answers.rcpt):
        return answers
    started = await session.data(soon(within))
    if not isinstance(started, Reply) or started.code != 354:
        return started
    return await session.content(mail, soon(within))


def received(running: Peer) -> list[bytes]:
    return [
        unstuffed(running.history.content(entry.n)) for entry in running.history.entries if entry.event == "content"
    ]


@pytest.mark.parametrize("pipelining", [True, False])
async def test_a_message_arrives_as_it_was_and_the_session_is_used_again(pipelining: bool) -> None:
    async with peer(Settings(pipelining=pipelining)) as running:
        session = await opened(running)
        for _ in range(3):
            assert await send(session, MAIL, "b@b.test", "c@b.test") == Reply(250, "2.0.0", "taken")
            assert await session.reset()
        await session.close()
        assert received(running) == [MAIL] * 3
        assert running.history.counts["connected"] == 1
        assert [
            entry.fields["bare_lf"] + entry.fields["bare_cr"]
            for entry in running.history.entries
            if entry.event == "content"
        ] == [0, 0, 0]


async def test_pipelining_takes_one_write_and_loses_no_reply() -> None:
    async with peer(Settings(delays={"rcpt": 0.001})) as running:
        session = await opened(running)
        to = [f"c{n}@b.test" for n in range(50)]
        running.script(
            Rule(At.RCPT, code=550, text="5.1.1 no such user", recipient="c7@"), Rule(At.RCPT, recipient="c9@")
        )
        answers = await session.envelope("desk@a.test", to, 100)
        assert isinstance(answers.mail, Reply)
        assert [answer.code for answer in answers.rcpt if isinstance(answer, Reply)] == [
            550 if n == 7 else 451 if n == 9 else 250 for n in range(50)
        ]
        assert answers.rcpt[7] == Reply(550, "5.1.1", "no such user")
        assert await session.reset()
        await session.close()


async def test_large_content_goes_in_slices() -> None:
    mail = b"Subject: x\r\n\r\n" + b".line of text that is long enough\r\n" * 120_000
    async with peer() as running:
        session = await opened(running)
        assert isinstance(await send(session, mail, within=60), Reply)
        assert received(running) == [mail]
        await session.close()


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("stage", "action", "detail"),
    [
        (stage, action, detail)
        for stage in (At.MAIL, At.RCPT)
        for action, detail in ((Action.DROP, "lost"), (Action.SILENT, "timeout"))
    ],
)
async def test_no_answer_before_data(pipelining: bool, stage: At, action: Action, detail: str) -> None:
    async with peer(Settings(pipelining=pipelining), Rule(stage, action)) as running:
        session = await opened(running, command_s=0.3 if action is Action.SILENT else 20)
        answers = await session.envelope("desk@a.test", ["b@b.test", "c@b.test"], 10)
        silence = NoReply(dot_sent=False, detail=detail)
        if stage is At.RCPT:
            assert isinstance(answers.mail, Reply)
            assert answers.rcpt == (silence, silence)
        else:
            assert answers.mail == silence
        assert not session.usable
        assert not await session.reset()


@pytest.mark.parametrize(
    ("stage", "action", "dot_sent", "detail"),
    [
        (At.DATA, Action.DROP, False, "lost"),
        (At.DATA, Action.SILENT, False, "deadline"),
        (At.FINAL, Action.DROP, True, "lost"),
        (At.FINAL, Action.SILENT, True, "deadline"),
    ],
)
async def test_no_answer_from_data_on(stage: At, action: Action, dot_sent: bool, detail: str) -> None:
    async with peer(Settings(), Rule(stage, action)) as running:
        session = await opened(running)
        within = 0.5 if action is Action.SILENT else 20
        assert await send(session, within=within) == NoReply(dot_sent, detail)
        assert not session.usable


async def test_a_drop_inside_the_content_leaves_no_final_dot() -> None:
    mail = b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n"
    mail += (b"y" * 70 + b"\r\n") * 400_000
    async with peer(Settings(), Rule(At.CHUNK, Action.DROP, after_bytes=100_000)) as running:
        session = await opened(running)
        assert await send(session, mail, within=20) == NoReply(dot_sent=False, detail="lost")
        assert running.history.counts["content"] == 0
        assert running.history.counts["partial"] == 1


async def test_a_stalled_reader_meets_the_deadline_and_gets_nothing_more() -> None:
    mail = b"Subject: x\r\n\r\n" + (b"y" * 70 + b"\r\n") * 400_000
    async with peer(Settings(), Rule(At.CHUNK, Action.SILENT, after_bytes=100_000)) as running:
        session = await opened(running)
        began = time.monotonic()
        answer = await send(session, mail, within=1)
        assert isinstance(answer, NoReply)
        assert time.monotonic() - began < 3
        assert not session.usable
        await asyncio.sleep(0.2)
        assert running.history.counts["content"] == 0


async def test_past_the_deadline_nothing_is_written() -> None:
    async with peer() as running:
        session = await opened(running)
        await session.envelope("desk@a.test", ["b@b.test"], len(MAIL))
        assert await session.data(soon(-1)) == NoReply(dot_sent=False, detail="deadline")
        session = await opened(running)
        await session.envelope("desk@a.test", ["b@b.test"], len(MAIL))
        await session.data(soon())
        assert await session.content(MAIL, soon(-1)) == NoReply(dot_sent=False, detail="deadline")
        await asyncio.sleep(0.05)
        assert running.history.counts["content"] == 0


@pytest.mark.parametrize("code", [250, 550])
async def test_refusals_are_values_and_leave_the_session_in_step(code: int) -> None:
    async with peer(
        Settings(),
        Rule(At.DATA, code=554, text="5.7.1 no", times=1),
        Rule(At.FINAL, code=452, text="4.2.2 full", times=1),
    ) as running:
        session = await opened(running)
        assert await send(session) == Reply(554, "5.7.1", "no")
        assert await session.reset()
        assert await send(session) == Reply(452, "4.2.2", "full")
        running.script(Rule(At.MAIL, code=550, text="5.7.1 you?", times=1))
        answers = await send(session)
        assert answers.mail == Reply(550, "5.7.1", "you?")
        assert await session.reset()
        assert isinstance(await send(session), Reply)
        await session.close()


@asynccontextmanager
async def parrot(answers: dict[bytes, bytes]) -> AsyncIterator[int]:
    """A server that lets anybody in and gives these answers to the first four letters of a command."""
    known = {b"EHLO": b"250-x\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n", b"AUTH": b"235 ok\r\n"} | answers

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 x\r\n")
        while line := await reader.readline():
            writer.write(known.get(line[:4], b""))
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.parametrize("answer", [b"what?\r\n", b"99 x\r\n", b"999 x\r\n", b"x" * 200_000])
async def test_what_is_no_reply_closes_the_session(answer: bytes) -> None:
    async with parrot({b"MAIL": answer}) as port:
        found = await submission(port).session(channel(port), TENANT)
        assert isinstance(found, SmtpSession)
        assert (await found.envelope("desk@a.test", ["b@b.test"], 1)).mail == NoReply(False, "out_of_step")
        assert not found.usable


async def test_a_reply_too_many_closes_the_session() -> None:
    async with parrot({b"MAIL": b"250 ok\r\n", b"RCPT": b"250 ok\r\n250 and more\r\n"}) as port:
        found = await submission(port).session(channel(port), TENANT)
        assert isinstance(found, SmtpSession)
        assert (await found.envelope("desk@a.test", ["b@b.test"], 1)).mail == Reply(250, None, "ok")
        assert not found.usable
        assert await found.data(soon()) == NoReply(False, "out_of_step")


async def test_a_421_is_told_and_closes() -> None:
    async with peer(Settings(), Rule(At.MAIL, code=421, text="4.3.2 closing")) as running:
        session = await opened(running)
        assert (await session.envelope("desk@a.test", ["b@b.test"], 1)).mail == Reply(421, "4.3.2", "closing")
        assert not session.usable


async def test_addresses_that_cannot_be_given() -> None:
    async with peer(Settings(smtputf8=False)) as running:
        session = await opened(running)
        bad = ["ünï@b.test", "b@b.test>\r\nRCPT TO:<x@b.test", "b b@b.test", "", "c@b.test", "d\0@b.test"]
        answers = await session.envelope("desk@a.test", bad, 10)
        assert [getattr(answer, "enhanced", None) for answer in answers.rcpt] == [
            "5.6.7",
            "5.1.3",
            "5.1.3",
            "5.1.3",
            "2.1.5",
            "5.1.3",
        ]
        assert [entry.fields["recipient"] for entry in running.history.entries if entry.event == "rcpt"] == ["c@b.test"]
        assert await session.reset()
        assert (await session.envelope("dësk@a.test", ["c@b.test"], 10)).mail == NEEDS_UTF8
        await session.close()


async def test_smtputf8_and_size_only_where_offered() -> None:
    async with peer(Settings(size=1000)) as running:
        session = await opened(running)
        assert (await session.envelope("desk@a.test", ["b@b.test"], 1001)).mail == TOO_LARGE
        assert running.history.counts["mail"] == 0
        answers = await session.envelope("desk@a.test", ["ünï@b.test"], 1000)
        assert isinstance(answers.rcpt[0], Reply)
        assert answers.rcpt[0].code == 250
        await session.close()


@pytest.mark.parametrize("tls", [Tls.IMPLICIT, Tls.STARTTLS])
async def test_tls_is_checked_and_used(tls: Tls, certificates: Certificates) -> None:
    context = tls_context(str(certificates.bundle))
    async with peer(Settings(tls=tls), context=server_context(certificates.good)) as running:
        found = await submission(running.port, context, plain=False).session(
            channel(running.port, SECURITY[tls]), TENANT
        )
        assert isinstance(found, SmtpSession), found
        assert isinstance(await send(found), Reply)
        assert (
            running.history.counts["secured"] == (1 if tls is Tls.STARTTLS else 0)
            or running.history.counts["secured"] == 1
        )
        await found.close()


@pytest.mark.parametrize("tls", [Tls.IMPLICIT, Tls.STARTTLS])
@pytest.mark.parametrize("wrong", ["expired", "wrong_name", "unknown_authority", "by_address"])
async def test_a_wrong_certificate_is_refused(tls: Tls, wrong: str, certificates: Certificates) -> None:
    context = tls_context(None if wrong == "unknown_authority" else str(certificates.bundle))
    pem = {"expired": certificates.expired, "wrong_name": certificates.wrong_name}.get(wrong, certificates.good)
    async with peer(Settings(tls=tls), context=server_context(pem)) as running:
        host = "127.0.0.1" if wrong == "by_address" else "localhost"
        made = channel(running.port, SECURITY[tls], host=host)
        found = await submission(running.port, context).session(made, TENANT)
        assert found == NotOpen(Stage.TLS, Why.TLS_CERTIFICATE)
        assert running.history.counts["authenticated"] == 0


async def test_a_stripped_starttls_is_refused(certificates: Certificates) -> None:
    settings = Settings(tls=Tls.STARTTLS, strip_starttls=True)
    async with peer(settings, context=server_context(certificates.good)) as running:
        found = await submission(running.port).session(channel(running.port, Security.STARTTLS), TENANT)
        assert found == NotOpen(Stage.TLS, Why.STARTTLS_MISSING)
        assert running.history.counts["authenticated"] == 0


async def test_plain_only_where_the_platform_allows_it() -> None:
    async with peer() as running:
        found = await submission(running.port, plain=False).session(channel(running.port), TENANT)
        assert isinstance(found, NotOpen)
        assert running.history.counts["connected"] == 0


@pytest.mark.parametrize(
    ("rule", "stage", "reason", "code"),
    [
        (Rule(At.CONNECT, code=421, text="4.3.2 busy"), Stage.CONNECT, Why.SERVER_UNAVAILABLE, 421),
        (Rule(At.CONNECT, code=421, text="4.7.0 too many connections"), Stage.CONNECT, Why.RATE_LIMITED, 421),
        (Rule(At.CONNECT, Action.DROP), Stage.CONNECT, Why.CONNECTION_LOST, None),
        (Rule(At.CONNECT, Action.SILENT), Stage.CONNECT, Why.TIMEOUT, None),
        (Rule(At.AUTH, code=454, text="4.7.0 later"), Stage.LOGIN, Why.SERVER_UNAVAILABLE, 454),
        (Rule(At.AUTH, code=535, text="5.7.8 no"), Stage.LOGIN, Why.AUTHENTICATION_FAILED, 535),
        (Rule(At.AUTH, code=550, text="go away"), Stage.LOGIN, Why.REFUSED_WITHOUT_CODE, 550),
        (Rule(At.AUTH, Action.DROP), Stage.LOGIN, Why.CONNECTION_LOST, None),
        (Rule(At.AUTH, Action.SILENT), Stage.LOGIN, Why.TIMEOUT, None),
    ],
)
async def test_every_failed_opening_has_its_reason(rule: Rule, stage: Stage, reason: Why, code: int | None) -> None:
    async with peer(Settings(), rule) as running:
        seconds = 0.5 if rule.action is Action.SILENT else 20
        found = await submission(running.port, seconds=seconds).session(channel(running.port), TENANT)
        assert isinstance(found, NotOpen)
        assert (found.stage, found.reason, found.reply and found.reply.code) == (stage, reason, code)


async def test_a_wrong_password_is_tried_once_and_told_as_such() -> None:
    async with peer(Settings(accounts={"me": "right"}, mechanisms=("CRAM-MD5", "LOGIN", "PLAIN"))) as running:
        found = await submission(running.port).session(channel(running.port, password="wrong"), TENANT)
        assert isinstance(found, NotOpen)
        assert (found.stage, found.reason) == (Stage.LOGIN, Why.AUTHENTICATION_FAILED)
        assert isinstance(await submission(running.port).session(channel(running.port), TENANT), SmtpSession)


async def test_hosts_are_checked_on_every_connect() -> None:
    async with peer() as running:
        made = submission(running.port, allow="10.0.0.0/8")
        found = await made.session(channel(running.port), TENANT)
        assert found == NotOpen(Stage.CONNECT, Why.HOST_NOT_ALLOWED)
        found = await submission(running.port).session(channel(running.port, host="no-such-host.invalid"), TENANT)
        assert found == NotOpen(Stage.CONNECT, Why.UNRESOLVABLE)
        assert running.history.counts["connected"] == 0


async def test_a_closed_port_and_a_port_that_is_not_allowed() -> None:
    async with peer() as running:
        port = running.port
    assert await submission(port).session(channel(port), TENANT) == NotOpen(Stage.CONNECT, Why.REFUSED_CONNECTION)
    assert await submission(25).session(channel(port), TENANT) == NotOpen(Stage.CONNECT, Why.HOST_NOT_ALLOWED)


async def test_another_channels_secret_does_not_open() -> None:
    async with peer() as running:
        mine, other = channel(running.port), channel(running.port)
        stolen = mine.model_copy(update={"credentials": other.credentials})
        assert await submission(running.port).session(stolen, TENANT) == NotOpen(Stage.LOGIN, Why.SECRET_UNREADABLE)
        none = mine.model_copy(update={"credentials": Credentials()})
        assert await submission(running.port).session(none, TENANT) == NotOpen(Stage.LOGIN, Why.SECRET_UNREADABLE)
        assert running.history.counts["connected"] == 0


async def test_the_pool_keeps_by_version_and_drops_the_dead() -> None:
    async with peer() as running:
        pool, made = submission(running.port), channel(running.port)

        async def take(now: ChannelChanged, fresh: bool = False) -> SmtpSession:
            found = await pool.session(now, TENANT, fresh=fresh)
            assert isinstance(found, SmtpSession)
            return found

        first = await take(made)
        await first.release()
        again = await take(made)
        assert again is first
        fresh = await take(made, fresh=True)
        assert fresh is not first
        await again.release()
        newer = await take(made.model_copy(update={"version": 2}))
        assert newer is not first
        assert not first.usable
        await fresh.release()
        assert not fresh.usable
        await newer.release()
        running.sever()
        await asyncio.sleep(0.05)
        last = await take(made.model_copy(update={"version": 2}))
        assert last is not newer
        await last.release()
        assert await pool.close_idle() == 0
        await pool.forget(TENANT, made.channel_id)
        assert not last.usable


async def test_a_cancelled_step_closes_the_session() -> None:
    async with peer(Settings(), Rule(At.MAIL, Action.SILENT)) as running:
        session = await opened(running)
        task = asyncio.create_task(session.envelope("desk@a.test", ["b@b.test"], 1))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not session.usable


@pytest.mark.parametrize("tls", [Tls.NONE, Tls.IMPLICIT, Tls.STARTTLS])
def test_the_same_under_uvloop(tls: Tls, certificates: Certificates) -> None:
    context = None if tls is Tls.NONE else server_context(certificates.good)

    async def go() -> None:
        async with peer(Settings(tls=tls), context=context) as running:
            made = submission(running.port, tls_context(str(certificates.bundle)))
            found = await made.session(channel(running.port, SECURITY[tls]), TENANT)
            assert isinstance(found, SmtpSession), found
            for _ in range(2):
                assert isinstance(await send(found, MAIL, *(f"c{n}@b.test" for n in range(20))), Reply)
            running.script(Rule(At.FINAL, Action.SILENT))
            assert await send(found, within=0.3) == NoReply(True, "deadline")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(go())
