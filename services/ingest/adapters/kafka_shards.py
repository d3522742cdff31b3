"""Which mailboxes are ours, by the partitions of the channels' topic that Kafka assigned to us."""

from __future__ import annotations

from services.ingest.domain.account import ChannelKey
from services.ingest.ports import Assignment
from services.kit.shards import Shards


class KafkaShards:
    """The Ownership port. ``session_s``: without a heartbeat answered for so long, nothing is ours."""

    def __init__(self, session_s: float) -> None:
        self._session_s = session_s
        self._shards: Shards | None = None

    def assign(self, given: Assignment) -> None:
        """From now on this one holds."""
        if not isinstance(given, Shards):
            raise TypeError("not an assignment of Kafka's")
        self._shards = given

    def mine(self, key: ChannelKey) -> bool:
        """See Ownership."""
        return self._shards is not None and self.fresh() and self._shards.has(*key)

    def fresh(self) -> bool:
        """See Ownership."""
        return self._shards is not None and self._shards.pulse.age < self._session_s
