"""From the contract's words to the domain's."""

from __future__ import annotations

from contracts.channel import ChannelSettings, Credentials, SealedSecret
from services.config.domain.channel import Secret, Secrets, Server, Settings
from services.config.domain.secrets import DIRECTIONS, Given
from services.config.ports import ReadsHeaders


def settings_of(wished: ChannelSettings) -> Settings:
    """The settings of a wish."""
    rest = wished.model_dump(mode="json")
    imap, smtp = rest.pop("imap"), rest.pop("smtp")
    return Settings(Server(**imap), Server(**smtp), rest)


def secrets_of(wished: Credentials, read_header: ReadsHeaders) -> Given:
    """The sealed secrets of a wish with what their headers say."""
    sealed = {direction: getattr(wished, direction) for direction in DIRECTIONS}
    read = {direction: read_header(one.jwe) for direction, one in sealed.items() if one is not None}
    headers = {direction: header for direction, header in read.items() if header is not None}
    return Given(Secrets(_secret(wished.imap), _secret(wished.smtp)), headers)


def _secret(sealed: SealedSecret | None) -> Secret | None:
    return Secret(sealed.jwe, sealed.sealed_version) if sealed else None
