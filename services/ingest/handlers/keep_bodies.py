"""What of a mail does not travel in its event is stored first: attachments, and bodies over 64 KiB."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from contracts.blob import BlobRef
from contracts.inbound import InboundAttachment
from contracts.limits import INLINE_TEXT
from services.ingest.domain.account import Account
from services.ingest.domain.identity import blob_id
from services.ingest.domain.parsed import Parsed
from services.ingest.handlers.facts import Bodies
from services.ingest.ports import RawStore, Stored


@dataclass(frozen=True, slots=True)
class KeepBodies:
    """Stores them, and says where they are."""

    raw: RawStore

    async def handle(self, account: Account, sha256: str, parsed: Parsed) -> Bodies:
        """The bodies as the event has them. Raises Unavailable."""
        things: list[Stored] = []

        def keep(part: str, octets: bytes, media_type: str) -> BlobRef:
            digest = hashlib.sha256(octets).hexdigest()
            it = BlobRef(
                blob_id=blob_id(account.key, sha256, part), sha256=digest, size=len(octets), media_type=media_type
            )
            things.append(Stored(it, octets))
            return it

        text, html = _long(parsed.text), _long(parsed.html)
        new_part, cut = _cut(parsed.new_part)
        made = Bodies(
            text=None if text else parsed.text, text_ref=keep("text", text, "text/plain") if text else None,
            html=None if html else parsed.html, html_ref=keep("html", html, "text/html") if html else None,
            new_part=new_part, cut=cut,
            attachments=tuple(
                InboundAttachment(
                    blob=keep(str(n), each.octets, each.media_type), file_name=each.file_name,
                    content_id=each.content_id, inline=each.inline,
                )
                for n, each in enumerate(parsed.attachments)
            ),
        )  # fmt: skip
        if things:
            await self.raw.keep(account.tenant, things)
        return made


def _long(text: str | None) -> bytes | None:
    """The octets of a text too long to travel in the event."""
    if text is None or len(text) * 4 <= INLINE_TEXT:
        return None
    octets = text.encode("utf-8", "replace")
    return octets if len(octets) > INLINE_TEXT else None


def _cut(text: str | None) -> tuple[str | None, tuple[str, ...]]:
    octets = _long(text)
    if octets is None:
        return text, ()
    return octets[:INLINE_TEXT].decode("utf-8", "ignore"), ("new_part",)
