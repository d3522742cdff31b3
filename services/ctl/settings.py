"""Every environment variable the command line reads."""

from __future__ import annotations

from pydantic import Field

from services.kit.settings import KitSettings


class Settings(KitSettings):
    """Prefix ``MALOTE_``; the defaults are those of production."""

    instance: str = "ctl"
    partition_divisor: int = Field(default=1, ge=1)
    replication: int = Field(default=3, ge=1)
