"""Opening mailboxes over IMAP: guard, socket, TLS, greeting, login, INBOX; whatever goes wrong becomes what was seen.

```
check --allowed--> CONNECT --> TLS (or GREETING, STARTTLS, TLS) --> GREETING --> LOGIN --> SELECT --> session
   '-- denied        '-- refused  '-- certificate, stripped           '-- BYE     '-- NO     '-- NO      (NotOpen)
```
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from services.ingest.adapters.imap_login import log_in
from services.ingest.adapters.imap_opening import select_inbox, shake_hands
from services.ingest.adapters.imap_protocol import Conversation
from services.ingest.adapters.imap_session import ImapSession
from services.ingest.adapters.imap_timing import Timing
from services.ingest.adapters.imap_tls import Peer, TlsSessions
from services.ingest.domain.account import Account
from services.ingest.domain.imap_status import Sign, Stage, Trouble
from services.ingest.domain.session import LostConnection, NotOpen, Opened
from services.kit.egress import Allowed, Egress
from services.kit.sealing import Binding, Opener, SealBroken, SealMismatch


@dataclass(frozen=True, slots=True)
class ImapMailboxes:
    """The Mailboxes of one process. ``ports``: allowed numbers; ``plain``: whether security "none" is allowed."""

    egress: Egress
    opener: Opener
    context: ssl.SSLContext
    ports: Collection[int]
    plain: bool = False
    timing: Timing = Timing()  # noqa: RUF009 - frozen
    sessions: TlsSessions = field(default_factory=TlsSessions)

    async def open(self, account: Account) -> ImapSession | NotOpen:
        """See Mailboxes."""
        secret = self._secret(account)
        if secret is None:
            return NotOpen(Trouble(Stage.LOGIN, Sign.SECRET))
        if account.security not in ("tls", "starttls") and not (account.security == "none" and self.plain):
            return NotOpen(Trouble(Stage.TLS, Sign.TLS_BROKEN), "plain text is not allowed here")
        opening = _Opening()
        try:
            async with asyncio.timeout(self.timing.open_s):
                return await self._open(account, secret, opening)
        except LostConnection as lost:
            return NotOpen(lost.trouble, lost.detail)
        except (OSError, ValueError) as error:
            return NotOpen(opening.seen(error), type(error).__name__)
        finally:
            opening.tidy()

    async def _open(self, account: Account, secret: Mapping[str, str], opening: _Opening) -> ImapSession | NotOpen:
        verdict = await self.egress.check(account.host, account.port, ports=self.ports)
        if not isinstance(verdict, Allowed):
            sign = Sign.UNRESOLVABLE if verdict.code == "unresolvable" else Sign.DENIED
            return NotOpen(Trouble(Stage.CONNECT, sign), verdict.code)
        address = await opening.connect(verdict.addresses, account.port, early_tls=account.security == "tls")
        conversation, peer = opening.conversation, (address, account.port, verdict.server_name)
        trouble = await self._prepare(conversation, account, peer)
        trouble = trouble or await log_in(conversation, account.user_name, account.auth, secret, self.timing.command_s)
        self._remember(conversation, peer)
        opened = trouble or await select_inbox(conversation, self.timing.command_s, near=_is_near(address))
        if isinstance(opened, Opened):
            opening.done = True
            return ImapSession(conversation, opened, self.timing)
        return NotOpen(opened)

    async def _prepare(self, conversation: Conversation, account: Account, peer: Peer) -> Trouble | None:
        try:
            session = self.sessions.of(peer)
            return await shake_hands(conversation, account.security, self.context, peer[2], session, self.timing)
        except ssl.SSLError:
            self.sessions.forget(peer)
            raise

    def _remember(self, conversation: Conversation, peer: Peer) -> None:
        if self.sessions.wants(peer):
            session, resumed = conversation.wire.session
            self.sessions.keep(peer, session, resumed=resumed)

    def _secret(self, account: Account) -> Mapping[str, str] | None:
        if account.sealed is None:
            return None
        bound = Binding(
            account.tenant, account.channel_id, "imap", account.host, account.port, account.security,
            account.user_name, account.sealed_version,
        )  # fmt: skip
        try:
            return self.opener.open(account.sealed, bound=bound)
        except (SealBroken, SealMismatch):
            return None


class _Opening:
    """How far a connection has come, so that a failure can be placed and nothing is left open."""

    def __init__(self) -> None:
        self.conversation = Conversation(asyncio.get_running_loop())
        self.conversation.stage = Stage.CONNECT
        self.done = False

    async def connect(self, addresses: Sequence[str], port: int, *, early_tls: bool) -> str:
        """Connect to the first of these addresses that answers; which one it was."""
        address, connected = await _first(addresses, port)
        if early_tls:
            self.conversation.wire.await_tls()
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.conversation.wire, sock=connected)
        except BaseException:
            connected.close()
            raise
        return address

    def seen(self, error: Exception) -> Trouble:
        """What an error of the machine means here."""
        stage = self.conversation.stage
        if isinstance(error, ssl.SSLError):
            certificate = isinstance(error, ssl.SSLCertVerificationError)
            return Trouble(Stage.TLS, Sign.CERTIFICATE if certificate else Sign.TLS_BROKEN)
        if isinstance(error, TimeoutError):
            return Trouble(stage, Sign.TIMEOUT)
        if isinstance(error, OSError):
            return Trouble(stage, Sign.REFUSED if stage is Stage.CONNECT else Sign.LOST)
        return Trouble(stage, Sign.SECRET if stage is Stage.LOGIN else Sign.GARBLED)

    def tidy(self) -> None:
        """Nothing stays open unless it became a session."""
        if not self.done:
            self.conversation.drop(Trouble(self.conversation.stage, Sign.LOST))


async def _first(addresses: Sequence[str], port: int) -> tuple[str, socket.socket]:
    """A socket connected to the first of these addresses that answers; the last one's OSError where none does."""
    loop, failure = asyncio.get_running_loop(), OSError("no address")
    for address in addresses:
        wire = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            wire.setblocking(False)
            await loop.sock_connect(wire, (address, port))
            return address, wire
        except OSError as error:
            failure = error
            wire.close()
        except BaseException:
            wire.close()
            raise
    raise failure


def _is_near(address: str) -> bool:
    return ip_address(address).is_private
