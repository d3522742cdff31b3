"""A few words of the REST API, spoken by the demonstration: one method a call, a clear text when the answer differs."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx


class Differs(AssertionError):
    """The product did not do what the story says; the text holds what it said instead."""


@dataclass(frozen=True, slots=True)
class Api:
    """The gateway as one token sees it."""

    gateway: str
    token: str

    async def call(self, verb: str, path: str, expected: tuple[int, ...], **parts: Any) -> httpx.Response:
        """One request; `parts` are httpx's `json`, `headers`, `params`. Raises `Differs` on another status."""
        headers = {"Authorization": f"Bearer {self.token}", **parts.pop("headers", {})}
        async with httpx.AsyncClient(base_url=self.gateway, timeout=20) as client:
            answer = await client.request(verb, path, headers=headers, **parts)
        if answer.status_code not in expected:
            raise Differs(f"{verb} {path}: {answer.status_code} instead of {expected}\n{answer.text[:2000]}")
        return answer

    async def get(self, path: str) -> dict[str, Any]:
        """A resource that must be there."""
        found: dict[str, Any] = (await self.call("GET", path, (200,))).json()
        return found

    async def put(self, path: str, body: Mapping[str, Any], version: str | None = None) -> httpx.Response:
        """Create or change; `version` is an ETag for If-Match."""
        headers = {"If-Match": version} if version else {}
        return await self.call("PUT", path, (200, 201, 202, 204), json=body, headers=headers)

    async def post(self, path: str, body: Mapping[str, Any], *, expected: tuple[int, ...] = (200, 201, 202)) -> Any:
        """Create, with a fresh Idempotency-Key; the answer's JSON."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        answer = await self.call("POST", path, expected, json=body, headers=headers)
        return answer.json() if answer.content else {}

    async def until(self, path: str, true: Callable[[dict[str, Any]], bool], within_s: float = 30) -> dict[str, Any]:
        """Read until `true` of what is read; raises `Differs` with the last reading."""
        deadline, seen = time.monotonic() + within_s, None
        while time.monotonic() < deadline:
            answer = await self.call("GET", path, (200, 404))
            seen = answer.json()
            if answer.status_code == 200 and true(seen):
                return dict(seen)
            await asyncio.sleep(0.1)
        raise Differs(f"GET {path} did not come to what was waited for; last: {json.dumps(seen)[:2000]}")
