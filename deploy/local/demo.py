"""`make demo`: plays the product's story against a running `make run` and shows what the clients' mailboxes hold.

Each step prints its evidence; the first that differs ends it with exit code 1. It reads `.local/run.json` and nothing
else of the runner, and removes the channel it connected, so that it can be played again and again.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from deploy.local import tools
from deploy.local.api import Differs
from deploy.local.demo_desk import NAMES, PASSWORD
from deploy.local.demo_inbound import (
    a_stranger_writes,
    a_wrong_password,
    the_client_answers,
    the_mail_server_dies,
)
from deploy.local.mailbox import html_of, shown, text_of
from deploy.local.scene import Scene, check, say

ANA_SIGNS = {"html": "<p><b>{{ operator.name }}</b><br>Orders, Acme</p>"}
ALL_SIGN = {"html": "<p>The team of {{ channel.name }}</p>", "text": "The team of {{ channel.name }}"}


async def connects_an_account(scene: Scene) -> None:
    """A mail account becomes a channel."""
    channel = await scene.connect()
    say(
        f"An e-mail account is connected: {scene.address}",
        f"POST /v1/channels -> {scene.channel}, version {channel.get('version')}",
        f"its secrets are not shown: {json.dumps(channel)[:400]}",
    )
    check(f'"{PASSWORD}"' not in json.dumps(channel), "the answer shows the secret")


async def writes_signatures(scene: Scene) -> None:
    """Ana has her own, everybody else gets the default one."""
    own = await scene.put_signature(f"operators/{scene.operator('ana')}", ANA_SIGNS)
    await scene.put_signature("default", ALL_SIGN)
    await scene.put_signature("policy", {"operators_sign": True, "default_enabled": True})
    say("Signatures are written", f"Ana's own: {ANA_SIGNS['html']}", f"the default one: {ALL_SIGN['html']}")
    check(bool(own), "no answer to a signature")


async def starts_a_conversation(scene: Scene) -> None:
    """Ana writes first; her mail arrives under her signature."""
    subject = f"Your order {scene.mark}"
    message = await scene.start("ana", subject, "Good morning Carla,\n\nyour order is on its way.")
    clock = await scene.until(message, "queued")
    say("Ana starts a conversation with Carla; the clock shows", f"status queued, undo until {clock.get('undo_until')}")
    await scene.until(message, "sent")
    (mail,) = await scene.arrived("client", subject)
    say("Her mail is in Carla's mailbox, signed by Ana", *shown(mail))
    text = text_of(mail)
    check("your order is on its way." in text, f"the text is missing: {text!r}")
    check(f"-- \n{NAMES['ana']}" in text, f"Ana's signature is not under the text: {text!r}")
    check(text.index("on its way") < text.index(NAMES["ana"]), "the signature stands above the text")
    check(f"<b>{NAMES['ana']}</b>" in html_of(mail) or not html_of(mail), "the HTML lacks the signature")


async def a_colleague_answers(scene: Scene) -> None:
    """Rui has no signature of his own: the default one, in the same thread."""
    subject = f"Re: Your order {scene.mark}"
    message = await scene.send("rui", subject, "One more thing: it comes in two parcels.")
    await scene.until(message, "sent")
    (first,) = await scene.arrived("client", f"Your order {scene.mark}")
    (mail,) = await scene.arrived("client", subject)
    say("Rui, without a signature of his own, writes under the default one", *shown(mail))
    check("The team of " in text_of(mail), f"the default signature is missing: {text_of(mail)!r}")
    check(NAMES["ana"] not in text_of(mail), "Rui's mail carries Ana's signature")
    check(first["Message-ID"] in str(mail["References"]), "the mail does not continue the thread")


async def interrupts_another(scene: Scene) -> None:
    """While the clock shows a message can be interrupted, and then it never arrives."""
    subject = f"Not yet {scene.mark}"
    message = await scene.send("ana", subject, "Ana sees her mistake in time.")
    clock = await scene.until(message, "queued")
    answer = await scene.interrupt("ana", message)
    told = {name: answer[name] for name in ("outcome", "message_status", "cancel_id")}
    say("Ana interrupts another one while its clock shows", f"undo until {clock.get('undo_until')}", f"-> {told}")
    check(answer["outcome"] == "interrupted", f"the interrupt was answered {answer['outcome']}")
    after = await scene.until(message, "interrupted")
    await asyncio.sleep(scene.undo_seconds + 3 + 4)
    check(not await scene.mailbox("client").with_subject(subject), "the interrupted mail arrived")
    say("It never arrives", f"looked into Carla's mailbox after the window: nothing; status {after['status']}")


async def survives_a_kill(scene: Scene) -> None:
    """The outbox is killed with a message in its hands; the mail arrives all the same, once."""
    subject = f"In spite of it {scene.mark}"
    message = await scene.send("ana", subject, "This one outlives a crash.")
    await scene.until(message, "queued")
    pid = scene.run["pids"]["outbox-0"]
    os.kill(pid, signal.SIGKILL)
    await scene.until(message, "sent", within_s=60)
    mails = await scene.arrived("client", subject)
    say("The outbox is killed with -9 meanwhile; the mail arrives, once", f"kill -9 {pid}", *shown(mails[0]))
    await asyncio.sleep(2)
    check(len(await scene.mailbox("client").with_subject(subject)) == 1, "it arrived twice")


STORY: tuple[Callable[[Scene], Awaitable[None]], ...] = (
    connects_an_account,
    writes_signatures,
    starts_a_conversation,
    a_colleague_answers,
    interrupts_another,
    survives_a_kill,
    the_client_answers,
    a_stranger_writes,
    the_mail_server_dies,
    a_wrong_password,
)


async def play(run_file: Path, ca_file: Path) -> None:
    """The whole story; raises `Differs` at the first step that is not as told."""
    scene = Scene(json.loads(run_file.read_text()), ca_file)
    started = time.monotonic()
    try:
        for step in STORY:
            await step(scene)
    finally:
        await scene.leave()
    print(f"\nThe story holds: {len(STORY)} steps in {time.monotonic() - started:.0f} s.")


def main() -> None:
    """Find the running stack, play, say what differed."""
    folder = tools.local_folder()
    if not (folder / "run.json").exists():
        sys.exit("make demo: nothing runs here; `make run` first, in another terminal")
    try:
        asyncio.run(play(folder / "run.json", folder / "data" / "mail" / "ca.pem"))
    except Differs as differs:
        sys.exit(f"\nmake demo: the story differs: {differs}")


if __name__ == "__main__":
    main()
