"""A scriptable, recording SMTP server: it misbehaves by rule and writes down every byte it took.

Written on asyncio itself and not on aiosmtpd, because test equipment needs two things a ready server does not give:
full control at every command (silence, a cut inside the content, a reply that is never sent) and, in the instant
mode, so little CPU that thousands of messages a second measure the client and not the sink.

    await Peer.start(Settings())                        in the test's own loop
    await spawn(...)                                    as a process, steered by `PeerClient`
    python -m tests.infra.smtp_peer --help              by hand
"""

from tests.infra.smtp_peer.client import PeerClient, PeerProcess, spawn
from tests.infra.smtp_peer.records import Entry
from tests.infra.smtp_peer.rules import Action, Per, Rule, Stage
from tests.infra.smtp_peer.server import Peer
from tests.infra.smtp_peer.settings import Settings, Tls

__all__ = ["Action", "Entry", "Peer", "PeerClient", "PeerProcess", "Per", "Rule", "Settings", "Stage", "Tls", "spawn"]
