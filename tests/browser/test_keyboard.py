"""Everything can be reached with the Tab key, in view, with a focus that is seen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.acts import STATES, at, pages_of, sign_in
from tests.browser.stage import Stage

REACHABLE = """() => {
  const all = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
  const seen = e => e.checkVisibility({visibilityProperty: true}) && !e.matches(':disabled')
    && e.getClientRects().length && (!document.querySelector('dialog[open]') || e.closest('dialog[open]'));
  const groups = new Set();
  return [...document.querySelectorAll(all)].filter(seen).filter(e => {
    if (e.type !== 'radio') return true;
    if (groups.has(e.name)) return false;
    return groups.add(e.name);
  }).length;
}"""
FOCUSED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body || e.tagName === 'IFRAME') return null;
  e.dataset.tabbed ??= String(document.querySelectorAll('[data-tabbed]').length);
  const style = n => getComputedStyle(n);
  const outlined = n => n && style(n).outlineStyle !== 'none' && parseFloat(style(n).outlineWidth) > 0;
  const box = e.getBoundingClientRect();
  const within = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const shown = outlined(e) || outlined(e.closest('.chips, .edit, .pick label'));
  return {n: e.dataset.tabbed, what: e.outerHTML.slice(0, 90), good: within && shown};
}"""


def tabbed(page: Page) -> tuple[int, list[str]]:
    """How many places the Tab key comes to before it begins again, and those that are not seen to have the focus."""
    page.evaluate("document.activeElement?.blur()")
    seen: set[str] = set()
    unseen: list[str] = []
    misses = 0
    while misses < 4:
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None or found["n"] in seen:
            misses += 1
            continue
        seen.add(found["n"])
        unseen += [] if found["good"] else [found["what"]]
    return len(seen), unseen


@pytest.mark.parametrize("width", [360, 1440])
def test_the_tab_key_reaches_everything_and_shows_where_it_is(page: Page, stage: Stage, width: int) -> None:
    sign_in(page, stage)
    page.set_viewport_size({"width": width, "height": 900})
    wrong: dict[str, object] = {}
    names = ("attention", "conversation", "eye-page", "start", "accounts", "settings", "signatures")
    for name, act in {**{one: at(one) for one in names}, "eye": STATES["eye"], "hide": STATES["hide-dialog"]}.items():
        assert name in pages_of(stage) or name in ("eye", "hide")
        act(page, stage)
        expected = page.evaluate(REACHABLE)
        reached, unseen = tabbed(page)
        if unseen or reached < expected:
            wrong[name] = (reached, expected, unseen)
    assert not wrong


def test_still_pictures_for_whoever_asked_for_no_motion(page: Page, stage: Stage) -> None:
    page.emulate_media(reduced_motion="reduce")
    sign_in(page, stage)
    page.goto(stage.url + pages_of(stage)["states"])
    assert page.locator(".spin").count()
    for name in page.locator(".spin").evaluate_all("all => all.map(e => getComputedStyle(e).animationName)"):
        assert name == "none"
    gone = float(
        page.locator("[data-state=queued] .ring").first.evaluate("e => e.style.getPropertyValue('--gone') || 0")
    )
    assert gone % 10 == 0
