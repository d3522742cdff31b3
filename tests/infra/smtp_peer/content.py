"""Reading message content up to the final dot, strictly as RFC 5321 section 4.1.1.4 ends it: CRLF . CRLF."""

from __future__ import annotations

from tests.infra.smtp_peer.wire import Wire

_END = b"\r\n.\r\n"


class ContentReader:
    """Collects the octets of one content as they came, dot-stuffing and all, without the final dot line."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.taken = bytearray()

    async def advance(self) -> bool:
        """Take the next piece; True when the final dot is in it. Raises Gone when the connection ends before."""
        looked = max(0, len(self.taken) - len(_END))
        self.taken += await self._wire.chunk()
        if self.taken.startswith(b".\r\n"):
            end, length = 0, 3
        else:
            end, length = self.taken.find(_END, looked), len(_END)
        if end < 0:
            return False
        self._wire.give_back(bytes(self.taken[end + length :]))
        # The CRLF before the dot belongs to the last line of the content.
        del self.taken[end + length - 3 :]
        return True


def unstuffed(content: bytes) -> bytes:
    """The content with transparency undone (RFC 5321 section 4.5.2)."""
    lines = content.split(b"\r\n")
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)
