"""The story's second half: the client answers, a stranger writes, the mail server dies, a password is wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any

from deploy.local.demo_desk import PASSWORD
from deploy.local.letter import Letter, quoted
from deploy.local.mailbox import shown, text_of
from deploy.local.scene import Scene, check, say


async def the_client_answers(scene: Scene) -> None:
    """Carla answers Ana from her own mail program; it appears in the conversation Ana started."""
    await scene.turned("imap", "connected")
    (first,) = await scene.arrived("client", f"Your order {scene.mark}")
    text = f"When will it be here?\n\nAna wrote:\n{quoted(text_of(first))}\n"
    letter = Letter(scene.client, scene.address, f"Re: Your order {scene.mark}", text, first)
    posted, began = await letter.post(scene.smtp_port), time.monotonic()
    item = await scene.heard(posted)
    took = time.monotonic() - began
    told = {name: item[name] for name in ("direction", "subject", "new_part", "sender", "new_participant")}
    say("Carla answers; it stands in the same conversation", f"{took:.2f} s after her server took it", f"-> {told}")
    check(item["conversation_id"] == scene.conversation, "the answer is in another conversation")
    check("When will it be here?" in item["text"], f"the text is missing: {item['text']!r}")
    check(not item["new_participant"], "Carla is taken for a stranger")


async def a_stranger_writes(scene: Scene) -> None:
    """Somebody nobody knows opens a conversation by writing."""
    stranger = f"novo-{scene.mark}@elsewhere.test"
    letter = Letter(f"João Novo <{stranger}>", scene.address, f"Orçamento {scene.mark}", "Quanto custa a entrega?")
    await letter.post(scene.smtp_port)
    opened = await scene.conversation_with(stranger)
    told = {name: opened[name] for name in ("conversation_id", "participants", "subject", "unread")}
    say("A stranger writes; a new conversation opens", f"-> {told}")
    check(opened["conversation_id"] != scene.conversation, "the stranger landed in Carla's conversation")
    check(opened["unread"] == 1, f"{opened['unread']} unread instead of 1")


async def the_mail_server_dies(scene: Scene) -> None:
    """It is killed while a message waits, and started again: the status tells, nothing is lost or doubled."""
    pid = scene.run["pids"].get("mail")
    if pid is None:
        say("The mail server is not killed: it is none of this runner's processes")
        return
    before = len(await scene.items())
    subject = f"Through the storm {scene.mark}"
    message = await scene.send("ana", subject, "This one waits while the mail server is away.")
    await scene.until(message, "queued")
    os.kill(pid, signal.SIGKILL)
    gone, _ = await asyncio.gather(_states_until_back(scene), _account_again(scene))
    say("The mail server is killed and started again", f"kill -9 {pid}", f"status: {' -> '.join(gone)}")
    await _goes_on(scene, message, subject, before)


async def _goes_on(scene: Scene, message: str, subject: str, before: int) -> None:
    """The message that waited arrives, its answer comes back, and there is nothing else."""
    await scene.until(message, "sent", within_s=60)
    (mail,) = await scene.arrived("client", subject)
    posted = await Letter(scene.client, scene.address, f"Re: {subject}", "Here it is.", mail).post(scene.smtp_port)
    await scene.heard(posted)
    await asyncio.sleep(1.5)
    items = await scene.items()
    again = len(await scene.mailbox("client").with_subject(subject))
    say(
        "What waited went out, and Carla's answer came in: each once",
        *shown(mail), f"the conversation grew from {before} to {len(items)} messages",
    )  # fmt: skip
    check(again == 1, f"it arrived {again} times")
    check(len(items) == before + 2, "something is lost or doubled in the conversation")


async def _states_until_back(scene: Scene) -> list[str]:
    """What the channel's status says, from connected over its loss back to connected."""
    seen, deadline = ["connected"], time.monotonic() + 40
    while len(seen) < 3 or not seen[-1].startswith("connected"):
        status = (await scene.status())["imap"]
        state = status["state"] if status["reason"] in (None, "none") else f"{status['state']} ({status['reason']})"
        if state != seen[-1]:
            seen.append(state)
        check(time.monotonic() < deadline, f"the status does not come back: {seen}")
        check("auth_failed" not in state, f"a server that is away is no wrong password: {seen}")
        await asyncio.sleep(0.05)
    check(any("unreachable" in state for state in seen), f"the status never said that the server is away: {seen}")
    return seen


async def _account_again(scene: Scene) -> None:
    """The sandbox forgets its accounts when it dies."""
    deadline = time.monotonic() + 40
    while True:
        try:
            await scene.open_account()
        except OSError as away:
            check(time.monotonic() < deadline, f"the mail server does not come back: {away}")
            await asyncio.sleep(0.05)
        else:
            return


async def a_wrong_password(scene: Scene) -> None:
    """It shows as such on both directions; corrected, both connect, and the mail that came meanwhile is there."""
    await scene.set_secret("not the password")
    refused = {way: await scene.turned(way, "auth_failed") for way in ("imap", "smtp")}
    late = f"late-{scene.mark}@elsewhere.test"
    await Letter(late, scene.address, f"Anybody there {scene.mark}", "Who is at the desk?").post(scene.smtp_port)
    say("A wrong password shows as such", *(f"{way}: {_told(refused[way])}" for way in refused))
    await scene.set_secret(PASSWORD)
    fine = {way: await scene.turned(way, "connected") for way in ("imap", "smtp")}
    came = await scene.conversation_with(late)
    say("Corrected, it connects", *(f"{way}: {_told(fine[way])}" for way in fine), f"came meanwhile: {came['subject']}")


def _told(status: dict[str, Any]) -> str:
    return ", ".join(f"{name} {status[name]}" for name in ("state", "reason", "next_retry_at") if status.get(name))
