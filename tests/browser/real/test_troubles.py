"""What goes wrong around a desk, seen from its page: it tells the truth, loses no word and sends nothing twice."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.real.conftest import Arrive
from tests.browser.real.house import TEAMS, House, Team
from tests.browser.real.person import PATIENCE_MS, Person
from tests.e2e.mail import arrived, mails
from tests.infra.smtp_peer import Rule, Stage

CLIENT = "carla@more.test"


@pytest.fixture(scope="module")
def team() -> Team:
    """A desk of its own, so that the first day of the others is not disturbed."""
    return TEAMS["more"]


@pytest.fixture(scope="module")
async def talk(house: House, team: Team, channel: str) -> str:
    """The path of a conversation with one client."""
    async with house.desk(team) as desk:
        return f"/c/{await desk.conversation(channel, CLIENT)}"


async def at(person: Person, path: str) -> Person:
    """The person opens the page and is live on it."""
    await person.page.goto(person.url + path)
    await person.live()
    return person


async def test_two_browsers_on_one_conversation(arrive: Arrive, house: House, team: Team, talk: str) -> None:
    ana = await at(await arrive("en", team), talk)
    rui = await at(await arrive("pt-BR", team, "rui"), talk)
    await ana.write("Para dois.", "Dois")
    await rui.reads("Para dois.", "queued")
    await rui.card("Para dois.").get_by_role("button", name=rui.t("act.interrupt")).click()
    await rui.sees("eye.notyours", "dialog[open]")
    await ana.card("Para dois.").get_by_role("button", name=ana.t("act.interrupt")).click()
    await ana.click("button", "eye.stop")
    await rui.reads("Para dois.", "interrupted")
    await rui.sees("st.interrupted", "dialog[open]")
    await rui.page.keyboard.press("Escape")
    await rui.write("Do outro lado.", "Re: Dois")
    await ana.reads("Do outro lado.", "queued")
    await house.arrive(team.address, f"Carla <{CLIENT}>", "Dois", "Uma pergunta.\n")
    for one in (ana, rui):
        await expect(one.page.locator(".conv", has_text="Dois").first).to_be_visible(timeout=PATIENCE_MS)


async def test_a_killed_gateway_hides_the_clock_and_catches_up(
    arrive: Arrive, house: House, team: Team, talk: str
) -> None:
    ana = await at(await arrive("pt-BR", team), talk)
    await ana.write("Durante a queda.")
    await ana.reads("Durante a queda.", "queued")
    await ana.fill("w.message", "Rascunho que fica")
    line = ana.card("Durante a queda.").locator(".st")
    await house.stack.kill9("gateway-0")
    await expect(ana.page.locator("#lost")).to_be_visible(timeout=PATIENCE_MS)
    await expect(line.locator(".ring")).to_be_hidden()
    await expect(line.locator(".w:visible")).to_have_text(ana.t("l.unknown"))
    await ana.card("Durante a queda.").locator("[data-eye]").click()
    await ana.sees("l.failed", "#toasts")
    await arrived(house.peer, CLIENT, len([one for one in mails(house.peer, CLIENT) if one.code]) + 1)
    await house.stack.restart("gateway-0")
    await ana.reads("Durante a queda.", "sent")
    await expect(ana.page.locator("#lost")).to_be_hidden(timeout=PATIENCE_MS)
    await expect(ana.field("w.message")).to_have_value("Rascunho que fica")
    await ana.page.reload()
    await expect(ana.field("w.message")).to_have_value("Rascunho que fica")
    await ana.fill("w.message", "")


async def test_a_slow_server_is_told_and_a_double_click_sends_once(
    arrive: Arrive, house: House, team: Team, channel: str
) -> None:
    ana = await arrive("en", team, url=f"http://127.0.0.1:{house.slow.port}")
    await ana.go("start")
    await ana.fill("s.clients", "slow@more.test")
    await ana.fill("subject", "Devagar")
    await ana.fill("w.message", "Uma vez só.")
    house.slow.hold_s = 1.5
    await ana.one("button", "ok").dblclick()
    await ana.sees("busy", "#busy")
    await ana.page.wait_for_url("**/c/*-*")
    await ana.fill("w.message", "Também uma vez.")
    await ana.one("button", "w.send").dblclick()
    await ana.sees("busy", "#busy")
    await ana.reads("Também uma vez.", "queued")
    house.slow.hold_s = 0
    await expect(ana.page.locator(".msg.out")).to_have_count(2)
    assert len(await arrived(house.peer, "slow@more.test", 2)) == 2
    await expect(ana.page.locator(".conv", has_text="Devagar")).to_have_count(1)


async def test_the_mail_server_goes_and_what_waited_goes_out_when_it_is_back(
    arrive: Arrive, house: House, team: Team, talk: str, channel: str
) -> None:
    ana = await at(await arrive("en", team), talk)
    await house.imap.cut()
    await house.smtp.cut()
    await ana.write("Espera o servidor.")
    await ana.reads("Espera o servidor.", "paused")
    line = ana.card("Espera o servidor.").locator(".st")
    await expect(line.locator(".ring")).to_be_visible()
    await ana.sees("st.paused", line)
    await expect(line).to_contain_text(re.compile(re.escape(ana.t("c.unreachable")), re.IGNORECASE))
    await ana.click("button", "act.interrupt")
    await ana.sees("st.paused", "dialog[open]")
    await ana.click("button", "eye.keep")
    await ana.go("nav.accounts")
    await expect(ana.page.locator("#channels").get_by_text(ana.t("c.unreachable"))).to_have_count(2)
    await house.imap.heal()
    await house.smtp.heal()
    await ana.click("button", "c.reconnect")
    await ana.sees("x.settled", "#settle h2")
    await at(ana, talk)
    await ana.reads("Espera o servidor.", "sent")


async def test_a_busy_client_server_is_told_with_the_next_try(
    arrive: Arrive, house: House, team: Team, talk: str
) -> None:
    ana = await at(await arrive("pt-BR", team), talk)
    house.peer.script(Rule(Stage.RCPT, code=451, text="4.7.1 come back later", recipient=CLIENT, times=1))
    await ana.write("Volte mais tarde.")
    await ana.reads("Volte mais tarde.", "deferred")
    await expect(ana.card("Volte mais tarde.").locator(".ring")).to_be_visible()
    await ana.reads("Volte mais tarde.", "sent")
    house.peer.script()


async def test_two_administrators_save_a_signature_at_once(arrive: Arrive, team: Team, channel: str) -> None:
    path = f"/settings/channels/{channel}?operator=default"
    ana, eva = await at(await arrive("en", team), path), await at(await arrive("pt-BR", team, "eva"), path)
    await ana.fill("g.text", "Versão de Ana")
    await eva.fill("g.text", "Versão de Eva")
    await eva.click("button", "save")
    await eva.sees("saved", ".note.ok")
    await ana.click("button", "save")
    await ana.sees("k.d", ".note.clock")
    for text in ("Versão de Ana", "Versão de Eva"):
        await expect(ana.page.locator(".note.clock")).to_contain_text(text)
    await expect(ana.field("g.text")).to_have_value("Versão de Ana")
    await ana.click("button", "k.usemine")
    await ana.sees("saved", ".note.ok")
    await eva.page.reload()
    await expect(eva.field("g.text")).to_have_value("Versão de Ana")


async def test_two_administrators_save_the_settings_at_once(arrive: Arrive, team: Team, channel: str) -> None:
    path = f"/settings/channels/{channel}/settings"
    ana, eva = await at(await arrive("en", team), path), await at(await arrive("pt-BR", team, "eva"), path)
    await ana.fill("f.sender", "Ana vende")
    await eva.fill("f.sender", "Eva vende")
    await eva.click("button", "ok")
    await eva.sees("x.settled", "#settle h2")
    await ana.click("button", "ok")
    await ana.sees("fault.version_mismatch", ".note.bad")
    await ana.sees("k.now", ".setgrid > form", v="Eva vende")
    await expect(ana.field("f.sender")).to_have_value("Ana vende")
    await ana.click("button", "ok")
    await ana.sees("x.settled", "#settle h2")
    await expect(ana.field("f.sender")).to_have_value("Ana vende")


async def test_a_draft_outlives_reload_and_sign_out(arrive: Arrive, team: Team, talk: str) -> None:
    ana = await at(await arrive("en", team), talk)
    await ana.fill("w.message", "Ainda não terminei")
    await ana.page.reload()
    await expect(ana.field("w.message")).to_have_value("Ainda não terminei")
    await ana.click("button", "signout")
    await ana.sign_in(team)
    await at(ana, talk)
    await expect(ana.field("w.message")).to_have_value("Ainda não terminei")
    await ana.fill("w.message", "")
