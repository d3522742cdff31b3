"""The console's pages by name, and what is done on them to come to each of their states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from unittest.mock import patch

from playwright.sync_api import Page

from tests.browser.scenery import OTHER_CHANNEL
from tests.browser.stage import Stage
from tests.unit.gateway.world import CHANNEL


def pages_of(stage: Stage) -> dict[str, str]:
    """Each page by name."""
    ids, one = stage.scenery.ids, f"/settings/channels/{CHANNEL}"
    other = f"/settings/channels/{OTHER_CHANNEL}"
    return {
        "list": "/c", "unread": "/c?view=unread", "mine": "/c?view=mine", "clock": "/c?view=clock",
        "attention": "/c?view=attention", "nothing-found": "/c?q=poltrona+verde", "hidden": "/c?view=hidden",
        "of-channel": f"/c?channel_id={OTHER_CHANNEL}",
        "conversation": f"/c/{ids['plain']}", "states": f"/c/{ids['states']}", "created": f"/c/{ids['empty']}",
        "long": f"/c/{ids['long']}", "paused": f"/c/{ids['paused']}", "was-hidden": f"/c/{ids['hidden']}",
        "eye-page": f"/c/{ids['states']}/m/{ids['queued']}", "start": "/c/new",
        "start-refused": f"/c/new?channel={OTHER_CHANNEL}", "accounts": "/settings/channels",
        "new-channel": "/settings/channels/new", "settings": f"{one}/settings", "settings-failing": f"{other}/settings",
        "signatures": one, "signature-default": f"{one}?operator=default", "people": "/settings/people",
        "missing": "/c/00000000-0000-7000-8000-000000000000",
    }  # fmt: skip


def sign_in(page: Page, stage: Stage, person: str = "ana") -> None:
    """As one of the demonstration people."""
    page.goto(f"{stage.url}/sign-in")
    page.click(f"button[value={person}]")
    page.wait_for_url("**/c")


Act = Callable[[Page, Stage], None]


def at(name: str, *acts: Act) -> Act:
    """Goes to the page and does these things there."""

    def act(page: Page, stage: Stage) -> None:
        page.goto(stage.url + pages_of(stage)[name])
        for one in acts:
            one(page, stage)

    return act


def _click(selector: str) -> Act:
    return lambda page, _: page.click(selector)


def _script(code: str) -> Act:
    return lambda page, _: page.evaluate(code)


def _eye(name: str) -> Act:
    def act(page: Page, stage: Stage) -> None:
        page.click(f"[data-eye='{stage.scenery.ids[name]}']")
        page.wait_for_selector("#eye[open]")

    return act


def _clients(page: Page, _: Stage) -> None:
    page.fill("#cl", "a@cliente.example, compras@construtora-vale-do-araguari.example; errado@cliente")
    page.click("[data-addchip]")
    page.fill("#su", "Proposta de mobiliário")


def _conflict(page: Page, stage: Stage) -> None:
    before = stage.world.wishes.owner
    page.fill("#html", "<b>{{ operator.name }}</b>\nVendas e atendimento")
    stage.scenery.owner_refuses_signatures("<b>Ana Beatriz</b><br>\nCasa Ipê Móveis", "rui")
    page.click("#sig .btn.go")
    page.wait_for_selector(".note.clock")
    stage.world.wishes.owner = before
    stage.run(stage.scenery.signatures())


def _refuse(page: Page, _: Stage) -> None:
    page.fill("#pass", "")
    page.fill("#p-imap", "99")
    page.fill("#h-smtp", "outro.casaipe.example")
    page.click("form .btn.go")
    page.wait_for_selector("[aria-invalid]")


def _nameless(page: Page, _: Stage) -> None:
    page.locator(".folk summary").first.click()
    page.locator(".folk [open] [name=name]").fill("")
    page.locator(".folk [open] [name=email]").fill("nada")
    page.locator(".folk [open] .btn.go").click()
    page.wait_for_selector("[aria-invalid]")


def _empty(path: str) -> Act:
    """The page where there is nothing yet: no channel, no conversation, no mail."""

    def act(page: Page, stage: Stage) -> None:
        world = stage.world
        stores: tuple[dict[Any, Any], ...] = (
            world.channels.kept,
            world.conversations.kept,
            world.arrivals.quarantined,
            world.messages.kept,
        )
        kept = [dict(one) for one in stores]
        for one in stores:
            one.clear()
        page.goto(stage.url + path)
        for one, before in zip(stores, kept, strict=True):
            one.update(before)

    return act


def _settling(page: Page, stage: Stage) -> None:
    stage.run(stage.scenery.status(CHANNEL, "imap", "connecting", "none"))
    stage.run(stage.scenery.status(CHANNEL, "smtp", "connecting", "none"))
    page.goto(f"{stage.url}{pages_of(stage)['settings']}?settling=1")
    stage.run(stage.scenery.status(CHANNEL, "imap", "connected", "none"))
    stage.run(stage.scenery.status(CHANNEL, "smtp", "connected", "none"))


def _broken(page: Page, stage: Stage) -> None:
    with patch.object(stage.world.conversations, "list", side_effect=RuntimeError("broken on purpose")):
        page.goto(f"{stage.url}/c")


def _menu(page: Page, stage: Stage) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    at("list")(page, stage)
    page.click(".menu")


def _interrupted(page: Page, stage: Stage) -> None:
    """Sent, and taken back while the clock showed."""
    stage.scenery.outbox_answers()
    at("conversation")(page, stage)
    page.fill("#w-s", "Re: Entrega do sofá Ipanema")  # a draft without one may stand there
    page.fill("#w-m", "Bom dia, Marina. Segue a proposta.")
    page.click("#composer .btn.go")
    page.locator(".msg.out .st.clock [data-eye]").last.click()
    page.click("#eye [data-interrupt]")
    page.wait_for_selector(".toast")


LOST: Final = "document.dispatchEvent(new CustomEvent('htmx:sse:error', {detail: {status: 0}}))"
STATES: Final[dict[str, Act]] = {
    "eye": at("states", _eye("queued")),
    "eye-final": at("states", _eye("sent")),
    "interrupted": _interrupted,
    "lost": at("states", _script(LOST)),
    "hide-dialog": at("conversation", _click("[data-open=hide]")),
    "message-menu": at("conversation", _click(".msg .quiet summary")),
    "empty-subject": at("conversation", lambda page, _: page.fill("#w-s", ""), _click("#composer .btn.go")),
    "menu": _menu,
    "list-empty": _empty("/c"),
    "attention-empty": _empty("/c?view=attention"),
    "clock-empty": _empty("/c?view=clock"),
    "accounts-empty": _empty("/settings/channels"),
    "start-empty": _empty("/c/new"),
    "settling": _settling,
    "broken": _broken,
    "keys": at("list", lambda page, _: page.keyboard.press("?")),
    "start-chips": at("start", _clients),
    "signature-conflict": at("signatures", _conflict),
    "signature-broken": at("signatures", lambda page, _: page.fill("#html", "{{ operator.name "), _script("0")),
    "people-refused": at("people", _nameless),
    "settings-refused": at("settings", _refuse),
    "expired": at("conversation", lambda page, _: page.context.clear_cookies(), _click("#composer .btn.go")),
}
