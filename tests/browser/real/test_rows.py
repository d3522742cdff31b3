"""P1 to P17 of the product, each clicked through in both languages: one desk's first day, in order.

What the client gets is read at the recording peer; what a client writes goes through the desk's real mailbox.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.browser.real.house import PASSWORD, SUPPORT, TEAMS, House, Team
from tests.browser.real.person import PATIENCE_MS, Person
from tests.e2e.mail import Mail, arrived, octets_for

UNDO_S, GRACE_S = 8, 3
DAY: dict[str, float] = {}
"""When the last interrupted message of a language would have gone out."""


@pytest.fixture(scope="module", params=["en", "pt-BR"])
def team(request: pytest.FixtureRequest) -> Team:
    """The desk that works in this language."""
    return TEAMS[request.param]


@pytest.fixture(scope="module")
async def ana(chromium: Browser, house: House, team: Team) -> AsyncIterator[Person]:
    """The desk's administrator, signed in, all day in one browser."""
    person = await Person.arrive(chromium, house.stack.gateway_url, team.name)
    await person.sign_in(team)
    yield person
    await person.leave()


def client(team: Team, name: str) -> str:
    """An address nobody else writes to."""
    return f"{name}-{team.name.lower()}@client.test"


async def got(house: House, team: Team, name: str, number: int = 1) -> Mail:
    """The newest of so many mails this client has got."""
    return (await arrived(house.peer, client(team, name), number))[-1]


async def settled(ana: Person) -> None:
    """The connection panel says so."""
    await ana.sees("x.settled", "#settle h2")


async def test_p1_p2_a_wrong_password_says_the_next_step_and_the_right_one_settles(
    ana: Person, house: House, team: Team
) -> None:
    await ana.go("nav.accounts")
    await ana.sees("a.none")
    await ana.go("a.add")
    for key, text in {"f.name": "Acme", "f.addr": team.address, "f.pass": "wrong", "f.undo": "0"}.items():
        await ana.fill(key, text)
    for way, line in (("f.in", house.imap), ("f.out", house.smtp)):
        group = ana.page.get_by_role("group", name=ana.t(way))
        await ana.fill("f.host", "127.0.0.1", group)
        await ana.fill("f.port", str(line.port), group)
    await ana.click("button", "ok")
    await ana.sees("c.auth_failed", "#settle .both > div:nth-child(1)")
    await ana.sees("c.auth_failed", "#settle .both > div:nth-child(2)")
    await ana.sees("why.authentication_failed", "#settle .note.bad")
    assert await ana.field("f.pass").input_value() == ""
    await ana.click("link", "c.newpass")
    await expect(ana.page).to_have_url(ana.page.url.partition("#")[0] + "#pass")
    await ana.fill("f.pass", PASSWORD)
    await ana.click("button", "ok")
    await settled(ana)
    for key in ("x.name", "x.addr", "x.tls", "x.login"):
        await expect(ana.page.locator("#settle li", has_text=ana.t(key))).to_have_count(2)
    assert house.peer.history.counts["authenticated"]


async def test_p3_a_dropped_connection_is_told_and_connected_again_by_hand(
    ana: Person, house: House, team: Team
) -> None:
    await house.imap.cut()
    await ana.sees("c.unreachable", "#settle .both > div:nth-child(1)")
    await ana.sees("x.failed.in", "#settle h2")
    await house.imap.heal()
    await ana.click("button", "c.reconnect")
    await settled(ana)


async def test_p4_accounts_are_listed_and_the_pencil_edits(ana: Person, team: Team) -> None:
    await ana.go("nav.accounts")
    account = ana.page.locator("details.acct")
    await account.locator("summary").click()
    await expect(account.locator("table")).to_be_hidden()
    await account.locator("summary").click()
    row = account.locator("tbody tr")
    for text in (ana.t("a.email"), "Acme", team.address, ana.t("c.connected"), ana.t("on")):
        await expect(row).to_contain_text(text)
    await expect(row.locator("td.num")).to_contain_text("2026" if time.gmtime().tm_year == 2026 else "20")
    switch = row.get_by_role("switch")
    await expect(switch).to_be_checked()
    async with ana.page.expect_response("**/write-first"):
        await row.locator("label.switch").click()
    await ana.sees("off", row.locator("td.sw .off"))
    await expect(switch).not_to_be_checked()
    await ana.go("start")
    await ana.sees("s.off", c="Acme")
    await ana.go("s.open")
    async with ana.page.expect_response("**/write-first"):
        await row.locator("label.switch").click()
    await expect(switch).to_be_checked()
    await ana.click("link", "a.edit", c="Acme")
    await ana.sees("t.sig", "nav.tabs [aria-current]")


