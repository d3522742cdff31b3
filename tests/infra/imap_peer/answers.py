"""Answers by the book (RFC 9051) to the commands that need no state of the connection."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.infra.imap_peer.mailbox import Mail, Mailbox

if TYPE_CHECKING:
    from tests.infra.imap_peer.session import Session

_PIECE = re.compile(r"BODY\.PEEK\[\](?:<(\d+)\.(\d+)>)?")


async def answer(session: Session, tag: str, command: str, rest: str) -> None:
    """Answer, or BAD."""
    if command == "CAPABILITY":
        await session.say(f"* CAPABILITY {offers(session)}", f"{tag} OK done")
    elif command in ("SELECT", "EXAMINE"):
        await _select(session, tag, rest)
    elif command == "UID FETCH":
        await _fetch(session, tag, rest)
    elif command == "UID SEARCH":
        await _search(session, tag, rest)
    elif command == "LIST":
        await session.say(r'* LIST (\Sent) "/" "Sent"', f"{tag} OK done")
    elif command == "APPEND":
        octets = await session.literal(rest)
        await session.reader.readline()
        session.peer.sent.add(octets)
        await session.say(f"{tag} OK done")
    elif command == "NOOP":
        await session.say(f"* {len(session.selected.mails)} EXISTS", f"{tag} OK done")
    elif command == "ID":
        await session.say("* ID NIL", f"{tag} OK done")
    elif command == "LOGOUT":
        session.ended = True
        await session.say("* BYE", f"{tag} OK done")
    else:
        await session.say(f"{tag} BAD unknown")


def offers(session: Session) -> str:
    """What is offered; STARTTLS only before TLS."""
    before = session.peer.tls == "starttls" and session.writer.get_extra_info("ssl_object") is None
    return session.peer.offers + (" STARTTLS" if before else "")


async def _select(session: Session, tag: str, rest: str) -> None:
    box = session.selected = session.peer.sent if "sent" in rest.lower() else session.peer.inbox
    lines = [f"* {len(box.mails)} EXISTS", "* 0 RECENT", r"* FLAGS (\Seen)"]
    if box.uidvalidity is not None:
        lines.append(f"* OK [UIDVALIDITY {box.uidvalidity}] valid")
    if box.tells_next:
        lines.append(f"* OK [UIDNEXT {box.uidnext}] next")
    await session.say(*lines, f"{tag} OK [READ-WRITE] selected")


async def _fetch(session: Session, tag: str, rest: str) -> None:
    numbers, _, items = rest.partition(" ")
    chosen = session.selected.chosen(numbers)
    if "BODY" in items and any(mail.refused for mail in chosen):
        await session.say(f"{tag} NO some messages could not be fetched")
        return
    for mail in chosen:
        await session.send(fetched(session.selected, mail, items))
    await session.say(f"{tag} OK done")


def fetched(box: Mailbox, mail: Mail, items: str) -> bytes:
    """One FETCH response."""
    words = [f"UID {mail.uid}"]
    if "RFC822.SIZE" in items:
        words.append(f"RFC822.SIZE {len(mail.octets)}")
    if "INTERNALDATE" in items:
        words.append('INTERNALDATE "24-Nov-2026 14:02:54 -0300"')
    piece = _PIECE.search(items)
    if piece is None or mail.listed_only:
        return f"* {box.mails.index(mail) + 1} FETCH ({' '.join(words)})\r\n".encode()
    start, length = int(piece[1] or 0), int(piece[2] or len(mail.octets))
    octets = mail.octets[start : start + length]
    head = f"* {box.mails.index(mail) + 1} FETCH ({' '.join(words)} BODY[]<{start}> {{{len(octets)}}}\r\n"
    return head.encode() + octets + b")\r\n"


async def _search(session: Session, tag: str, rest: str) -> None:
    by_uid = re.match(r"UID (\S+)", rest)
    by_id = re.match(r'HEADER Message-ID "(.*)"', rest)
    if by_uid:
        found = session.selected.chosen(by_uid[1])
    else:
        wanted = by_id[1].encode() if by_id else b""
        found = [mail for mail in session.selected.mails if wanted in mail.octets]
    await session.say(f"* SEARCH {' '.join(str(mail.uid) for mail in found)}".rstrip(), f"{tag} OK done")
