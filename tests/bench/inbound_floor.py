"""The floor of the inbound bench: raw aioimaplib over TLS, one FETCH for each mail, in a process of its own.

    python -m tests.bench.inbound_floor PORT CA_FILE MAILS USER…

Logs in, selects and waits for a line on stdin; then every connection fetches its mails; prints the seconds it took.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import aioimaplib
import uvloop

from tests.infra.dovecot import PASSWORD


async def run(port: int, ca_file: Path, mails: int, users: Sequence[str]) -> float:
    """Seconds for all."""
    context = ssl.create_default_context(cafile=ca_file)
    clients = [aioimaplib.IMAP4_SSL("localhost", port, timeout=120, ssl_context=context) for _ in users]
    for client, user in zip(clients, users, strict=True):
        await client.wait_hello_from_server()
        await client.login(user, PASSWORD)
        await client.select("INBOX")
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began = time.monotonic()
    await asyncio.gather(*(_fetch(client, mails) for client in clients))
    took = time.monotonic() - began
    for client in clients:
        await client.logout()
    return took


async def _fetch(client: aioimaplib.IMAP4_SSL, mails: int) -> None:
    await client.noop()
    for number in range(1, mails + 1):
        answer = await client.uid("fetch", str(number), "(UID BODY.PEEK[])")
        if answer.result != "OK" or len(answer.lines) < 3:
            raise RuntimeError(f"mail {number}: {answer.result}, {len(answer.lines)} lines")


async def measure(port: int, ca_file: Path, mails: int, users: Sequence[str]) -> float:
    """Mails a second, by a fresh process."""
    command = [sys.executable, "-m", "tests.bench.inbound_floor", str(port), str(ca_file), str(mails), *users]
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=dict(os.environ))
    assert child.stdout is not None
    await child.stdout.readline()
    said, _ = await child.communicate(b"go\n")
    if child.returncode:
        raise RuntimeError("the floor failed")
    return mails * len(users) / float(json.loads(said))


if __name__ == "__main__":
    taken = uvloop.run(run(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
    print(json.dumps(taken))
