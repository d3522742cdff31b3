"""A slice's mails are put into conversations, in their order, and our own are told from those that only claim to be."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from contracts.threading import Keyring, Token, read
from services.ingest.domain import resolving
from services.ingest.domain.account import Account
from services.ingest.domain.parsed import Parsed
from services.ingest.domain.slices import Mail
from services.ingest.handlers.facts import Resolved
from services.ingest.ports import Ledger, OwnMail, OwnMails, RawStore

Pair = tuple[Mail, Parsed]


@dataclass(frozen=True, slots=True)
class ResolveMails:
    """Decides the conversation of each."""

    ledger: Ledger
    own_mails: OwnMails
    ring: Keyring
    raw: RawStore

    async def handle(self, account: Account, pairs: Sequence[Pair]) -> list[Resolved]:
        """In the order given: a mail finds its parent in the same slice. Raises Unavailable."""

        def token_in(mail_id: str) -> Token | None:
            return read(self.ring, mail_id, tenant=account.tenant, channel_id=account.channel_id)

        tokens = [resolving.find_token(parsed, token_in) for _, parsed in pairs]
        known = await self._known(account, pairs, tokens)
        claims = [token_in(parsed.internet_message_id or "") for _, parsed in pairs]
        ours = await self._ours(account, claims)
        found = []
        for (mail, parsed), token, claim in zip(pairs, tokens, claims, strict=True):
            own = claim is not None and await self._is_own(account, mail, parsed, ours.get(claim.message_id))
            threading = resolving.resolve(account.key, parsed, claim if own else token, known, mail.sha256)
            if parsed.internet_message_id:
                known.setdefault(parsed.internet_message_id, threading.conversation_id)
            bounced = resolving.find_bounced(parsed, token_in)
            found.append(
                Resolved(
                    mail, parsed, threading.conversation_id, threading.by, own=own,
                    loop=(claim is not None and not own) or parsed.auto == "loop",
                    bounced=bounced.message_id if bounced else None,
                )
            )  # fmt: skip
        return found

    async def _known(
        self, account: Account, pairs: Sequence[Pair], tokens: Sequence[Token | None]
    ) -> dict[str, str]:  # fmt: skip
        wanted: dict[str, None] = {}
        for (_, parsed), token in zip(pairs, tokens, strict=True):
            if token is None:
                wanted.update(dict.fromkeys(resolving.ancestors(parsed)))
                wanted.update(dict.fromkeys((parsed.internet_message_id,)) if parsed.internet_message_id else {})
        return dict(await self.ledger.conversations(account.key, list(wanted))) if wanted else {}

    async def _ours(self, account: Account, claims: Sequence[Token | None]) -> Mapping[str, OwnMail]:
        ids = [claim.message_id for claim in claims if claim is not None]
        return await self.own_mails.find(account.tenant, ids) if ids else {}

    async def _is_own(self, account: Account, mail: Mail, parsed: Parsed, own: OwnMail | None) -> bool:
        if own is None or not 0 < own.size <= mail.size or not resolving.is_from(parsed, account.address):
            return False
        if mail.held is None:
            return resolving.is_own(parsed, mail.octets or b"", account.address, own.sha256, own.size)
        octets = self.raw.held(account.tenant, mail.held)
        return await _last_sha256(octets, mail.size - own.size) == own.sha256


async def _last_sha256(octets: AsyncIterator[bytes], skip: int) -> str:
    """The hash of what follows the first ``skip`` octets."""
    digest = hashlib.sha256()
    async for piece in octets:
        digest.update(memoryview(piece)[min(skip, len(piece)) :])
        skip -= min(skip, len(piece))
    return digest.hexdigest()
