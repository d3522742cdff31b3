"""Publish the current state again where a record of ours on a compacted topic is older than its document.

Two relays may overlap, so an old event can be the last record of its key; on a compacted topic it would stay.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.conversation import ConversationChanged
from contracts.event import Event, event
from contracts.operator import OperatorChanged
from services.gateway.handlers.start_conversation import conversation_changed
from services.gateway.ports import Conversations, Now, Operators


@dataclass(frozen=True, slots=True)
class PublishCurrent:
    """Reads our own compacted topics."""

    operators: Operators
    conversations: Conversations
    clock: Now

    async def handle(self, old: Event[OperatorChanged] | Event[ConversationChanged]) -> None:
        """Publishes the current state again where the record is older."""
        if isinstance(old.data, OperatorChanged):
            await self._operator(old.tenant, old.data)
        else:
            await self._conversation(old.tenant, old.data)

    async def _operator(self, tenant: str, old: OperatorChanged) -> None:
        current = await self.operators.get(tenant, old.operator_id)
        if current is not None and current.version > old.version:
            await self.operators.owe_again(event(tenant, current, at=self.clock.now(), source="gateway"))

    async def _conversation(self, tenant: str, old: ConversationChanged) -> None:
        current = await self.conversations.get(tenant, old.conversation_id)
        if current is not None and current.version > old.version:
            await self.conversations.owe_again(tenant, current.conversation_id, conversation_changed(current))
