"""`make corpus DIR=… [REPORT=file]`: every file of a folder is delivered as a mail, ingested, compared with its event.

Each file goes by LMTP into one of eight mailboxes of a real Dovecot, by APPEND where LMTP refuses it; a mailbox takes
one after the other, so the n-th is UID n. A second tenant is written to all the while, and its own p99 is told. The
last line is JSON; with a report, one JSON line a mail: file, kind, subject, from, text_length, attachments,
bounce_recipient, bounce_status, recipients, seconds (from delivered to event).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import imaplib
import json
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.report import last_line, percentile, say
from tests.infra.dovecot import PASSWORD
from tests.infra.inbound_ear import Heard
from tests.infra.inbound_stage import Box, InboundStage

BOXES = 8
REST_S = 60.0
WORST_S = 5.0
BESIDE_S = 0.5
BESIDE = b"From: a@b.test\r\nTo: desk@mail.test\r\nSubject: beside\r\nMessage-ID: <%d@beside.test>\r\n\r\nhello\r\n"


@dataclass(slots=True)
class Lane:
    """One mailbox: what lies in it, in the order of its UIDs, and when each was there."""

    box: Box
    files: list[Path] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    hashes: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class Post:
    """Delivers files and collects what was said of them."""

    stage: InboundStage
    lanes: list[Lane]
    appended: int = 0
    deaths: int = 0

    async def deliver(self, files: list[Path]) -> None:
        """All files, each mailbox one after the other. The same octets never come twice to one mailbox."""
        waiting: asyncio.Queue[Path] = asyncio.Queue()
        for file in files:
            waiting.put_nowait(file)

        async def work(lane: Lane) -> None:
            while not waiting.empty():
                await self._one(lane, waiting.get_nowait())

        await asyncio.gather(*(work(lane) for lane in self.lanes))

    async def _one(self, lane: Lane, file: Path) -> None:
        octets = file.read_bytes()
        if (known := hashlib.sha256(octets).digest()) in lane.hashes:
            lane = await self._another(known)
        lane.hashes.add(known)
        taken = False
        with suppress(OSError, ValueError):
            taken = await self.stage.dovecot.deliver(lane.box.user, octets)
        if not taken:
            await asyncio.to_thread(append, self.stage.dovecot.imap, lane.box.user, octets)
            self.appended += 1
        lane.files.append(file)
        lane.at.append(time.time())

    async def _another(self, known: bytes) -> Lane:
        """A mailbox of its own for a copy: which of two is then UID n in a shared one could not be said."""
        (box,) = await self.stage.add_boxes(1, self.lanes[0].box.tenant)
        await self.stage.ear.connected([box.channel_id], 30)
        self.lanes.append(Lane(box))
        return self.lanes[-1]

    async def beside(self, box: Box, written: dict[int, float]) -> None:
        """The second tenant's mails, until cancelled."""
        while True:
            await asyncio.sleep(BESIDE_S)
            if await self.stage.dovecot.deliver(box.user, BESIDE % len(written)):
                written[len(written) + 1] = time.time()

    async def keep_alive(self) -> None:
        """Counts deaths of the service and starts it again."""
        while True:
            await asyncio.sleep(0.3)
            if self.stage.stack.crew.members["ingest-0"].child.exit_code is not None:
                self.deaths += 1
                await self.stage.stack.restart("ingest-0")

    def events(self) -> dict[tuple[str, int], list[Heard]]:
        """What was said, by channel and UID."""
        found: dict[tuple[str, int], list[Heard]] = {}
        for mail in self.stage.ear.mails:
            found.setdefault((mail.channel_id, mail.place[2]), []).append(mail)
        return found

    def complete(self) -> bool:
        """Whether each file has its event."""
        events = self.events()
        return all((lane.box.channel_id, n + 1) in events for lane in self.lanes for n in range(len(lane.files)))


def append(port: int, user: str, octets: bytes) -> None:
    """What LMTP refused, by IMAP. Raises RuntimeError where that is refused too."""
    with imaplib.IMAP4("127.0.0.1", port) as client:
        client.login(user, PASSWORD)
        said, _ = client.append("INBOX", "", "", octets)
    if said != "OK":
        raise RuntimeError("neither LMTP nor APPEND takes this mail")


def lying(port: int, user: str) -> int:
    """How many mails there are."""
    with imaplib.IMAP4("127.0.0.1", port) as client:
        client.login(user, PASSWORD)
        _, said = client.select("INBOX", readonly=True)
    return int(said[0] or 0)


