"""The readable header of a sealed secret, by ``kit.sealing``; no key is needed, and none is here."""

from __future__ import annotations

from dataclasses import asdict

from services.config.domain.secrets import Header
from services.kit.sealing import SealBroken, read_binding


def read_header(jwe: str) -> Header | None:
    """What the secret says it is good for, or None where it is no sealed secret."""
    try:
        return Header(**asdict(read_binding(jwe)))
    except SealBroken:
        return None
