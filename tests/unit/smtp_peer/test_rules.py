"""The peer as a bad server: it refuses, stalls, cuts and goes silent where a rule says so, and writes it down."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import aiosmtplib
import pytest

from tests.infra.smtp_peer import Action, Entry, Peer, Per, Rule, Settings, Stage
from tests.infra.smtp_peer.rules import Facts, RuleBook

MAIL = b"Subject: hello\r\nMessage-ID: <one@a.test>\r\n\r\nbody\r\n"
REPLIED = [Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.FINAL]
CUT = [Stage.CONNECT, Stage.EHLO, *REPLIED, Stage.CHUNK]


async def send(peer: Peer, *recipients: str, timeout: float = 5.0) -> None:
    smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=peer.port, timeout=timeout, start_tls=False)
    try:
        await smtp.connect()
        await smtp.sendmail("a@a.test", list(recipients) or ["b@b.test"], MAIL)
    finally:
        smtp.close()


async def events(peer: Peer) -> dict[str, Entry]:
    await asyncio.sleep(0.02)
    return {entry.event: entry for entry in peer.history.entries}


@pytest.mark.parametrize("stage", REPLIED)
async def test_a_refusal_at_any_command_reaches_the_client(stage: Stage) -> None:
    peer = await Peer.start(rules=[Rule(stage, code=554, text="5.7.1 no")])
    with pytest.raises(aiosmtplib.SMTPException):
        await send(peer)
    seen = await events(peer)
    assert peer.history.counts["answered_250"] == 0
    assert ("content" in seen) == (stage is Stage.FINAL)
    await peer.stop()


@pytest.mark.parametrize("stage", CUT)
async def test_a_cut_at_any_command_is_noticed_on_both_sides(stage: Stage) -> None:
    peer = await Peer.start(rules=[Rule(stage, Action.DROP)])
    with pytest.raises((aiosmtplib.SMTPException, OSError)):
        await send(peer)
    seen = await events(peer)
    assert seen["dropped"].fields == {"by": "peer", "stage": stage}
    assert peer.history.counts["answered_250"] == 0
    await peer.stop()


@pytest.mark.parametrize("stage", CUT)
async def test_silence_at_any_command_ends_with_the_clients_patience(stage: Stage) -> None:
    peer = await Peer.start(rules=[Rule(stage, Action.SILENT)])
    with pytest.raises((aiosmtplib.SMTPException, OSError, TimeoutError)):
        await send(peer, timeout=0.1)
    seen = await events(peer)
    assert seen["silent"].fields["stage"] == stage
    await peer.stop()


@pytest.mark.parametrize(("stage", "left"), [(Stage.CHUNK, "partial"), (Stage.FINAL, "answered")])
async def test_what_came_before_a_cut_is_kept(stage: Stage, left: str) -> None:
    peer = await Peer.start(rules=[Rule(stage, Action.DROP)])
    with pytest.raises((aiosmtplib.SMTPException, OSError)):
        await send(peer)
    seen = await events(peer)
    assert seen[left].fields["message_id"] == "<one@a.test>"
    assert seen[left].fields["recipients"] == ["b@b.test"]
    assert seen[left].fields.get("sent", False) is False
    await peer.stop()


async def test_a_client_that_breaks_off_inside_the_content_leaves_a_partial() -> None:
    peer = await Peer.start()
    smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=peer.port, start_tls=False)
    await smtp.connect()
    await smtp.mail("a@a.test")
    await smtp.rcpt("b@b.test")
    await smtp.execute_command(b"DATA")
    line = cast(asyncio.Transport, smtp.transport)
    line.write(b"Message-ID: <half@a.test>\r\n\r\nhalf")
    await asyncio.sleep(0.02)
    line.abort()
    seen = await events(peer)
    assert peer.history.content(seen["partial"].n).endswith(b"half")
    assert seen["partial"].fields["message_id"] == "<half@a.test>"
    await peer.stop()


async def test_one_recipient_of_three_is_refused() -> None:
    peer = await Peer.start(rules=[Rule(Stage.RCPT, code=550, text="5.1.1 unknown", recipient="^no@")])
    await send(peer, "a@b.test", "no@b.test", "c@b.test")
    seen = await events(peer)
    assert seen["answered"].fields["recipients"] == ["a@b.test", "c@b.test"]
    codes = [entry.fields["code"] for entry in peer.history.entries if entry.event == "rcpt"]
    assert codes == [250, 550, 250]
    await peer.stop()


async def test_greylisting_defers_the_first_attempt_for_each_recipient() -> None:
    peer = await Peer.start(rules=[Rule(Stage.RCPT, times=1, per=Per.RECIPIENT)])
    for recipient in ("x@b.test", "y@b.test"):
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await send(peer, recipient)
        await send(peer, recipient)
    assert peer.history.counts["answered_250"] == 2
    await peer.stop()


async def test_a_slow_final_reply_takes_its_time() -> None:
    peer = await Peer.start(Settings(delays={"final": 0.1}), [Rule(Stage.FINAL, Action.PASS, delay=0.1)])
    began = time.monotonic()
    await send(peer)
    assert 0.2 <= time.monotonic() - began < 1
    content, answered = (await events(peer))["content"], (await events(peer))["answered"]
    assert answered.mono - content.mono >= 0.2
    await peer.stop()


async def test_an_answer_and_a_cut_behind_it() -> None:
    peer = await Peer.start(rules=[Rule(Stage.MAIL, Action.REPLY_DROP, code=421, text="4.3.2 closing")])
    with pytest.raises(aiosmtplib.SMTPException) as refused:
        await send(peer)
    assert "421" in repr(refused.value)
    await peer.stop()


def test_skip_times_and_message_id_narrow_a_rule() -> None:
    book = RuleBook()
    book.replace([Rule(Stage.FINAL, message_id="one@", skip=1, times=2, per=Per.MESSAGE)])
    spoken = [book.decide(Stage.FINAL, Facts(1, message_id="<one@a.test>")) is not None for _ in range(5)]
    assert spoken == [False, True, True, False, False]
    assert book.decide(Stage.FINAL, Facts(1, message_id="<two@a.test>")) is None
    assert book.decide(Stage.DATA, Facts(1, message_id="<one@a.test>")) is None


def test_chance_is_seeded() -> None:
    def tosses(seed: int) -> list[bool]:
        book = RuleBook(seed)
        book.replace([Rule(Stage.MAIL, probability=0.5)])
        return [book.decide(Stage.MAIL, Facts(1)) is not None for _ in range(64)]

    assert tosses(7) == tosses(7) != tosses(8)
    assert 10 < sum(tosses(7)) < 54


def test_a_chunk_rule_waits_for_its_bytes() -> None:
    book = RuleBook()
    book.replace([Rule(Stage.CHUNK, Action.DROP, after_bytes=100)])
    assert book.decide(Stage.CHUNK, Facts(1, received=99)) is None
    assert book.decide(Stage.CHUNK, Facts(1, received=100)) is not None


def test_rules_travel_as_json() -> None:
    rule = Rule(Stage.RCPT, Action.SILENT, recipient="x", per=Per.SENDER, times=3)
    assert Rule.from_json(rule.as_json()) == rule
    with pytest.raises(ValueError, match="nowhere"):
        Rule.from_json({"stage": "nowhere"})
