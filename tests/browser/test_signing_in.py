"""Signing in at a real OpenID Connect server that checks PKCE, in a real browser, over https; and out again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from services.gateway.console.door import SECURE_KEPT
from services.gateway.console.sessions import SECURE
from services.gateway.domain.message import Status
from tests.browser.secure_stage import SecureStage
from tests.infra.openid import key, missing
from tests.infra.smtp_peer.certificates import issue
from tests.unit.gateway.world import CHANNEL


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    if lacking := missing():
        assert not os.environ.get("MALOTE_REQUIRE_OPENID"), lacking
        pytest.skip(lacking)  # on a machine without Node alone: CI must have it, see the line above


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return issue(tmp_path_factory.mktemp("tls")).good


@pytest.fixture(scope="module")
def secure(certificate: Path) -> Iterator[SecureStage]:
    made = SecureStage(certificate)
    with made.provider, made:
        yield made


def opened(browser: Browser) -> BrowserContext:
    context = browser.new_context(locale="en", ignore_https_errors=True)
    context.set_default_timeout(10_000)
    context.route("https://fonts.googleapis.com/**", lambda route: route.abort())  # the provider's own pages ask for it
    return context


@pytest.fixture
def page(browser: Browser, secure: SecureStage) -> Iterator[Page]:
    """A browser that has never been here."""
    context = opened(browser)
    made = context.new_page()
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
    yield made
    context.close()
    assert not wrong


def at_the_provider(page: Page, person: str) -> None:
    """What a person types there."""
    page.fill("input[name=login]", person)
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")


def sign_in(page: Page, stage: SecureStage, person: str, path: str = "/c") -> None:
    page.goto(stage.url + path)
    page.click("a[href^='/sign-in/oidc']")
    at_the_provider(page, person)
    page.wait_for_url(f"{stage.url}/**")


def cookies(page: Page) -> dict[str, Any]:
    return {str(one.get("name")): one for one in page.context.cookies()}


def tampered(page: Page, stage: SecureStage, **changes: str) -> Page:
    """Signs in with other values remembered than those that the sign-in began with."""
    page.goto(f"{stage.url}/sign-in/oidc?to=/c")
    (kept,) = (one for one in page.context.cookies() if one.get("name") == SECURE_KEPT)
    content = stage.sessions.opened(str(kept.get("value")))
    assert content is not None
    assert changes.keys() <= content.keys()
    kept["value"] = stage.sessions.sealed(content | changes)
    page.context.add_cookies([kept])  # type: ignore[list-item]  # what cookies() gives is what add_cookies() takes
    at_the_provider(page, "ana")
    page.wait_for_url(f"{stage.url}/**")
    return page


def test_a_person_signs_in_and_comes_to_the_page_they_asked_for(page: Page, secure: SecureStage) -> None:
    talk = f"/c/{secure.scenery.ids['plain']}?view=mine"
    sign_in(page, secure, "ana", talk)
    assert page.url == secure.url + talk
    expect(page.locator(".me strong")).to_have_text("Ana Beatriz Lemos")
    held = cookies(page)[SECURE]
    assert (held["httpOnly"], held["secure"], held["sameSite"], held["path"]) == (True, True, "Lax", "/")
    assert held["domain"] == "127.0.0.1"
    assert held["expires"] == -1
    assert SECURE_KEPT not in cookies(page)
    assert SECURE not in page.evaluate("document.cookie")


def test_a_client_with_a_secret_signs_people_in(browser: Browser, certificate: Path) -> None:
    stage, context = SecureStage(certificate, secret=True), opened(browser)
    with stage.provider, stage:
        page = context.new_page()
        sign_in(page, stage, "rui")
        expect(page.locator(".me strong")).to_have_text("Rui Couto")
        context.close()


def test_the_same_values_sign_in(page: Page, secure: SecureStage) -> None:
    """Otherwise the refusals below would prove nothing."""
    assert tampered(page, secure, to="/c/new").url == f"{secure.url}/c/new"


@pytest.mark.parametrize("name", ["verifier", "nonce", "state"])
def test_another_verifier_nonce_or_state_is_refused(page: Page, secure: SecureStage, name: str) -> None:
    tampered(page, secure, **{name: "x" * 43})
    expect(page.get_by_role("alert")).to_have_text("Signing in did not work. Try again.")
    assert SECURE not in cookies(page)
    page.goto(f"{secure.url}/c")
    assert "/sign-in" in page.url


def test_a_code_serves_once_and_in_its_own_browser(page: Page, browser: Browser, secure: SecureStage) -> None:
    seen: list[str] = []
    page.on("request", lambda one: seen.append(one.url) if "/sign-in/callback" in one.url else None)
    sign_in(page, secure, "ana")
    answer = page.goto(seen[0])
    assert answer is not None
    assert answer.status == 403
    thief = opened(browser)
    stolen = thief.new_page()
    stolen.goto(f"{secure.url}/sign-in/oidc")
    answer = stolen.goto(seen[0])
    assert answer is not None
    assert answer.status == 403
    thief.close()


def test_signing_out_ends_the_session_here_and_at_the_provider(page: Page, secure: SecureStage) -> None:
    sign_in(page, secure, "ana")
    before = cookies(page)[SECURE]
    page.set_viewport_size({"width": 1440, "height": 900})
    page.click("form[action='/sign-out'] button")
    page.click("button[name=logout]")
    page.wait_for_url(f"{secure.url}/sign-in**")
    assert SECURE not in cookies(page)
    assert before["value"]
    page.goto(f"{secure.url}/c")
    assert "/sign-in" in page.url
    page.click("a[href^='/sign-in/oidc']")
    expect(page.locator("input[name=login]")).to_be_visible()


def test_somebody_without_a_tenant_does_not_come_in(page: Page, secure: SecureStage) -> None:
    sign_in(page, secure, "nobody")
    expect(page.get_by_role("alert")).to_have_text("Signing in did not work. Try again.")
    assert SECURE not in cookies(page)


def test_another_tenants_supervisor_finds_nothing(page: Page, secure: SecureStage) -> None:
    sign_in(page, secure, "eve", f"/c/{secure.scenery.ids['plain']}")
    expect(page.locator("h1")).to_have_text("This page doesn't exist here")
    assert "Carla" not in page.content()


def queued(page: Page, stage: SecureStage, text: str) -> str:
    """A message of this person that shows its clock."""
    page.fill("#w-m", text)
    page.keyboard.press("Control+Enter")
    card = page.locator(".msg.out", has_text=text).last
    expect(card.locator(".st.clock")).to_be_visible()
    message = str(card.get_attribute("id")).removeprefix("m-")
    stage.run(stage.scenery.hold(message))
    return message


def asked(page: Page, message: str) -> Page:
    """The dialog of the eye, with what it offers."""
    page.click(f"[data-eye='{message}']")
    expect(page.locator("#eye[open]")).to_be_visible()
    return page


def test_the_scopes_make_the_role(browser: Browser, secure: SecureStage) -> None:
    secure.scenery.outbox_answers()
    talk, people = f"/c/{secure.scenery.ids['plain']}", {}
    for person in ("ana", "rui", "joana"):
        people[person] = opened(browser).new_page()
        sign_in(people[person], secure, person, talk)
    message = queued(people["ana"], secure, "Escrita por Ana")
    for person, may in (("rui", False), ("joana", True)):
        people[person].reload()
        asked(people[person], message)
        expect(people[person].locator("#eye [data-interrupt]")).to_have_count(1 if may else 0)
    people["joana"].click("#eye [data-interrupt]")
    expect(people["joana"].locator(f"#m-{message} .st")).to_have_attribute("data-state", "interrupted")
    for person, may in (("rui", False), ("joana", False), ("ana", True)):
        people[person].goto(f"{secure.url}/settings/channels/{CHANNEL}")
        expect(people[person].locator("#sig .btn.go")).to_have_count(1 if may else 0)
        people[person].context.close()


def soon(true: Callable[[], bool], within_s: float = 15) -> None:
    """Waits for it."""
    limit = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.1)


def test_a_session_that_expires_keeps_the_draft_and_comes_back(page: Page, secure: SecureStage) -> None:
    talk = f"/c/{secure.scenery.ids['plain']}?view=mine"
    secure.provider.lasts_s = 5
    secure.provider.rotate(secure.provider.keys)
    try:
        sign_in(page, secure, "rui", talk)
        page.fill("#w-m", "Half a sentence")
        page.wait_for_url("**/sign-in?expired=1**")
        expect(page.get_by_role("alert")).to_contain_text("Your session ended. What you were writing is kept")
    finally:
        secure.provider.lasts_s = 600
        secure.provider.rotate(secure.provider.keys)
    page.click("a[href^='/sign-in/oidc']")
    at_the_provider(page, "rui")
    page.wait_for_url(secure.url + talk)
    expect(page.locator("#w-m")).to_have_value("Half a sentence")
    page.fill("#w-m", "")


def test_the_providers_new_keys_are_taken_up_and_its_old_ones_dropped(page: Page, secure: SecureStage) -> None:
    sign_in(page, secure, "ana")
    second = key("second")
    secure.provider.rotate([second, *secure.provider.keys])
    secure.run(secure.tokens.keys.refresh())
    page.goto(f"{secure.url}/c/new")
    assert page.url == f"{secure.url}/c/new"
    third = key("third")
    secure.provider.rotate([third, second])
    page.context.clear_cookies()
    sign_in(page, secure, "ana")
    assert page.url == f"{secure.url}/c"
    secure.provider.rotate([key("fourth")])
    secure.run(secure.tokens.keys.refresh())
    page.goto(f"{secure.url}/c/new")
    assert "/sign-in" in page.url


def test_a_message_sent_before_is_still_ones_own(page: Page, secure: SecureStage) -> None:
    """The person is known by the subject, whichever session it was."""
    secure.scenery.outbox_answers(Status.INTERRUPTED)
    sign_in(page, secure, "rui", f"/c/{secure.scenery.ids['plain']}")
    message = queued(page, secure, "Antes")
    page.context.clear_cookies()
    sign_in(page, secure, "rui", f"/c/{secure.scenery.ids['plain']}")
    asked(page, message)
    expect(page.locator("#eye [data-interrupt]")).to_have_count(1)
