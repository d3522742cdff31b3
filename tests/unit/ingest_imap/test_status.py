"""What was seen and what it means for the channel."""

from __future__ import annotations

import pytest

from contracts.channel_status import ConnectionReason, ConnectionState
from services.ingest.domain.imap_status import Sign, Stage, Trouble, Verdict, judge

BY_THE_MACHINE = {
    Sign.DENIED: ("unreachable", "host_not_allowed"),
    Sign.UNRESOLVABLE: ("unreachable", "unresolvable"),
    Sign.REFUSED: ("unreachable", "refused_connection"),
    Sign.TIMEOUT: ("unreachable", "timeout"),
    Sign.LOST: ("unreachable", "connection_lost"),
    Sign.CERTIFICATE: ("unreachable", "tls_certificate"),
    Sign.TLS_BROKEN: ("unreachable", "tls_failed"),
    Sign.NO_STARTTLS: ("unreachable", "starttls_missing"),
    Sign.GARBLED: ("unreachable", "protocol_error"),
    Sign.BAD: ("unreachable", "protocol_error"),
    Sign.SECRET: ("auth_failed", "secret_unreadable"),
}


@pytest.mark.parametrize(("sign", "expected"), BY_THE_MACHINE.items())
@pytest.mark.parametrize("stage", Stage)
def test_signs_of_the_machine(stage: Stage, sign: Sign, expected: tuple[str, str]) -> None:
    verdict = judge(Trouble(stage, sign))
    assert (verdict.state, verdict.reason) == expected
    assert verdict.pause == ("refused" if verdict.state == "auth_failed" else "soon")


@pytest.mark.parametrize("code", ["AUTHENTICATIONFAILED", "EXPIRED", "PRIVACYREQUIRED"])
def test_an_explicit_refusal_is_one_at_once(code: str) -> None:
    verdict = judge(Trouble(Stage.LOGIN, Sign.NO, code))
    assert verdict == Verdict("auth_failed", "authentication_failed", "refused")


@pytest.mark.parametrize("refusals", [0, 1, 5])
@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        ("UNAVAILABLE", "unreachable", "server_unavailable"),
        ("CONTACTADMIN", "unreachable", "server_unavailable"),
        ("INUSE", "unreachable", "server_unavailable"),
        ("SERVERBUG", "unreachable", "server_unavailable"),
        ("LIMIT", "throttled", "rate_limited"),
    ],
)
def test_a_server_that_speaks_of_itself_refuses_nobody(code: str, state: str, reason: str, refusals: int) -> None:
    verdict = judge(Trouble(Stage.LOGIN, Sign.NO, code, "LOGIN failed"), refusals)
    assert (verdict.state, verdict.reason, verdict.uncoded) == (state, reason, False)


@pytest.mark.parametrize("code", [None, "ALERT", "X-STRANGE", "AUTHORIZATIONFAILED"])
def test_two_refusals_without_a_code_are_a_refusal(code: str | None) -> None:
    first = judge(Trouble(Stage.LOGIN, Sign.NO, code, "LOGIN failed"), 0)
    second = judge(Trouble(Stage.LOGIN, Sign.NO, code, "LOGIN failed"), 1)
    assert first == Verdict("unreachable", "server_unavailable", "soon", uncoded=True)
    assert second == Verdict("auth_failed", "refused_without_code", "refused", uncoded=True)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Too many simultaneous connections. (Failure)", "throttled"),
        ("Account exceeded bandwidth limits", "throttled"),
        ("Temporary authentication failure", "unreachable"),
        ("Server shutting down", "unreachable"),
    ],
)
def test_words_of_a_refusal_without_a_code(text: str, state: str) -> None:
    for refusals in (0, 1, 9):
        verdict = judge(Trouble(Stage.LOGIN, Sign.NO, "ALERT", text), refusals)
        assert (verdict.state, verdict.uncoded) == (state, False)


@pytest.mark.parametrize(
    ("stage", "code", "text", "state", "reason"),
    [
        (Stage.GREETING, None, "", "unreachable", "server_unavailable"),
        (Stage.GREETING, None, "Too many connections from your IP", "throttled", "rate_limited"),
        (Stage.GREETING, "UNAVAILABLE", "x", "unreachable", "server_unavailable"),
        (Stage.LOGIN, "LIMIT", "x", "throttled", "rate_limited"),
        (Stage.WATCH, None, "Server shutting down.", "unreachable", "server_unavailable"),
        (Stage.WATCH, None, "Autologout; idle for too long", "unreachable", "connection_lost"),
        (Stage.WATCH, None, "See you", "unreachable", "connection_lost"),
    ],
)
def test_bye(stage: Stage, code: str | None, text: str, state: str, reason: str) -> None:
    verdict = judge(Trouble(stage, Sign.BYE, code, text))
    assert (verdict.state, verdict.reason) == (state, reason)


def test_a_login_code_means_nothing_elsewhere() -> None:
    assert judge(Trouble(Stage.SELECT, Sign.NO, "AUTHENTICATIONFAILED"), 5).state == "unreachable"
    assert judge(Trouble(Stage.SELECT, Sign.NO, None, "no such mailbox"), 5).reason == "server_unavailable"


@pytest.mark.parametrize("sign", Sign)
@pytest.mark.parametrize("stage", Stage)
def test_every_word_is_the_contracts(stage: Stage, sign: Sign) -> None:
    for code in (None, "AUTHENTICATIONFAILED", "LIMIT", "UNAVAILABLE", "CLIENTBUG"):
        for refusals in (0, 1):
            verdict = judge(Trouble(stage, sign, code, "x"), refusals)
            assert ConnectionState(verdict.state) is not ConnectionState.OTHER
            assert ConnectionReason(verdict.reason) is not ConnectionReason.OTHER
