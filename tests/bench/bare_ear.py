"""A bare IMAP client in IDLE on a plain connection: when did the server itself say that the mailbox has grown?"""

from __future__ import annotations

import asyncio
import re
import time

from tests.infra.dovecot import PASSWORD

_EXISTS = re.compile(rb"\* (\d+) EXISTS")


class BareEar:
    """``at[n]``: when the server first said that there are at least n mails."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.at: dict[int, float] = {}
        self.exists = 0

    @classmethod
    async def listen(cls, port: int, user: str) -> BareEar:
        """Log in, select INBOX, IDLE."""
        ear = cls(*await asyncio.open_connection("127.0.0.1", port))
        await ear._reader.readline()
        for number, line in enumerate((f'LOGIN "{user}" "{PASSWORD}"', "SELECT INBOX")):
            ear._writer.write(f"a{number} {line}\r\n".encode())
            while not (said := await ear._reader.readline()).startswith(f"a{number} OK".encode()):
                if not said.startswith(b"*"):
                    raise RuntimeError(f"{line.split()[0]}: {said[:80]!r}")
                ear._note(said)
        ear._writer.write(b"a2 IDLE\r\n")
        ear._task = asyncio.create_task(ear._hear())
        return ear

    async def close(self) -> None:
        """Hang up."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._writer.close()

    async def _hear(self) -> None:
        while line := await self._reader.readline():
            self._note(line)

    def _note(self, line: bytes) -> None:
        found = _EXISTS.match(line)
        if found:
            now = time.time()
            for number in range(self.exists + 1, int(found[1]) + 1):
                self.at[number] = now
            self.exists = int(found[1])

    _task: asyncio.Task[None]
