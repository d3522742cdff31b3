"""The floor: raw aiosmtplib on the asyncio loop, 20 pooled connections, `sendmail` of 1 KB texts into the instant sink.

It moves with the machine (1,300 to 4,800 messages a second were seen within 40 minutes), so it is taken beside every
run. `python -m tests.bench.floor` measures it alone.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator

import aiosmtplib

from tests.bench.machine import Meter
from tests.bench.report import last_line, median
from tests.infra.smtp_peer import PeerProcess, spawn

CONNECTIONS = 20
MESSAGES = 4000
TEXT = "A line of text that says nothing in particular, eighty octets with its end..\r\n" * 13


def letter(number: int) -> str:
    """A 1 KB text message."""
    head = f"From: a@sender.test\r\nTo: b@sink.test\r\nSubject: floor\r\nMessage-ID: <{number}@floor.test>\r\n\r\n"
    return head + TEXT


async def measure(port: int, messages: int = MESSAGES, connections: int = CONNECTIONS) -> float:
    """Messages a second into the sink at `port`; the connections are open and greeted before the clock starts."""
    clients = [aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) for _ in range(connections)]
    for client in clients:
        await client.connect()
        await client.ehlo()
    numbers = iter(range(messages))
    began = time.monotonic()
    await asyncio.gather(*(_drain(client, numbers) for client in clients))
    rate = messages / (time.monotonic() - began)
    await asyncio.gather(*(client.quit() for client in clients))
    return rate


async def _drain(client: aiosmtplib.SMTP, numbers: Iterator[int]) -> None:
    for number in numbers:
        await client.sendmail("a@sender.test", ["b@sink.test"], letter(number))


async def with_own_sink(messages: int = MESSAGES) -> float:
    """The floor with a sink of its own."""
    sink: PeerProcess = await spawn("--instant")
    try:
        return await measure(sink.port, messages)
    finally:
        await sink.stop()


async def main(repeats: int = 3) -> None:
    """Measure the floor `repeats` times and print the median."""
    meter = Meter({"floor": os.getpid()})
    meter.start()
    rates = [await with_own_sink() for _ in range(repeats)]
    last_line({"floor_msg_s": median(rates), "repeats": rates, "others_cores": meter.stop().others_cores})


if __name__ == "__main__":
    asyncio.run(main())
