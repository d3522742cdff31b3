"""Steering a peer that runs as a process of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.infra.smtp_peer.records import Entry
from tests.infra.smtp_peer.rules import Rule

LINE_LIMIT = 256 * 1024 * 1024
PAGE = 2000


class PeerRefused(Exception):
    """The peer could not carry out a control request; says why."""


class PeerClient:
    """The control connection; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._turn = asyncio.Lock()

    @classmethod
    async def connect(cls, port: int) -> PeerClient:
        """Connect to a control port on 127.0.0.1; raises OSError when nobody listens."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=LINE_LIMIT))

    async def rules(self, *rules: Rule) -> None:
        """Put these rules in force instead of the earlier ones."""
        await self._ask(do="rules", rules=[rule.as_json() for rule in rules])

    async def settings(self, **change: Any) -> None:
        """Change settings by name (see `Settings`)."""
        await self._ask(do="settings", change=change)

    async def history(self, since: int = 0) -> list[Entry]:
        """Every entry from number `since` on."""
        found: list[Entry] = []
        while page := await self._page(since + len(found)):
            found += page
        return found

    async def _page(self, since: int) -> list[Entry]:
        answer = await self._ask(do="history", since=since, limit=PAGE)
        return [Entry.from_json(one) for one in answer["entries"]]

    async def content(self, entry: Entry) -> bytes:
        """The raw octets a `content` or `partial` entry speaks of (dot-stuffed, as they came)."""
        return base64.b64decode((await self._ask(do="content", n=entry.n))["content"])

    async def counts(self) -> dict[str, int]:
        """How many entries of each event; `answered_250`, `answered_never`, … besides."""
        counts: dict[str, int] = (await self._ask(do="counts"))["counts"]
        return counts

    async def wait_for(self, event: str, number: int, timeout: float) -> int:
        """Wait until `event` was counted `number` times; returns the count reached, also when time ran out."""
        limit = time.monotonic() + timeout
        while (seen := (await self.counts()).get(event, 0)) < number and time.monotonic() < limit:
            await asyncio.sleep(0.02)
        return seen

    async def sever(self) -> int:
        """Reset every open connection; returns how many."""
        return int((await self._ask(do="sever"))["severed"])

    async def reset(self) -> None:
        """Forget history and rules."""
        await self._ask(do="reset")

    async def close(self) -> None:
        """Close the control connection; the peer goes on."""
        self._writer.close()

    async def _ask(self, **request: Any) -> dict[str, Any]:
        async with self._turn:
            self._writer.write(json.dumps(request).encode() + b"\n")
            answer: dict[str, Any] = json.loads(await self._reader.readline())
        if not answer["ok"]:
            raise PeerRefused(answer["error"])
        return answer


@dataclass(frozen=True, slots=True)
class PeerProcess:
    """A peer running as a child process."""

    port: int
    control_port: int
    client: PeerClient
    child: asyncio.subprocess.Process

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self.child.pid

    async def stop(self) -> None:
        """End the child; kills it when it does not go within five seconds."""
        await self.client.close()
        if self.child.returncode is None:
            self.child.terminate()
            try:
                await asyncio.wait_for(self.child.wait(), 5)
            except TimeoutError:
                self.child.kill()
                await self.child.wait()


async def spawn(
    *arguments: str, rules: Iterable[Rule] = (), record: Path | None = None, cwd: Path | None = None
) -> PeerProcess:
    """Start `python -m tests.infra.smtp_peer` with extra arguments and wait for its ready line (10 s at most)."""
    words: Sequence[str] = ("--record", str(record), *arguments) if record else arguments
    root = cwd or Path(__file__).resolve().parents[3]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.infra.smtp_peer", *words, stdout=asyncio.subprocess.PIPE, cwd=root
    )
    assert child.stdout is not None
    ready = json.loads(await asyncio.wait_for(child.stdout.readline(), 10))
    client = await PeerClient.connect(ready["control_port"])
    await client.rules(*rules)
    return PeerProcess(ready["port"], ready["control_port"], client, child)
