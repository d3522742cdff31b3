"""Check where a channel leads and close its secrets, before anything leaves the process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from contracts.channel import ChannelChanged, ChannelSettings, Credentials, SealedSecret, Server
from services.gateway.domain.place import Place, needs_secret
from services.gateway.domain.refusal import Code, Fault, Refused
from services.gateway.ports import Hosts, Seals

DIRECTIONS: Final = ("imap", "smtp")
AGAIN: Final = "Give the password again: it is bound to host, port, security and user name."

Secrets = Mapping[str, Mapping[str, str] | None]
"""By direction the secret a person typed; it is sealed here and kept nowhere."""


@dataclass(frozen=True, slots=True)
class SealCredentials:
    """Hosts first, then whether a secret is missing, then the seals."""

    hosts: Hosts
    seals: Seals

    async def handle(
        self, tenant: str, channel_id: str, before: ChannelChanged | None, after: ChannelSettings, secrets: Secrets
    ) -> Credentials | Refused:
        """The sealed credentials; a direction that keeps its secret is None."""
        moved = [one for one in DIRECTIONS if before is None or _place(before.settings, one) != _place(after, one)]
        objections = await asyncio.gather(*(self.hosts.objection(one, _place(after, one)) for one in moved))
        if refused := next(filter(None, objections), None):
            return refused
        if faults := tuple(_missing(before, after, secrets)):
            return Refused(Code.SECRET_REQUIRED, AGAIN, faults)
        sealed = {one: self._sealed(tenant, channel_id, before, after, one, secrets.get(one)) for one in DIRECTIONS}
        return Credentials(imap=sealed["imap"], smtp=sealed["smtp"])

    def _sealed(
        self, tenant: str, channel_id: str, before: ChannelChanged | None, after: ChannelSettings, direction: str,
        secret: Mapping[str, str] | None,
    ) -> SealedSecret | None:  # fmt: skip
        if secret is None:
            return None
        stored = _stored(before, direction)
        version = stored.sealed_version + 1 if stored else 1
        place = _place(after, direction)
        return self.seals.seal(
            secret, tenant=tenant, channel_id=channel_id, direction=direction, place=place, version=version
        )


def _missing(before: ChannelChanged | None, after: ChannelSettings, secrets: Secrets) -> Iterator[Fault]:
    for one in DIRECTIONS:
        old = _place(before.settings, one) if before else None
        stored = _stored(before, one) is not None
        if secrets.get(one) is None and needs_secret(old, _place(after, one), stored=stored):
            yield Fault(f"{one}.secret", "secret_required", AGAIN)


def _stored(before: ChannelChanged | None, direction: str) -> SealedSecret | None:
    found: SealedSecret | None = getattr(before.credentials, direction) if before else None
    return found


def _place(settings: ChannelSettings, direction: str) -> Place:
    server: Server = getattr(settings, direction)
    return Place(server.host, server.port, server.security, server.user_name, server.auth)
