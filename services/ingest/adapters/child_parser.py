"""The parser of mails over a pool of killable children; the port of the handlers' `Parser`.

    parser = ChildParser(pool(size=1))
    match await parser.parse(octets):
        case Parsed() as parsed: ...
        case Unparsable(reason): ...        # quarantine: it would fail again

Calls made together are handed over together, up to 64 mails and 8 MiB at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from contracts import limits
from services.ingest.adapters.parsed_frames import streamed, unpacked
from services.ingest.domain.parsed import Parsed, Unparsable
from services.ingest.ports import Hold
from services.kit.child_process import ChildEnded, Limits
from services.kit.child_stream import StreamingChild
from services.kit.children import ChildPool, Killed
from services.kit.unavailable import Unavailable

MODULE: Final = "services.ingest.adapters.parse_child"
CPU_SECONDS: Final = 5.0
_MEMORY: Final = 512 * limits.MIB
_OUTPUT: Final = 60 * limits.MIB
"""What a mail of 50 MB can decode to, its bodies on top."""
_WALL_SECONDS: Final = 30.0
LIMITS: Final = Limits(CPU_SECONDS, _WALL_SECONDS, _MEMORY, _OUTPUT)
LONE: Final = 2
"""So many large mails are read at once."""
MISTAKES: Final = (ValueError, KeyError, IndexError, TypeError)
"""What frames raise that no child of ours has packed."""


def pool(*, size: int = 1) -> ChildPool:
    """The children: 5 s of CPU and 512 MB for each mail, replaced after 10,000."""
    return ChildPool(
        MODULE, size=size, seconds=CPU_SECONDS, memory_bytes=_MEMORY, output_bytes=_OUTPUT, wall_seconds=_WALL_SECONDS
    )


class ChildParser:
    """Reads mails outside this process; whatever a mail does there, others are not touched."""

    def __init__(self, children: ChildPool) -> None:
        self._children, self._lone = children, asyncio.Semaphore(LONE)

    @property
    def pids(self) -> list[int]:
        """The children alive now."""
        return self._children.pids

    async def start(self) -> None:
        """Starts the children now; raises ChildEnded where one does not come up."""
        await self._children.start(early=True)

    async def parse(self, octets: bytes) -> Parsed | Unparsable:
        """The mail, or why it cannot be read. Raises Unavailable when there is no child to ask."""
        (read,) = await self.parse_all([octets])
        return read

    async def parse_all(self, mails: Sequence[bytes]) -> list[Parsed | Unparsable]:
        """Each of them, in this order. Raises Unavailable when there is no child to ask."""
        some = [octets for octets in mails if len(octets) <= limits.INBOUND_SIZE]
        answers = iter(await self._children.call_all(some))
        return [
            Unparsable("too_large") if len(octets) > limits.INBOUND_SIZE else _read(next(answers)) for octets in mails
        ]

    async def parse_held(self, size: int, octets: AsyncIterator[bytes], hold: Hold) -> Parsed | Unparsable:
        """See Parser; one child for this mail alone, which gives its memory back. Raises as `parse`, and as `hold`."""
        try:
            async with self._lone, StreamingChild(MODULE, LIMITS) as child:
                answer = await child.ask(size, octets)
                return _unparsable(answer) if isinstance(answer, Killed) else await streamed(answer, hold)
        except ChildEnded as ended:
            return _unparsable(Killed(ended.reason))
        except MISTAKES as error:
            return Unparsable("output", type(error).__name__)

    async def close(self) -> None:
        """Ends the children; who still waits gets Unavailable."""
        await self._children.close()


def _read(answer: bytes | Killed) -> Parsed | Unparsable:
    if isinstance(answer, Killed):
        return _unparsable(answer)
    try:
        return unpacked(answer)
    except MISTAKES as error:
        return Unparsable("output", type(error).__name__)


def _unparsable(killed: Killed) -> Unparsable:
    if killed.reason == "start" or killed.detail == "closed":
        raise Unavailable(f"no parser: {killed.reason}")  # nothing is known of the mail
    return Unparsable(killed.reason, killed.detail)
