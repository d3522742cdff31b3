"""One TCP connection under an IMAP conversation: plain, then TLS.

```
plain --start_tls--> shaking --verified--> secure --close: close_notify--> closed
                        '-- refused: SSLError     '-- lost: the hearer is told
```

asyncio's and uvloop's own TLS keep 60-350 KiB for each connection after one large fetch; this keeps what OpenSSL keeps
and two small BIOs (FINDINGS, "Ingest, measured"). All connections of a process read into one buffer: the loop fills it
and hands it over in one step.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final, Protocol, cast

from services.ingest.adapters.imap_cipher import Cipher

SLICE: Final = 4 * 1024
_SHARED: Final = memoryview(bytearray(64 * 1024))


class Hearer(Protocol):
    """Who is told what arrives, as octets without TLS."""

    def data_received(self, data: bytes) -> None:
        """Octets, in the order they came."""
        ...

    def connection_lost(self, exc: Exception | None) -> None:
        """Once; nothing arrives afterwards."""
        ...


class Wire(asyncio.BufferedProtocol):
    """The connection; to its hearer it looks like a transport (write, pause_reading, is_closing, abort)."""

    def __init__(self, hearer: Hearer) -> None:
        self._hearer = hearer
        self._early: bytearray | None = None
        self._transport: asyncio.Transport | None = None
        self._cipher: Cipher | None = None
        self._shaking: asyncio.Future[None] | None = None
        self._held: asyncio.Future[None] | None = None

    # what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is connected."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none of asyncio's classes

    def get_buffer(self, sizehint: int) -> memoryview:
        """The buffer all connections share: it is emptied before the loop does anything else."""
        return _SHARED

    def buffer_updated(self, nbytes: int) -> None:
        """So many octets arrived."""
        if self._early is not None:
            self._early += _SHARED[:nbytes]
            if len(self._early) > len(_SHARED):
                self.abort()
        elif self._cipher is None:
            self._hearer.data_received(bytes(_SHARED[:nbytes]))
        else:
            for start in range(0, nbytes, SLICE):
                self._advance(_SHARED[start : min(start + SLICE, nbytes)])

    def eof_received(self) -> bool:
        """The server has finished: nothing can be asked any more."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits is told; TLS lets go of its memory."""
        self._transport = self._cipher = None
        self._end_shaking(exc or ConnectionResetError("closed"))
        self.resume_writing()
        self._hearer.connection_lost(exc)

    def pause_writing(self) -> None:
        """The transport has enough for now."""
        if self._held is None:
            self._held = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """The transport takes more."""
        held, self._held = self._held, None
        if held is not None and not held.done():
            held.set_result(None)

    # what the conversation calls

    def await_tls(self) -> None:
        """Nothing is heard before `start_tls`: what arrives must be TLS from the first octet."""
        self._early = bytearray()

    async def start_tls(self, context: ssl.SSLContext, server_name: str, session: ssl.SSLSession | None = None) -> None:
        """Shake hands; raises SSLError (a bad certificate is SSLCertVerificationError) or OSError where it is lost.

        ``session``: one made with the same context and name, to be taken up again (RFC 8446 section 2.2).
        """
        early, self._early = self._early or b"", None
        self._cipher = Cipher(context, server_name, session)
        self._shaking = asyncio.get_running_loop().create_future()
        if self._transport is None:
            self._end_shaking(ConnectionResetError("closed"))
        self._advance(early)
        try:
            await self._shaking
        finally:
            self._shaking = None

    @property
    def session(self) -> tuple[ssl.SSLSession | None, bool]:
        """What the next connection can take up, and whether this one took one up."""
        return self._cipher.session if self._cipher is not None else (None, False)

    def write(self, data: bytes) -> None:
        """Send octets; what can't leave at once is kept. Into a lost connection they vanish, its hearer knows."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._cipher is None:
            self._transport.write(data)
            return
        for sealed in self._cipher.seal(data):
            self._transport.write(sealed)

    async def drain(self) -> None:
        """Wait until the transport takes more; returns at once when the connection is lost."""
        if self._held is not None:
            await asyncio.shield(self._held)

    def pause_reading(self) -> None:
        """Let nothing more arrive but what is here already; the server is held back by TCP."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Let it arrive again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        """Say close_notify and close; what the server does not take at once is dropped."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._cipher is not None and self._cipher.shaken:
            self._send(self._cipher.end())
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    # TLS

    def _advance(self, octets: memoryview | bytes | bytearray) -> None:
        cipher = self._cipher
        if cipher is None:
            return
        cipher.put(octets)
        try:
            if cipher.shaken or cipher.shake():
                self._end_shaking()
                self._hear(cipher)
        except ssl.SSLError as error:
            self._send(cipher.out())
            self._end_shaking(error)
            self.abort()
        self._send(cipher.out())

    def _hear(self, cipher: Cipher) -> None:
        for data in cipher.plain():
            if not data:
                return self.close()
            self._hearer.data_received(data)
        return None

    def _send(self, octets: bytes) -> None:
        if octets and self._transport is not None:
            self._transport.write(octets)

    def _end_shaking(self, error: Exception | None = None) -> None:
        if self._shaking is None or self._shaking.done():
            return
        if error is None:
            self._shaking.set_result(None)
        else:
            self._shaking.set_exception(error)
