"""SMTP sessions that answer as a test says, and remember what was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from contracts.channel import ChannelChanged
from services.outbox.domain.replies import Answer, NotOpen, Reply
from services.outbox.ports import EnvelopeAnswers

OK, GO = Reply(250), Reply(354)


@dataclass
class ScriptedSession:
    """Answers from its fields; ``heard`` are the commands in order; ``on`` may do something at a command."""

    mail: Answer = OK
    rcpt: dict[str, Answer] = field(default_factory=dict)
    to_data: Answer = GO
    to_content: Answer = OK
    on: dict[str, Callable[[], object]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)

    def _hear(self, command: str) -> None:
        self.heard.append(command)
        self.on.get(command, lambda: None)()

    async def envelope(self, sender: str, recipients: Sequence[str], size: int) -> EnvelopeAnswers:
        """MAIL and RCPTs."""
        self._hear("envelope")
        return EnvelopeAnswers(self.mail, tuple(self.rcpt.get(each, OK) for each in recipients))

    async def data(self, deadline: float) -> Answer:
        """DATA."""
        self._hear("DATA")
        return self.to_data

    async def content(self, octets: bytes, deadline: float) -> Answer:
        """The content."""
        self._hear("content")
        self.taken.append(octets)
        return self.to_content

    async def reset(self) -> bool:
        """RSET."""
        self._hear("RSET")
        return True

    async def release(self) -> None:
        """Back to the pool."""
        self._hear("release")

    async def close(self) -> None:
        """Gone."""
        self._hear("close")


@dataclass
class ScriptedSubmission:
    """Gives out the sessions of ``ready`` in order, then ordinary ones; ``opened`` are all it gave."""

    ready: list[ScriptedSession | NotOpen] = field(default_factory=list)
    opened: list[ScriptedSession] = field(default_factory=list)

    async def session(self, channel: ChannelChanged, tenant: str, *, fresh: bool = False) -> ScriptedSession | NotOpen:
        """The next one."""
        found = self.ready.pop(0) if self.ready else ScriptedSession()
        if isinstance(found, ScriptedSession):
            self.opened.append(found)
        return found

    async def forget(self, tenant: str, channel_id: str) -> None:
        """Nothing is pooled."""
