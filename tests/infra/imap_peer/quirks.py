"""What servers do that they should not. Each makes a Quirk."""

from __future__ import annotations

import asyncio

from tests.infra.imap_peer.answers import fetched
from tests.infra.imap_peer.session import Quirk, Session


def answers(command: str, *lines: str, times: int = 1_000_000) -> Quirk:
    """Answer this command with these lines; ``{tag}`` stands for its tag. Only so many times."""
    left = [times]

    async def quirk(session: Session, tag: str, said: str, rest: str) -> bool:
        if said != command or left[0] <= 0:
            return False
        left[0] -= 1
        await session.say(*(line.format(tag=tag) for line in lines))
        return True

    return quirk


def refuses(command: str, why: str, times: int = 1_000_000) -> Quirk:
    """``NO`` with these words (a code in brackets first, or none)."""
    return answers(command, "{tag} NO " + why, times=times)


def silent(command: str) -> Quirk:
    """Never answer this command."""

    async def quirk(session: Session, tag: str, said: str, rest: str) -> bool:
        if said != command:
            return False
        await session.hold()
        return True

    return quirk


def closes(command: str, *before: str) -> Quirk:
    """Say these lines, then close instead of answering."""

    async def quirk(session: Session, tag: str, said: str, rest: str) -> bool:
        if said != command:
            return False
        if before:
            await session.say(*before)
            session.writer.close()
            session.ended = True
        else:
            session.cut()
        return True

    return quirk


def bye_in_idle(text: str, after_s: float = 0.05, *, close: bool = True) -> Quirk:
    """``+``, then ``* BYE`` (none where the text is empty), then close."""

    async def quirk(session: Session, tag: str, said: str, rest: str) -> bool:
        if said != "IDLE":
            return False
        await session.say("+ idling")
        await asyncio.sleep(after_s)
        if text:
            await session.say(f"* BYE {text}")
        if close:
            session.writer.close()
            session.ended = True
        return True

    return quirk


def literal(claimed: int, sent: bytes, *, then: bytes = b")\r\n", hang: bool = False) -> Quirk:
    """A FETCH whose literal claims another length than it has, or that stops in the middle (``hang``)."""

    async def quirk(session: Session, tag: str, said: str, rest: str) -> bool:
        if said != "UID FETCH" or "BODY" not in rest:
            return False
        await session.send(b"* 1 FETCH (UID 1 RFC822.SIZE %d BODY[]<0> {%d}\r\n" % (claimed, claimed) + sent)
        if hang:
            await session.hold()
        else:
            await session.send(then)
            await session.say(f"{tag} OK done")
        return True

    return quirk


def floods(command: str, lines: int, line: str = "* 1 EXISTS") -> Quirk:
    """So many untagged lines before the answer."""

    async def quirk(session: Session, tag: str, said: str, rest: str) -> bool:
        if said != command:
            return False
        block = (f"{line}\r\n" * 1000).encode()
        for _ in range(lines // 1000):
            await session.send(block)
        return False

    return quirk


def mail_during_fetch(octets: bytes) -> Quirk:
    """The first FETCH brings what was there, an EXISTS for a mail that comes meanwhile, and goes on."""
    once = [True]

    async def quirk(session: Session, tag: str, said: str, rest: str) -> bool:
        if said != "UID FETCH" or not once:
            return False
        once.clear()
        numbers, _, items = rest.partition(" ")
        box = session.selected
        parts = [fetched(box, mail, items) for mail in box.chosen(numbers)]
        box.add(octets)
        await session.send(b"".join(parts[:1]))
        await session.say(f"* {len(box.mails)} EXISTS")
        await session.send(b"".join(parts[1:]))
        await session.say(f"{tag} OK done")
        return True

    return quirk
