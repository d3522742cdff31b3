"""Real mails of public projects in the console: pictures inside are seen, files are listed, nothing is fetched unasked.

The mails are those of ``tests/unit/ingest_parse/test_corpora.py``, and skipped like there where there are none.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from contracts.inbound import InboundAddress, InboundAttachment
from services.gateway.console.frames import SHOWN
from services.gateway.domain.message import Person
from services.ingest.domain.parsed import Parsed
from services.kit.images import image_type
from tests.browser.shots import sign_in
from tests.browser.stage import Stage
from tests.browser.test_signature import png
from tests.unit.gateway.world import TENANT
from tests.unit.ingest_parse.reading import parsed
from tests.unit.ingest_parse.test_corpora import MAILS

MANY = 12
"""So many mails in one conversation."""
NEWSLETTER = """From: News <news@client.test>
Subject: News
MIME-Version: 1.0
Content-Type: text/html

<p>Hello</p><img src="https://tracker.test/open.gif?u=1" width=1><img src="http://cdn.test/a.png" alt="A">
"""


async def arrive(stage: Stage, talk: str, mail: Parsed, seconds: float) -> None:
    """The mail as ingest would tell of it; its files are stored."""
    blobs, files = stage.scenery.world.files.blobs, []
    for one in mail.attachments:
        ref = await blobs.put(TENANT, one.octets, one.media_type)
        files.append(InboundAttachment(blob=ref, file_name=one.file_name, content_id=one.content_id, inline=one.inline))
    sender = InboundAddress(address=mail.sender.address, name=mail.sender.name) if mail.sender else None
    await stage.scenery.arrive(
        talk, seconds, sender=sender, subject=mail.subject, text=mail.text, html=mail.html, new_part=mail.new_part,
        remote_images=mail.remote_images, attachments=tuple(files),
    )  # fmt: skip


def talk_of(stage: Stage, paths: list[Path]) -> list[Parsed]:
    """A conversation ``real`` with these mails, in their order."""
    mails = [mail for path in paths if isinstance(mail := parsed(path.read_bytes()), Parsed)]
    stage.scenery.ids["real"] = stage.scenery.talk((Person("carla@client.test", "Carla"),), "Real mails")
    for n, mail in enumerate(mails):
        stage.run(arrive(stage, "real", mail, n - len(mails)))
    return mails


def pictures(mail: Parsed) -> int:
    """How many different pictures its frame shows."""
    seen = {
        one.content_id for one in mail.attachments if one.inline and image_type(one.octets) and one.media_type in SHOWN
    }
    return len(seen)


@pytest.mark.skipif(len(MAILS) < 50, reason="a Python without its own test mails, and no corpora")
@pytest.mark.parametrize("start", range(0, len(MAILS), MANY))
def test_they_are_shown_whole_and_nothing_leaves(page: Page, stage: Stage, start: int) -> None:
    mails = talk_of(stage, MAILS[start : start + MANY])
    sign_in(page, stage)
    page.goto(f"{stage.url}/c/{stage.scenery.ids['real']}")
    cards = page.locator("#msgs .msg")
    expect(cards).to_have_count(len(mails))
    for n, mail in enumerate(mails):
        card, part, text = cards.nth(n), (mail.new_part or "").strip(), (mail.text or "").strip()
        quoted = bool(part) and part != text
        framed = bool(mail.html) and not quoted
        listed = [one.file_name for one in mail.attachments if not (framed and one.inline and one.media_type in SHOWN)]
        expect(card.locator(".file > span:first-of-type")).to_have_text(listed)
        if quoted and mail.html:
            card.locator("details.fold > summary").click()
        if mail.html:
            card.locator("iframe").scroll_into_view_if_needed()
            frame = card.frame_locator("iframe")
            expect(frame.locator("body")).to_be_attached()
            assert frame.locator("[src^='cid:' i]").count() == 0
            shown = frame.locator("img[src^='/files/']")
            expect(card.locator(".strip a")).to_have_count(1 if mail.remote_images else 0)
            for at in range(shown.count()):
                expect(shown.nth(at)).to_have_js_property("complete", True)
            assert len({shown.nth(at).get_attribute("src") for at in range(shown.count())}) >= pictures(mail)


def test_remote_images_come_when_they_are_asked_for(browser: Browser, stage: Stage) -> None:
    found = parsed(NEWSLETTER)
    assert found.remote_images == 2
    stage.scenery.ids["remote"] = stage.scenery.talk((Person("carla@client.test", "Carla"),), "Remote")
    stage.run(arrive(stage, "remote", found, -1))
    wanted: list[str] = []

    def trap(route: Route) -> None:
        if route.request.url.startswith(stage.url):
            return route.continue_()
        wanted.append(route.request.url)
        return route.fulfill(body=png(), content_type="image/png")

    context = browser.new_context(locale="en")
    context.route("**/*", trap)
    page = context.new_page()
    sign_in(page, stage)
    page.goto(f"{stage.url}/c/{stage.scenery.ids['remote']}")
    frame = page.frame_locator("#msgs iframe")
    expect(frame.locator("[data-remote-src]").first).to_be_attached()
    assert not wanted
    page.click(".strip a")
    expect(frame.locator("[data-remote-src]")).to_have_count(0)
    expect(frame.locator("img[src^='http']").first).to_have_js_property("complete", True)
    assert wanted
    context.close()
