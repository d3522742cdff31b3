"""`make bench-console`: the console on loopback, in Debian's Chromium, against a gateway of the real stack.

First page and a conversation of 500 messages (medians of seven, empty caches); status events until they stand on the
screen, alone and with 200 live pages open beside; what those pages cost. The last line is one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import psutil
from playwright.async_api import Browser, BrowserContext, async_playwright

from deploy.local.issuer import OWNER_SCOPES
from services.kit.ids import uuid7
from services.kit.publisher import Publisher
from tests import builders
from tests.bench.console_page import WATCH, Crowd, Facts, Opened, opened
from tests.bench.report import last_line, median, percentile, say
from tests.browser.shots import CHROMIUM
from tests.e2e.desk import Desk
from tests.infra.parts import OfParts
from tests.infra.smtp_peer import PeerProcess, spawn
from tests.infra.stack import Stack
from tests.unit.gateway import mails

LONG, TALKS, REPEATS, SENT, PAGES = 500, 60, 7, 60, 200
TARGETS = {"first_page_kb": 60, "usable_ms": 300, "long_ms": 500, "status_p95_ms": 300, "pages_mb": 150}


class Bench(OfParts):
    """The stack, a desk with a channel, and Chromium."""

    def __init__(self) -> None:
        super().__init__()
        self.tenant, self.ana = str(uuid7()), str(uuid7())

    async def _start(self) -> None:
        person = {
            "id": "ana", "name": "Ana Prado", "role": "admin", "tenant": self.tenant, "operator": self.ana,
            "scope": " ".join(OWNER_SCOPES),
        }  # fmt: skip
        self.sink: PeerProcess = await spawn("--instant")
        self._open.push_async_callback(self.sink.stop)
        env = {"MALOTE_CONSOLE_PEOPLE": json.dumps([person])}
        self.stack = await self._open.enter_async_context(Stack(env=env, smtp_ports=[self.sink.port], chaos=False))
        self.desk = await self._open.enter_async_context(await Desk.open(self.stack))
        self.desk.tenant, self.desk.ana = self.tenant, self.ana
        await self.desk.put_tenant()
        await self.desk.ok("PUT", f"/v1/operators/{self.ana}", builders.operator())
        self.channel = await self.desk.connected(self.sink.port)
        self.publisher = Publisher(self.stack.kafka, "bench")
        await self.publisher.start()
        self._open.push_async_callback(self.publisher.stop)
        play = await self._open.enter_async_context(async_playwright())
        self.browser: Browser = await play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        self._open.push_async_callback(self.browser.close)

    async def sign_in(self) -> BrowserContext:
        """A browser of Ana's."""
        context = await self.browser.new_context(viewport={"width": 1440, "height": 900}, locale="en")
        page = await context.new_page()
        await page.goto(f"{self.stack.gateway_url}/sign-in")
        await page.click("button[value=ana]")
        await page.wait_for_url("**/c")
        return context

    async def furnish(self) -> tuple[str, str]:
        """A full list, a conversation of 500 messages, and one to write in; the ids of the latter two."""
        talks = [await self.desk.conversation(self.channel, f"client{n}@client.test") for n in range(TALKS)]
        events = [self._mail(talks[0], n) for n in range(LONG)] + [self._mail(one, 0) for one in talks[1:]]
        for start in range(0, len(events), 100):
            await asyncio.gather(*(self.publisher.publish(one) for one in events[start : start + 100]))
        last = events[LONG - 1].data.message_id
        await self.desk.until(
            f"/v1/conversations/{talks[0]}", lambda seen: seen["messages"]["items"][0]["message_id"] == last, 60
        )
        return talks[0], talks[1]

    def _mail(self, talk: str, n: int) -> Any:
        text = f"Answer number {n}.\n\n> On Monday you wrote:\n> It leaves today."
        at = mails.this_moment()
        return mails.mail(
            self.channel, talk, tenant=self.tenant, at=at, seconds=n / 1000, text=text, subject="An order"
        )


async def page_of(bench: Bench, path: str, cookies: list[Any]) -> Opened:
    """The medians of one page."""
    found = [await opened(bench.browser, bench.stack.gateway_url + path, cookies) for _ in range(REPEATS)]
    return Opened(median(one.kb for one in found), median(one.ms for one in found))


async def statuses(bench: Bench, context: BrowserContext, facts: Facts, talk: str) -> list[float]:
    """Send three a second while the conversation is open; milliseconds from each status event to the screen."""
    page = await context.new_page()
    await page.goto(f"{bench.stack.gateway_url}/c/{talk}")
    await page.evaluate(WATCH)
    await asyncio.sleep(1)
    since = time.time() * 1000
    for n in range(SENT):
        await bench.desk.send(talk, subject="An order", text=f"Message {n} goes out.")
        await asyncio.sleep(1 / 3)
    await asyncio.sleep(3)
    found = await facts.shown(page, since)
    await page.close()
    if len(found) < 2 * SENT:
        raise RuntimeError(f"{len(found)} status events were heard for {SENT} messages")
    return found


async def measured(bench: Bench) -> dict[str, float]:
    """All figures."""
    long, talk = await bench.furnish()
    context = await bench.sign_in()
    cookies: list[Any] = await context.cookies()
    await page_of(bench, "/c", cookies)  # the gateway's own first time
    first, conversation = await page_of(bench, "/c", cookies), await page_of(bench, f"/c/{long}", cookies)
    say(f"first page {first}, conversation of {LONG} messages {conversation}")
    facts = Facts()
    reading = asyncio.create_task(facts.read(bench.stack.kafka))
    await asyncio.sleep(2)
    alone = await statuses(bench, context, facts, talk)
    say(f"status on the screen: p50 {percentile(alone, 0.5):.0f} ms, p95 {percentile(alone, 0.95):.0f} ms")
    gateway = psutil.Process(bench.stack.pids["gateway-0"])
    before = gateway.memory_info().rss / 1e6
    crowd = Crowd(bench.stack.gateway_url, context)
    await crowd.join(PAGES, f"/live?show=convs,msgs&c={long}")
    beside = await statuses(bench, context, facts, talk)
    after = gateway.memory_info().rss / 1e6
    say(f"{PAGES} live pages: {before:.0f} -> {after:.0f} MB; p95 beside them {percentile(beside, 0.95):.0f} ms")
    await crowd.leave()
    reading.cancel()
    return {
        "first_page_kb": first.kb, "usable_ms": first.ms, "long_kb": conversation.kb, "long_ms": conversation.ms,
        "status_p50_ms": percentile(alone, 0.5), "status_p95_ms": percentile(alone, 0.95), "pages": PAGES,
        "pages_mb": after - before, "crowded_p50_ms": percentile(beside, 0.5),
        "crowded_p95_ms": percentile(beside, 0.95),
    }  # fmt: skip


async def run() -> None:
    """Measure, and say which target was missed."""
    async with Bench() as bench:
        figures = await measured(bench)
    for name, target in TARGETS.items():
        if figures[name] > target:
            say(f"missed: {name} {figures[name]:.1f}, target {target}")
    last_line(figures)


if __name__ == "__main__":
    asyncio.run(run())
