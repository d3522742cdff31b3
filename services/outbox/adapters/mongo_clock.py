"""The database's clock, heard now and then and carried on by our own monotonic one."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.kit.clock import Clock
from services.kit.mongo import Database, translated


class MongoClock:
    """The DatabaseClock port. ``sync`` first, and again every minute or so; until then ``now`` raises RuntimeError.

    Of several answers the one with the shortest round trip counts: half of it is the most the clock can be off.
    """

    def __init__(self, database: Database, clock: Clock, *, asks: int = 3) -> None:
        self._database, self._clock, self._asks = database, clock, asks
        self._heard: tuple[float, datetime] | None = None

    def now(self) -> datetime:
        """See DatabaseClock."""
        if self._heard is None:
            raise RuntimeError("the database's clock was not heard yet")
        at, moment = self._heard
        passed = timedelta(milliseconds=round((self._clock.monotonic() - at) * 1000))
        return moment + passed

    async def sync(self) -> None:
        """Ask the database; raises Unavailable."""
        best: tuple[float, float, datetime] | None = None
        for _ in range(self._asks):
            began = self._clock.monotonic()
            async with translated():
                answer = await self._database.command("hello", codec_options=self._database.codec_options)
            ended = self._clock.monotonic()
            if best is None or ended - began < best[0]:
                best = (ended - began, (began + ended) / 2, answer["localTime"])
        if best is not None:
            self._heard = best[1:]