async def test_p5_p6_p7_signatures(ana: Person, team: Team) -> None:
    await ana.page.locator("#people").get_by_role("link", name="Ana Prado").click()
    await ana.page.get_by_label(ana.t("g.w.own"), exact=True).check()
    await ana.fill("g.text", "Ana de punho próprio\n")
    await ana.page.locator("#var").select_option("channel.name")
    await expect(ana.page.frame_locator("iframe.pv").locator("body")).to_contain_text("Acme", timeout=PATIENCE_MS)
    await ana.click("button", "save")
    await ana.sees("saved", ".note.ok")
    await ana.page.locator("#people").get_by_role("link", name="Rui Couto").click()
    await ana.sees("g.why.none", "#preview", who="Rui Couto")
    await ana.click("link", "g.generalised")
    await ana.fill("g.text", "Equipe {{ tenant.name }}")
    await ana.click("button", "save")
    await ana.sees("saved", ".note.ok")
    common = ana.one("switch", "g.common")
    if not await common.is_checked():
        await ana.page.get_by_text(ana.t("g.common")).click()
    await expect(ana.one("switch", "g.common")).to_be_checked()
    await ana.page.locator("#people").get_by_role("link", name="Rui Couto").click()
    await ana.sees("g.why.default", "#preview", who="Rui Couto")


async def test_p8_to_p11_start_with_several_clients(ana: Person, house: House, team: Team) -> None:
    await ana.go("start")
    await ana.page.get_by_label(ana.t("a.email"), exact=True).check()
    await expect(ana.field("s.account")).to_contain_text(team.address)
    for name in ("carla", "davi"):
        await ana.fill("s.clients", client(team, name))
        await ana.click("button", "w.add")
    await ana.sees("s.together", n=2)
    await ana.page.get_by_label(ana.t("s.write")).check()
    await ana.fill("subject", "Sofá Ipanema")
    await ana.fill("w.message", "Bom dia! Chegou o sofá.")
    await ana.click("button", "ok")
    await ana.reads("Chegou o sofá.", "sent")
    mail = await got(house, team, "carla")
    assert mail.recipients == (client(team, "carla"), client(team, "davi"))
    assert (mail.header("Subject"), mail.sender) == ("Sofá Ipanema", team.address)
    assert mail.text == "Bom dia! Chegou o sofá.\n\n-- \nAna de punho próprio\nAcme\n"
    await ana.go("start")
    await ana.fill("s.clients", client(team, "empty"))
    await ana.page.get_by_label(ana.t("s.just")).check()
    await ana.click("button", "ok")
    await ana.sees("e.new", "#msgs")
    assert not octets_for(house.peer, client(team, "empty"))


async def test_p12_every_message_is_a_mail_with_a_subject(
    ana: Person, house: House, team: Team, chromium: Browser
) -> None:
    rui = await Person.arrive(chromium, house.stack.gateway_url, team.name)
    await rui.sign_in(team, "rui")
    await rui.page.get_by_role("link", name="Sofá Ipanema").click()
    await expect(rui.field("subject")).to_have_value("Re: Sofá Ipanema")
    await rui.fill("subject", "")
    await rui.fill("w.message", "Entregamos na sexta.")
    await rui.click("button", "w.send")
    await rui.sees("w.nosubject")
    await rui.fill("subject", "Entrega do sofá")
    await rui.click("button", "w.send")
    await rui.reads("Entregamos na sexta.", "sent")
    first, second = await arrived(house.peer, client(team, "carla"), 2)
    assert second.header("Subject") == "Entrega do sofá"
    assert second.header("In-Reply-To") == first.header("Message-ID")
    assert second.text == f"Entregamos na sexta.\n\n-- \nEquipe Acme {team.name}\n"
    await rui.leave()


async def test_p7_nobody_signs_when_the_switch_is_off(ana: Person, house: House, team: Team) -> None:
    await ana.go("nav.accounts")
    await ana.click("link", "a.edit", c="Acme")
    await ana.page.get_by_text(ana.t("g.ops")).click()
    await expect(ana.one("switch", "g.ops")).not_to_be_checked()
    await ana.go("nav.all")
    await ana.page.get_by_role("link", name=client(team, "empty")).click()
    await ana.sees("w.sig.operators_do_not_sign", "#composer")
    await ana.write("Sem assinatura.", "Aviso")
    await ana.reads("Sem assinatura.", "sent")
    assert (await got(house, team, "empty")).text == "Sem assinatura.\n"


async def test_p13_the_eye_interrupts_by_mouse(ana: Person, house: House, team: Team) -> None:
    await ana.go("nav.accounts")
    await ana.click("link", "a.edit", c="Acme")
    await ana.go("t.set")
    await ana.fill("f.undo", str(UNDO_S))
    await ana.click("button", "ok")
    await settled(ana)
    await ana.go("nav.all")
    await ana.page.get_by_role("link", name=client(team, "empty")).click()
    await ana.write("Um engano.")
    await ana.reads("Um engano.", "queued")
    await expect(ana.card("Um engano.").locator(".ring")).to_be_visible()
    await ana.card("Um engano.").get_by_role("button", name=ana.t("act.interrupt")).click()
    await ana.sees("eye.title", "dialog[open]")
    await ana.click("button", "eye.stop")
    await ana.reads("Um engano.", "interrupted")
    await ana.sees("toast.int", "#toasts")
    await ana.card("Um engano.").get_by_role("button", name=ana.t("act.bringback")).click()
    await expect(ana.field("w.message")).to_have_value("Um engano.")
    await ana.fill("w.message", "")


