"""An open page: what `/v1/events` tells it, as a browser would take it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx


@dataclass(frozen=True, slots=True)
class Told:
    """One event; `at` is when it came, in this process's monotonic seconds."""

    name: str
    said: dict[str, Any]
    at: float


@dataclass(slots=True)
class Page:
    """Follows until it is closed; `last_id` is what a browser would send when it comes back."""

    url: str
    headers: dict[str, str]
    last_id: str | None = None
    told: list[Told] = field(default_factory=list)
    over: bool = False
    _task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open it, and wait until it knows where it stands."""
        before = self.last_id
        self._task = asyncio.create_task(self._read())
        await self.until(lambda: self.last_id not in (None, before) or self.told)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def names(self) -> list[str]:
        """What was told, in order."""
        return [one.name for one in self.told]

    def changed(self, kind: str) -> list[str]:
        """Ids of the things of this kind that changed, in order."""
        return [one.said["id"] for one in self.told if one.name == "change" and one.said["kind"] == kind]

    async def until(self, true: Callable[[], Any], within_s: float = 20) -> None:
        """Wait for it; raises AssertionError with what was told."""
        limit = time.monotonic() + within_s
        while not true():
            assert time.monotonic() < limit, self.told
            if self._task and self._task.done():
                self._task.result()
            await asyncio.sleep(0.01)

    async def _read(self) -> None:
        given = {**self.headers, **({"Last-Event-ID": self.last_id} if self.last_id else {})}
        async with (
            httpx.AsyncClient(timeout=httpx.Timeout(30)) as http,
            http.stream("GET", self.url, headers=given) as it,
        ):
            assert it.status_code == 200, it.status_code
            assert it.headers["content-type"].startswith("text/event-stream")
            fields: dict[str, str] = {}
            async for line in it.aiter_lines():
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.strip()
                    continue
                self.last_id = fields.get("id", self.last_id)
                if "data" in fields:
                    self.told.append(Told(fields["event"], json.loads(fields["data"]), time.monotonic()))
                fields = {}
        self.over = True
