"""What every command of a conversation shares: the state, the rules, the one place where a reply is decided."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NoReturn

from tests.infra.smtp_peer.records import History
from tests.infra.smtp_peer.rules import Action, Facts, Rule, RuleBook, Stage
from tests.infra.smtp_peer.settings import Settings
from tests.infra.smtp_peer.wire import Wire


class Cut(Exception):
    """A rule ended the conversation."""


@dataclass(slots=True)
class World:
    """What the conversations of one peer share."""

    settings: Settings
    rules: RuleBook
    history: History
    context: ssl.SSLContext | None = None
    transmissions: count[int] = field(default_factory=lambda: count(1))


class Conversation:
    """The state of one connection and how it answers."""

    def __init__(self, world: World, wire: Wire, connection: int, secured: bool) -> None:
        self.world = world
        self.wire = wire
        self.connection = connection
        self.secured = secured
        self.user = ""
        self.clear()

    def clear(self) -> None:
        """Forget the transaction (RSET, EHLO, after DATA)."""
        self.transmission = 0
        self.sender: str | None = None
        self.recipients: list[str] = []

    async def reply(self, stage: Stage, usual: str, **facts: Any) -> int:
        """Answer `usual` or what a rule wants; returns the code sent. Raises Cut when a rule ends the conversation."""
        rule = self.world.rules.decide(stage, self.facts(**facts))
        await self.pause(stage, rule)
        if rule is None or rule.action is Action.PASS:
            await self.wire.say(usual)
            return int(usual[:3])
        if rule.action in (Action.DROP, Action.SILENT):
            await self.end(stage, rule)
        await self.wire.say(f"{rule.code} {rule.text}")
        if rule.action is Action.REPLY_DROP:
            await self.end(stage, rule)
        return rule.code

    async def pause(self, stage: Stage, rule: Rule | None) -> None:
        """Let the settings' and the rule's delay pass."""
        delay = self.world.settings.delays.get(stage, 0.0) + (rule.delay if rule else 0.0)
        if delay:
            await asyncio.sleep(delay)

    async def end(self, stage: Stage, rule: Rule) -> NoReturn:
        """Stop answering; a silent peer waits for the client to go first."""
        if rule.action is Action.SILENT:
            self.write("silent", stage=stage)
            await self.wire.wait_for_close()
        self.write("dropped", by="client" if rule.action is Action.SILENT else "peer", stage=stage)
        raise Cut

    def facts(self, **more: Any) -> Facts:
        """What the rules may look at now."""
        known: dict[str, Any] = {"sender": self.sender or "", "recipients": tuple(self.recipients)}
        return Facts(connection=self.connection, user=self.user, **(known | more))

    def envelope(self) -> dict[str, Any]:
        """MAIL FROM and the accepted RCPT TO."""
        return {"sender": self.sender, "recipients": list(self.recipients)}

    def write(self, event: str, **fields: Any) -> None:
        """Append to the history."""
        self.world.history.write(self.connection, self.transmission, event, **fields)