async def test_p14_interrupted_by_keyboard_and_only_while_the_clock_shows(
    ana: Person, house: House, team: Team
) -> None:
    await ana.write("Outro engano.")
    await ana.reads("Outro engano.", "queued")
    await ana.page.evaluate("document.activeElement.blur()")
    await ana.page.keyboard.press("z")
    await expect(ana.page.locator("dialog[open] [data-interrupt]")).to_be_focused()
    await ana.page.keyboard.press("Enter")
    await ana.reads("Outro engano.", "interrupted")
    DAY[team.name] = time.monotonic() + UNDO_S + GRACE_S + 2
    old = ana.card("Sem assinatura.")
    await expect(old.locator(".ring")).to_have_count(0)
    await old.get_by_role("button", name=ana.t("act.eye")).click()
    await ana.sees("eye.final", "dialog[open]")
    await expect(ana.page.locator("dialog[open] [data-interrupt]")).to_have_count(0)
    await ana.page.keyboard.press("Escape")


async def test_p15_the_answer_arrives_live_and_a_stranger_opens_a_conversation(
    ana: Person, house: House, team: Team
) -> None:
    await ana.page.get_by_role("link", name="Sofá Ipanema").click()
    sent = await got(house, team, "carla", 2)
    await house.arrive(
        team.address, f"Carla Dias <{client(team, 'carla')}>", "Re: Entrega do sofá", "Na sexta está ótimo.\n",
        In_Reply_To=sent.header("Message-ID"), References=sent.header("Message-ID"),
    )  # fmt: skip
    await expect(ana.card("Na sexta está ótimo.")).to_be_visible(timeout=PATIENCE_MS)
    await expect(ana.card("Na sexta está ótimo.")).to_contain_text("Carla Dias")
    await house.arrive(team.address, f"Novo <{client(team, 'novo')}>", "Orçamento", "Quanto custa?\n")
    new = ana.page.locator(".conv.new", has_text="Orçamento")
    await expect(new).to_be_visible(timeout=PATIENCE_MS)
    await new.click()
    await expect(ana.card("Quanto custa?")).to_be_visible()
    await expect(ana.page.locator(".conv", has_text="Orçamento")).not_to_have_class("conv new", timeout=PATIENCE_MS)


async def test_p16_hiding_says_that_nothing_is_recalled(ana: Person, team: Team) -> None:
    card = ana.card("Quanto custa?")
    await card.locator("details.quiet summary").click()
    await card.get_by_role("button", name=ana.t("hide.msg")).click()
    await ana.sees("hide.says", "dialog[open]")
    await ana.page.locator("dialog[open]").get_by_role("button", name=ana.t("hide"), exact=True).click()
    await expect(ana.page.locator(".msg", has_text="Quanto custa?")).to_have_count(0)
    await ana.page.get_by_role("button", name=ana.t("hide"), exact=True).click()
    await ana.sees("hide.says", "dialog[open]")
    await ana.page.locator("dialog[open]").get_by_role("button", name=ana.t("hide"), exact=True).click()
    await expect(ana.page.locator(".conv", has_text="Orçamento")).to_have_count(0)
    await ana.go("nav.hidden")
    await expect(ana.page.locator(".conv", has_text="Orçamento")).to_have_count(1)


async def test_p17_the_plan_limits_and_support_is_one_click_away(ana: Person, house: House, team: Team) -> None:
    await ana.go("nav.accounts")
    await ana.sees("a.lead", a=1, n=1)
    await ana.go("a.add")
    for key, text in {"f.name": "Outro", "f.addr": f"x-{team.address}", "f.pass": PASSWORD}.items():
        await ana.fill(key, text)
    for way, line in (("f.in", house.imap), ("f.out", house.smtp)):
        group = ana.page.get_by_role("group", name=ana.t(way))
        await ana.fill("f.host", "127.0.0.1", group)
        await ana.fill("f.port", str(line.port), group)
    await ana.click("button", "ok")
    await ana.sees("fault.channel_limit", ".note.bad")
    await house.imap.cut()
    await ana.go("nav.accounts")
    await ana.sees("c.unreachable", "#channels")
    await ana.click("link", "a.edit", c="Acme")
    await ana.go("t.set")
    await ana.click("button", "x.copy")
    await ana.sees("x.copied", "#settle")
    copied = await ana.page.evaluate("navigator.clipboard.readText()")
    assert f"127.0.0.1:{house.imap.port} tls  unreachable (" in copied
    assert PASSWORD not in copied
    assert await ana.one("link", "x.support").get_attribute("href") == SUPPORT
    await house.imap.heal()
    await ana.click("button", "c.reconnect")
    await settled(ana)


async def test_p14_what_was_interrupted_never_reaches_the_client(house: House, team: Team) -> None:
    await asyncio.sleep(max(0.0, DAY[team.name] - time.monotonic()))
    (mail,) = await arrived(house.peer, client(team, "empty"))
    assert mail.header("Subject") == "Aviso"
