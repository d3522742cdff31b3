"""A message of ours on its way into the account's Sent mailbox, or one that is looked for there. Pure.

```
offered --waited, the provider may do it--> searched --there--> done
                                              | not there --> appended --> done
                                              | no such mailbox, tries used up --> given up
                                              | unreachable, refused --> later
parked  --waited, the provider may do it--> searched --there--> told to the outbox, which resolves it
                                              | not there, no such mailbox, unreachable --> later, given up
```

Not there proves nothing: it is told to nobody, and the message stays parked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from services.ingest.domain.account import ChannelKey

FIRST_S: Final = 10.0
"""A provider that files by itself has done so by then."""
_LATER_S: Final = (60.0, 600.0, 3600.0, 6 * 3600.0)


@dataclass(frozen=True, slots=True)
class SentCopy:
    """One copy to be filed; the octets inline, or a blob with this hash. ``sought``: to be found, never filed."""

    tenant: str
    channel_id: str
    message_id: str
    internet_message_id: str
    sent_at: datetime
    due_at: datetime
    tries: int = 0
    octets: bytes | None = field(default=None, repr=False)
    blob_id: str | None = None
    sha256: str = ""
    sought: bool = False

    @property
    def key(self) -> ChannelKey:
        """The channel it was sent on."""
        return self.tenant, self.channel_id


def again(copy: SentCopy, now: datetime) -> SentCopy | None:
    """When it is tried again; None: given up."""
    if copy.tries >= len(_LATER_S):
        return None
    return replace(copy, tries=copy.tries + 1, due_at=now + timedelta(seconds=_LATER_S[copy.tries]))
