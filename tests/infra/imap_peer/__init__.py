"""A scriptable IMAP server: an INBOX in memory, and quirks that answer a command their own way.

    peer = await Peer.start(quirks=[quirks.bye_in_idle("shutting down")], tls=Tls.STARTTLS, context=context)
    peer.append(b"Subject: hello\\r\\n\\r\\n")
    await peer.stop()

Written on asyncio itself: a ready server can't be made to lie.
"""

from tests.infra.imap_peer.mailbox import Mail, Mailbox
from tests.infra.imap_peer.peer import Peer, Tls
from tests.infra.imap_peer.session import Quirk, Session

__all__ = ["Mail", "Mailbox", "Peer", "Quirk", "Session", "Tls"]
