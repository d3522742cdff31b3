"""A large request goes through a process of its own in pieces, and whatever it does there is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.kit.child_process import ChildEnded, Killed, Limits
from services.kit.child_stream import PIECE, Answer, StreamingChild

SPECIMEN = "tests.unit.kit.child_specimen"
MIB = 1 << 20
LIMITS = Limits(seconds=0.3, wall_seconds=10.0, memory_bytes=512 * MIB, output_bytes=60 * MIB)


async def pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    """The request, cut."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def test_what_goes_in_in_pieces_comes_out_in_pieces() -> None:
    content = b"echo " + b"0123456789" * 500_000
    async with StreamingChild(SPECIMEN, LIMITS) as child:
        answer = await child.ask(len(content), pieces(content))
        assert isinstance(answer, Answer)
        assert answer.left == len(content) - 5
        assert await answer.exactly(10) == b"0123456789"
        got = [piece async for piece in answer.pieces(answer.left)]
        assert max(map(len, got)) <= PIECE
        assert b"".join(got) == content[15:]
        with pytest.raises(ValueError, match="shorter"):
            await answer.exactly(1)
    assert not Path(f"/proc/{child.pid}").exists()


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (b"spin", "cpu"), (b"hog", "memory"), (b"long 70000000", "output"), (b"raise", "raised"), (b"exit", "died"),
        (b"deaf", "died"),
    ],
)  # fmt: skip
async def test_each_excess_is_named(request_: bytes, reason: str) -> None:
    async with StreamingChild(SPECIMEN, LIMITS) as child:
        killed = await child.ask(len(request_), pieces(request_))
    assert isinstance(killed, Killed)
    assert killed.reason == reason
    assert "LEAK" not in killed.detail


async def test_one_that_says_nothing_is_not_waited_for() -> None:
    async with StreamingChild(SPECIMEN, replace(LIMITS, wall_seconds=0.5)) as child:
        assert await child.ask(8, pieces(b"sleep 60")) == Killed("wall")


async def test_a_source_that_fails_is_heard_and_nothing_is_left() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"echo "
        raise LookupError("source")

    with pytest.raises(LookupError, match="source"):
        async with StreamingChild(SPECIMEN, LIMITS) as child:
            await child.ask(1_000, failing())
    assert not Path(f"/proc/{child.pid}").exists()


async def test_a_process_that_ends_in_the_middle_of_its_answer_is_told() -> None:
    content = b"long 8000000"
    async with StreamingChild(SPECIMEN, LIMITS) as child:
        answer = await child.ask(len(content), pieces(content))
        assert isinstance(answer, Answer)
        child._child._process.kill()
        with pytest.raises(ChildEnded):
            _ = [piece async for piece in answer.pieces(answer.left)]


async def test_a_module_that_does_not_start() -> None:
    with pytest.raises(ChildEnded):
        async with StreamingChild("tests.unit.kit.no_such_module", LIMITS):
            pass
