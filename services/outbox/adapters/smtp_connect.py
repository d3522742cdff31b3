"""Making a connection: guard, socket, TLS, EHLO, login; whatever goes wrong becomes a stage and a reason.

```
check --allowed--> connect --TLS or STARTTLS, or none where the platform allows it--> EHLO --login--> ready
   '-- denied        '-- refused, timeout   '-- certificate, stripped, failed            '-- refused        (NotOpen)
```
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from aiosmtplib.errors import SMTPException, SMTPResponseException

from contracts.channel import ChannelChanged, Security, Server
from contracts.channel_status import ConnectionReason as Why
from services.kit.egress import Allowed, Egress
from services.kit.sealing import Binding, Opener, SealBroken, SealMismatch
from services.outbox.adapters.smtp_client import Client
from services.outbox.adapters.smtp_login import log_in
from services.outbox.adapters.smtp_wire import read_reply
from services.outbox.domain.replies import NotOpen, Reply, Stage


@dataclass(frozen=True, slots=True)
class SmtpConnector:
    """Everything a connection needs that is no channel's: one per process.

    ``ports``: allowed port numbers; ``plain``: whether security "none" is allowed; ``seconds``: for the whole of it.
    """

    egress: Egress
    opener: Opener
    context: ssl.SSLContext
    ports: Collection[int]
    plain: bool
    local_hostname: str
    seconds: float = 30.0

    async def connect(self, channel: ChannelChanged, tenant: str) -> Client | NotOpen:
        """A client that is logged in, or why there is none."""
        server, secret = channel.settings.smtp, self._secret(channel, tenant)
        if isinstance(secret, NotOpen):
            return secret
        if server.security is Security.NONE and not self.plain:
            return NotOpen(Stage.TLS, Why.TLS_FAILED)
        opening = _Opening()
        try:
            async with asyncio.timeout(self.seconds):
                return await self._open(server, secret, opening)
        except TimeoutError:
            return opening.failed(Why.TIMEOUT)
        except (OSError, SMTPException, UnicodeError) as error:
            return opening.translated(error)
        finally:
            opening.tidy()

    async def _open(self, server: Server, secret: dict[str, str], opening: _Opening) -> Client | NotOpen:
        verdict = await self.egress.check(server.host, server.port, ports=self.ports)
        if not isinstance(verdict, Allowed):
            unresolved = verdict.code == "unresolvable"
            return opening.failed(Why.UNRESOLVABLE if unresolved else Why.HOST_NOT_ALLOWED)
        wire = opening.wire = await _first(verdict.addresses, server.port)
        client = opening.client = Client(wire, verdict.server_name, server.security, self.context, self.local_hostname)
        opening.stage = Stage.CONNECT if server.security is Security.NONE else Stage.TLS
        await client.connect()
        opening.stage = Stage.LOGIN
        await client._ehlo_or_helo_if_needed()
        refused = await log_in(client, server.user_name, server.auth, secret)
        opening.done = refused is None
        return refused or client

    def _secret(self, channel: ChannelChanged, tenant: str) -> dict[str, str] | NotOpen:
        sealed, server = channel.credentials.smtp, channel.settings.smtp
        if sealed is None:
            return NotOpen(Stage.LOGIN, Why.SECRET_UNREADABLE)
        bound = Binding(
            tenant, channel.channel_id, "smtp", server.host, server.port, server.security.value, server.user_name,
            sealed.sealed_version,
        )  # fmt: skip
        try:
            return self.opener.open(sealed.jwe, bound=bound)
        except (SealBroken, SealMismatch):
            return NotOpen(Stage.LOGIN, Why.SECRET_UNREADABLE)


@dataclass(slots=True)
class _Opening:
    """How far a connection has come, so that a failure can be placed and nothing is left open."""

    stage: Stage = Stage.CONNECT
    wire: socket.socket | None = None
    client: Client | None = None
    done: bool = False

    def failed(self, reason: Why, reply: Reply | None = None) -> NotOpen:
        return NotOpen(self.stage, reason.value, reply)

    def translated(self, error: Exception) -> NotOpen:
        if isinstance(error, SMTPResponseException):
            return self._refused(error)
        if isinstance(error, ssl.SSLCertVerificationError):
            return self.failed(Why.TLS_CERTIFICATE)
        if isinstance(error, ssl.SSLError):
            return self.failed(Why.TLS_FAILED)
        if isinstance(error, ConnectionError):
            return self.failed(Why.REFUSED_CONNECTION if self.client is None else Why.CONNECTION_LOST)
        if isinstance(error, SMTPException):
            missing = self.stage is Stage.TLS and "STARTTLS" in error.message
            return self.failed(Why.STARTTLS_MISSING if missing else Why.PROTOCOL_ERROR)
        return self.failed(Why.REFUSED_CONNECTION if isinstance(error, OSError) else Why.PROTOCOL_ERROR)

    def _refused(self, error: SMTPResponseException) -> NotOpen:
        if not 200 <= error.code <= 599:
            return self.failed(Why.PROTOCOL_ERROR)
        reply = read_reply(error.code, error.message)
        limited = (reply.enhanced or "").startswith("4.7.")
        return self.failed(Why.RATE_LIMITED if limited else Why.SERVER_UNAVAILABLE, reply)

    def tidy(self) -> None:
        """The client's transport owns the socket from the moment there is a client."""
        if self.done:
            return
        if self.client is not None:
            self.client.drop()
        elif self.wire is not None:
            self.wire.close()


async def _first(addresses: Sequence[str], port: int) -> socket.socket:
    """A socket connected to the first of these addresses that answers; the last one's OSError where none does."""
    loop, failure = asyncio.get_running_loop(), OSError("no address")
    for address in addresses:
        wire = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            wire.setblocking(False)
            await loop.sock_connect(wire, (address, port))
            return wire
        except OSError as error:
            failure = error
            wire.close()
        except BaseException:
            wire.close()
            raise
    raise failure