def lines_of(post: Post, folder: Path) -> list[dict[str, Any]]:
    """One report line for each file, in their order; kind "missing" where nothing was said."""
    events, lines = post.events(), []
    for lane in post.lanes:
        for place, (file, at) in enumerate(zip(lane.files, lane.at, strict=True)):
            heard = events.get((lane.box.channel_id, place + 1), [])
            said = _line(heard[0], at) if heard else {"kind": "missing", "seconds": None}
            lines.append({"file": str(file.relative_to(folder))} | said)
    return sorted(lines, key=lambda line: str(line["file"]))


def _line(heard: Heard, at: float) -> dict[str, Any]:
    said, names = heard.data, ("address", "action", "status")
    recipients = [{name: one.get(name) for name in names} for one in said.get("recipients", ())]
    first = recipients[0] if recipients else {}
    return {
        "kind": heard.kind,
        "auto": said.get("auto"),
        "subject": said.get("subject"),
        "from": (said.get("sender") or {}).get("address"),
        "text_length": _length(said),
        "attachments": len(said.get("attachments", ())),
        "bounce_recipient": first.get("address"),
        "bounce_status": first.get("status"),
        "recipients": recipients,
        "replaced_chars": said.get("replaced_chars", 0),
        "reason": said.get("reason"),
        "seconds": round(max(0.0, heard.at - at), 3),
    }


def _length(said: dict[str, Any]) -> int:
    """Characters of the text, octets where it is stored by reference."""
    return int(said["text_ref"]["size"]) if said.get("text_ref") else len(said.get("text") or "")


def figures(post: Post, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The keys of the last line."""
    said = [line for line in lines if line["kind"] != "missing"]
    events = post.events()
    own = [events.get((lane.box.channel_id, n + 1), []) for lane in post.lanes for n in range(len(lane.files))]
    return {
        "files": len(lines),
        "events": sum(map(len, own)),
        "missing": len(lines) - len(said),
        "doubled": sum(len(heard) - 1 for heard in own if heard),
        "deaths": post.deaths,
        "quarantined": sum(line["kind"] == "MessageQuarantined" for line in said),
        "replaced_chars": sum(line["replaced_chars"] or 0 for line in said),
        "worst_s": max((line["seconds"] for line in said), default=0.0),
        "auto": dict(Counter(line["auto"] for line in said if line["auto"])),
    }


async def main(folder: Path, report: Path | None) -> int:
    """Run; exit code 1 where a promise was broken."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    async with InboundStage() as stage:
        post = Post(stage, [Lane(box) for box in await stage.add_boxes(BOXES)])
        (other,) = await stage.add_boxes(1)
        if not await stage.ear.connected([other.channel_id, *(lane.box.channel_id for lane in post.lanes)], 60):
            raise RuntimeError(f"not all connected: {stage.ear.states}")
        written: dict[int, float] = {}
        beside = [asyncio.create_task(post.beside(other, written)), asyncio.create_task(post.keep_alive())]
        await post.deliver(files)
        await stage.ear.until(post.complete, REST_S)
        await asyncio.sleep(2)
        for task in beside:
            task.cancel()
        for lane in post.lanes:
            if (number := await asyncio.to_thread(lying, stage.dovecot.imap, lane.box.user)) != len(lane.files):
                raise RuntimeError(f"{number} mails lie where {len(lane.files)} were delivered: no UID can be told")
        lines = lines_of(post, folder)
        found = {uid: heard[0].at for (channel, uid), heard in post.events().items() if channel == other.channel_id}
        late = [found[uid] - at for uid, at in written.items() if uid in found]
        say(f"{post.appended} by APPEND; beside: {len(late)} mails, p50 {1000 * percentile(late, 0.5):.0f} ms,"
            f" p99 {1000 * percentile(late, 0.99):.0f} ms since written")  # fmt: skip
        result = figures(post, lines)
    if report is not None:
        report.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    for line in lines:
        if line["kind"] in ("missing", "MessageQuarantined") or line["seconds"] > WORST_S:
            say(json.dumps(line))
    last_line(result)
    unread = result["quarantined"] > 0.002 * result["files"]
    return (
        1 if result["missing"] or result["doubled"] or result["deaths"] or unread or result["worst_s"] > WORST_S else 0
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.corpus", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(asked.folder, asked.report)))
