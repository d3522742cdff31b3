"""Where the demonstration plays: the running stack, its people, and one channel of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx

from deploy.local.api import Api, Differs
from deploy.local.demo_desk import PASSWORD, channel_settings
from deploy.local.infra.mail import add_user
from deploy.local.mailbox import Mailbox


def say(step: str, *evidence: str) -> None:
    """One step of the story and what shows it."""
    print(f"\n  * {step}", *(f"    {line}" for line in evidence), sep="\n", flush=True)


def check(true: bool, otherwise: str) -> None:
    """Raises `Differs` with the text when it is not so."""
    if not true:
        raise Differs(otherwise)


@dataclass(slots=True)
class Scene:
    """`run` is `.local/run.json`; `mark` tells this play's mails from earlier ones."""

    run: dict[str, Any]
    ca_file: Path
    undo_seconds: int = 4
    mark: str = field(default_factory=lambda: os.urandom(3).hex())
    channel: str = ""
    conversation: str = ""

    @property
    def address(self) -> str:
        """The account that is connected."""
        return f"orders-{self.mark}@acme.test"

    @property
    def client(self) -> str:
        """Carla's address, with her name."""
        return f"Carla Dias <{self.run['mailboxes']['client']['address']}>"

    @property
    def smtp_port(self) -> int:
        """Where a client's mail program hands its mails over."""
        return int(self.run["smtp"]["port"])

    def operator(self, name: str) -> str:
        """An operator's id."""
        return str(self.run["operators"][name])

    def api(self, role: str) -> Api:
        """The gateway as this role sees it."""
        return Api(self.run["gateway"], self.run["tokens"][role])

    def mailbox(self, role: str) -> Mailbox:
        """The mailbox of this role."""
        login = self.run["mailboxes"][role]
        return Mailbox(self.run["imap"]["tls_port"], login["user"], login["password"], self.ca_file)

    async def arrived(self, role: str, subject: str) -> list[EmailMessage]:
        """The mails with this subject; raises `Differs` when none comes."""
        found = await self.mailbox(role).wait_for(subject)
        check(bool(found), f"no mail with the subject {subject!r} in the mailbox of {role}")
        return found

    async def connect(self) -> dict[str, Any]:
        """Make the account on the mail server and the channel on the gateway."""
        await self.open_account()
        made: dict[str, Any] = await self.api("owner").post("/v1/channels", self._settings(PASSWORD))
        self.channel = made["channel_id"]
        return made

    async def open_account(self) -> None:
        """Make the account on the mail server. Raises OSError while that is away."""
        try:
            await add_user(self.run["mail_api"], self.address, PASSWORD)
        except httpx.TransportError as away:
            raise OSError(str(away)) from away

    async def set_secret(self, secret: str) -> None:
        """Change the password that both directions log in with."""
        path = f"/v1/channels/{self.channel}"
        found = await self.api("owner").call("GET", path, (200,))
        await self.api("owner").put(path, self._settings(secret), found.headers["ETag"])

    def _settings(self, secret: str) -> dict[str, Any]:
        ports = self.run["smtp"]["tls_port"], self.run["imap"]["tls_port"]
        wanted = channel_settings(*ports, self.address, f"Orders {self.mark}", self.undo_seconds)
        return {**wanted, "imap": {**wanted["imap"], "secret": secret}, "smtp": {**wanted["smtp"], "secret": secret}}

    async def status(self) -> dict[str, Any]:
        """The channel's status, by direction."""
        return dict((await self.api("owner").get(f"/v1/channels/{self.channel}"))["status"])

    async def turned(self, way: str, state: str, within_s: float = 30) -> dict[str, Any]:
        """Wait until this direction (imap, smtp) is in this state; the direction."""
        path = f"/v1/channels/{self.channel}"
        seen = await self.api("owner").until(path, lambda it: it["status"][way]["state"] == state, within_s)
        return dict(seen["status"][way])

    async def put_signature(self, whose: str, template: dict[str, Any]) -> dict[str, Any]:
        """`whose`: "default", "operators/<id>", or "policy" for the two switches."""
        path = f"/v1/channels/{self.channel}/signatures/{whose}"
        answer: dict[str, Any] = (await self.api("owner").put(path, template)).json()
        return answer

    async def start(self, role: str, subject: str, text: str) -> str:
        """Start the conversation with Carla; the first message's id."""
        client = {"address": self.run["mailboxes"]["client"]["address"], "name": "Carla Dias"}
        wanted = {"channel_id": self.channel, "clients": [client], "message": {"subject": subject, "text": text}}
        made = await self.api(role).post("/v1/conversations", wanted)
        self.conversation = made["conversation_id"]
        return str(made["message"]["message_id"])

    async def send(self, role: str, subject: str, text: str) -> str:
        """Write into the conversation; the message's id."""
        wanted = {"conversation_id": self.conversation, "subject": subject, "text": text}
        return str((await self.api(role).post("/v1/messages", wanted))["message_id"])

    async def until(self, message: str, status: str, within_s: float = 30) -> dict[str, Any]:
        """Read the message until it has this status."""
        path = f"/v1/messages/{message}"
        return await self.api("owner").until(path, lambda seen: seen["status"] == status, within_s)

    async def items(self) -> list[dict[str, Any]]:
        """The messages of the conversation, both ways, the newest first."""
        return list((await self.api("owner").get(f"/v1/conversations/{self.conversation}"))["messages"]["items"])

    async def heard(self, internet_message_id: str, within_s: float = 20) -> dict[str, Any]:
        """Wait until a client's mail stands in the conversation; must stand there once."""

        def those(seen: dict[str, Any]) -> list[dict[str, Any]]:
            found = [it for it in seen["messages"]["items"] if it["direction"] == "in"]
            return [it for it in found if it["internet_message_id"] == internet_message_id]

        path = f"/v1/conversations/{self.conversation}"
        found = those(await self.api("owner").until(path, lambda seen: bool(those(seen)), within_s))
        check(len(found) == 1, f"it stands there {len(found)} times")
        return found[0]

    async def conversation_with(self, address: str, within_s: float = 20) -> dict[str, Any]:
        """Wait for the conversation on our channel in which this person takes part; must be one."""

        def those(seen: dict[str, Any]) -> list[dict[str, Any]]:
            return [it for it in seen["items"] if address in [one["address"] for one in it["participants"]]]

        path = f"/v1/conversations?channel_id={self.channel}"
        found = those(await self.api("owner").until(path, lambda seen: bool(those(seen)), within_s))
        check(len(found) == 1, f"there are {len(found)} conversations with {address}")
        return found[0]

    async def interrupt(self, role: str, message: str) -> dict[str, Any]:
        """Interrupt; must succeed."""
        answer = await self.api(role).call("POST", f"/v1/messages/{message}/interrupt", (200,))
        return dict(answer.json())

    async def leave(self) -> None:
        """Remove the channel."""
        if self.channel:
            await self.api("owner").call("DELETE", f"/v1/channels/{self.channel}", (200, 202, 204))
