"""One stack for all of these files: servers, services, recording SMTP peers, an ear on every topic.

The files run in the order of `ORDER`: those with a stack of their own first, so that no two run at once; the logs are
read last, when everything else has been written into them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from deploy.local import sockets
from tests import builders
from tests.e2e.desk import Desk
from tests.e2e.ear import Ear
from tests.e2e.mail import arrived
from tests.infra.smtp_peer import Peer, Settings, Tls
from tests.infra.smtp_peer.certificates import Certificates, issue, server_context
from tests.infra.stack import Stack

ORDER = (
    "test_mailboxes", "test_story", "test_undo", "test_inbound", "test_signing", "test_events", "test_cancels",
    "test_tenancy", "test_foreign_ids", "test_openapi", "test_bad_input", "test_bad_requests", "test_bad_servers",
    "test_crash", "test_poison", "test_logs",
)  # fmt: skip
QUICK = {
    "MALOTE_DATA_LIMIT_S": "3",
    "MALOTE_DATA_MARGIN_S": "1",
    "MALOTE_RETRY_FIRST_S": "0.5",
    "MALOTE_RETRY_MAX_S": "2",
    "MALOTE_SESSION_TIMEOUT_S": "6",
}


@dataclass(frozen=True, slots=True)
class Peers:
    """The SMTP servers of the run, by what is the matter with them; `closed` is a port where nobody listens."""

    plain: Peer
    guarded: Peer
    tls: Peer
    expired: Peer
    wrong_name: Peer
    stripped: Peer
    closed: int

    def ports(self) -> list[int]:
        """Every port a channel may name."""
        listening = (self.plain, self.guarded, self.tls, self.expired, self.wrong_name, self.stripped)
        return [*(peer.port for peer in listening), self.closed]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files into their order; inside a file nothing moves."""
    here = Path(__file__).parent
    own = [item for item in items if here in item.path.parents]
    own.sort(key=lambda item: ORDER.index(item.path.stem) if item.path.stem in ORDER else len(ORDER))
    places = [n for n, item in enumerate(items) if here in item.path.parents]
    for place, item in zip(places, own, strict=True):
        items[place] = item


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of an authority of our own."""
    return issue(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
async def peers(certificates: Certificates) -> AsyncIterator[Peers]:
    """All SMTP servers, listening in this process."""
    good, expired = server_context(certificates.good), server_context(certificates.expired)
    wrong = server_context(certificates.wrong_name)
    made = Peers(
        plain=await Peer.start(Settings()),
        guarded=await Peer.start(Settings(auth_required=True, accounts={"desk": "the right one"})),
        tls=await Peer.start(Settings(tls=Tls.IMPLICIT), context=good),
        expired=await Peer.start(Settings(tls=Tls.IMPLICIT), context=expired),
        wrong_name=await Peer.start(Settings(tls=Tls.IMPLICIT), context=wrong),
        stripped=await Peer.start(Settings(tls=Tls.STARTTLS, strip_starttls=True), context=good),
        closed=sockets.free_port(),
    )
    yield made
    for peer in (made.plain, made.guarded, made.tls, made.expired, made.wrong_name, made.stripped):
        await peer.stop()


@pytest.fixture
def peer(peers: Peers) -> Peer:
    """The plain peer, without rules."""
    peers.plain.script()
    return peers.plain


@pytest.fixture(scope="session")
async def stack(peers: Peers, certificates: Certificates) -> AsyncIterator[Stack]:
    """Servers and services, on the backend that MALOTE_INFRA names."""
    async with Stack(env=QUICK, smtp_ports=peers.ports(), ca_file=certificates.bundle) as running:
        yield running


@pytest.fixture(scope="session")
async def ear(stack: Stack) -> AsyncIterator[Ear]:
    """Everything on every topic."""
    async with Ear(stack.kafka) as listening:
        yield listening


_good = count()


@pytest.fixture(scope="module")
async def channel(desk: Desk, peers: Peers) -> str:
    """A connected account of the desk without an undo window."""
    return await desk.connected(peers.plain.port)


@pytest.fixture(scope="module")
async def slow(desk: Desk, peers: Peers) -> str:
    """An account whose messages wait two minutes: everything on it can be interrupted."""
    return await desk.connected(peers.plain.port, name="Slow", undo_seconds=120)


@pytest.fixture
async def still_works(desk: Desk, channel: str, peer: Peer) -> AsyncIterator[None]:
    """After the test a good message goes out."""
    yield
    client = f"good{next(_good)}@client.test"
    await desk.start(channel, client, first=builders.words())
    await arrived(peer, client)


@pytest.fixture(scope="module")
async def desk(stack: Stack) -> AsyncIterator[Desk]:
    """A tenant with two operators, a fresh one for each file."""
    async with await Desk.open(stack) as made:
        yield made
