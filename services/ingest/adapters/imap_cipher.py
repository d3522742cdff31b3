"""TLS of one connection as two memory BIOs; no I/O. A BIO keeps the largest size it ever had: fill it in slices."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Final

RECORD: Final = 16 * 1024
"""The largest piece of TLS (RFC 8446 section 5.1)."""


class Cipher:
    """One side of TLS, the client's. After each step send what ``out`` gives, also when the step raised SSLError."""

    __slots__ = ("_incoming", "_outgoing", "_tls", "shaken")

    def __init__(self, context: ssl.SSLContext, server_name: str, session: ssl.SSLSession | None) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name, session=session)
        self.shaken = False

    @property
    def session(self) -> tuple[ssl.SSLSession | None, bool]:
        """What the next connection can take up, and whether this one took one up; with TLS 1.3 there is one only after
        the server's first words."""
        return self._tls.session, bool(self._tls.session_reused)

    def shake(self) -> bool:
        """A step of the handshake; whether it is done. Raises SSLError; SSLCertVerificationError is one."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
            self.shaken = True
        return self.shaken

    def put(self, octets: memoryview | bytes | bytearray) -> None:
        """Octets that arrived, at most a slice."""
        self._incoming.write(octets)

    def plain(self) -> Iterator[bytes]:
        """What can be read now; b"" once the server said close_notify. Raises SSLError."""
        try:
            while data := self._tls.read(RECORD):
                yield data
                if not self._incoming.pending and not self._tls.pending():
                    return
        except ssl.SSLWantReadError:
            return
        except ssl.SSLZeroReturnError:
            pass
        yield b""

    def seal(self, octets: bytes) -> Iterator[bytes]:
        """The octets as they are to be sent."""
        for start in range(0, len(octets), RECORD):
            self._tls.write(octets[start : start + RECORD])
            yield self.out()

    def out(self) -> bytes:
        """What TLS itself has to say: handshake, alerts."""
        return self._outgoing.read()

    def end(self) -> bytes:
        """close_notify; the server's own is not waited for."""
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        return self.out()
