"""What the console's bench looks at: a page's size and time in Chromium, states as they appear, open live pages."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiokafka import AIOKafkaConsumer
from playwright.async_api import Browser, BrowserContext, Page

from contracts.cloudevents import decode
from contracts.topics import OUTBOUND

RANK = {
    "accepted": 0, "queued": 1, "due": 1, "deferred": 1, "committed": 2, "cancelling": 2, "sent": 3, "partial": 3,
    "failed": 3, "parked": 3, "interrupted": 3,
}  # fmt: skip
TOLD = {"MessageQueued": 1, "MessageDeferred": 1, "MessageCommitted": 2, "MessageSent": 3, "MessageFailed": 3}
WATCH = """() => {
  window.seen = [];
  const note = el => {
    if (!el.dataset?.state) return;
    const {id, dataset: {state}} = el;
    requestAnimationFrame(() => seen.push([id, state, performance.timeOrigin + performance.now()]));
  };
  const all = root => { note(root); root.querySelectorAll?.('.st[data-state]').forEach(note); };
  new MutationObserver(found => found.forEach(one => { all(one.target); one.addedNodes.forEach(all); }))
    .observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['data-state', 'id']});
}"""
READY = """() => new Promise(done => {
  const look = () => {
    const [{domContentLoadedEventEnd: read}] = performance.getEntriesByType('navigation');
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    if (read && paint) done(Math.max(read, paint.startTime)); else setTimeout(look, 5);
  };
  look();
})"""


@dataclass(frozen=True, slots=True)
class Opened:
    """A page opened with an empty cache: kilobytes (1,024) over the wire; milliseconds until painted and scripted."""

    kb: float
    ms: float


async def opened(browser: Browser, url: str, cookies: list[Any]) -> Opened:
    """Open it in a fresh browser context of somebody who has signed in."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en")
    await context.add_cookies(cookies)
    page = await context.new_page()
    wire = await context.new_cdp_session(page)
    octets = 0

    def loaded(said: dict[str, Any]) -> None:
        nonlocal octets
        octets += int(said["encodedDataLength"])

    wire.on("Network.loadingFinished", loaded)
    await wire.send("Network.enable")
    await page.goto(url)
    ms = float(await page.evaluate(READY))
    await asyncio.sleep(0.2)
    await context.close()
    return Opened(octets / 1024, ms)


@dataclass(slots=True)
class Facts:
    """When each status event of the outbox came to be, by message id and rank; `at` is Kafka's record time in ms."""

    at: dict[tuple[str, int], int] = field(default_factory=dict)

    async def read(self, kafka: str) -> None:
        """Follow the topic until cancelled."""
        consumer = AIOKafkaConsumer(OUTBOUND.name, bootstrap_servers=kafka, auto_offset_reset="latest")
        await consumer.start()
        try:
            async for record in consumer:
                event = decode(record.headers, record.value or b"")
                rank = TOLD.get(type(event.data).__name__)
                if rank is not None:
                    self.at[event.data.message_id, rank] = record.timestamp
        finally:
            await consumer.stop()

    async def shown(self, page: Page, since: float) -> list[float]:
        """Milliseconds from each event to the first moment the page showed that state, or a later one."""
        seen: list[tuple[str, str, float]] = await page.evaluate("window.seen")
        times: dict[str, list[tuple[float, int]]] = {}
        for element, state, at in seen:
            times.setdefault(element.removeprefix("m-").removesuffix("-st"), []).append((at, RANK.get(state, 0)))
        found = []
        for (message, rank), at in self.at.items():
            later = [moment for moment, reached in times.get(message, []) if reached >= rank]
            if at >= since:
                found.append(min(later, default=float("inf")) - at)
        return found


class Crowd:
    """Open live pages without browsers: one socket each, read and thrown away."""

    def __init__(self, url: str, context: BrowserContext) -> None:
        self._url, self._context = urlsplit(url), context
        self._tasks: list[asyncio.Task[None]] = []
        self._open = 0

    async def join(self, number: int, path: str) -> None:
        """So many more pages; returns when each stream has begun."""
        cookie = "; ".join(f"{one['name']}={one['value']}" for one in await self._context.cookies())
        wanted = self._open + number
        self._tasks += [asyncio.create_task(self._read(path, cookie)) for _ in range(number)]
        limit = time.monotonic() + 60
        while self._open < wanted:
            if time.monotonic() > limit:
                raise TimeoutError(f"{self._open} of {wanted} live pages opened")
            await asyncio.sleep(0.05)

    async def leave(self) -> None:
        """All go."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self, path: str, cookie: str) -> None:
        reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port, limit=1 << 20)
        asked = f"GET {path} HTTP/1.1\r\nHost: {self._url.netloc}\r\nCookie: {cookie}\r\n\r\n"
        writer.write(asked.encode())
        try:
            status = await reader.readline()
            if b"200" not in status:
                raise ConnectionError(status.decode())
            await reader.readuntil(b"event: beat")
            self._open += 1
            while await reader.read(65_536):
                pass
        finally:
            with suppress(OSError):
                writer.close()
