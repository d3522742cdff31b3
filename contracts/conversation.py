"""The conversation: messages with one client group, threaded by headers."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from contracts import limits
from contracts.addresses import Address, HeaderText
from contracts.payload import Id, Part, Payload


class Correspondent(Part):
    """An address with the name that stands before it."""

    address: Address
    name: HeaderText = Field(default="", max_length=limits.NAME_LENGTH)


class ConversationChanged(Payload):
    """The conversation as it now is: on which channel, with whom, and whether it is hidden."""

    aggregate: ClassVar[str] = "conversation"
    conversation_id: Id
    channel_id: Id
    participants: tuple[Correspondent, ...]
    hidden: bool = False

    def key(self) -> str:
        """One record per conversation."""
        return self.conversation_id
