"""How one peer behaves when no rule speaks: what it offers, whom it lets in, how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any


class Tls(StrEnum):
    """How the peer secures a connection."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class Settings:
    """One peer's ordinary behaviour.

    `accounts` maps user to password; None lets anybody in with any password. `delays` maps a stage to seconds that
    pass before its reply (`{"final": 0.2}`). `instant` chooses the sink: rules and offers are ignored then, except
    `delays["final"]`, `pipelining` and `tls: implicit`. `strip_starttls` keeps the certificate but hides the offer.
    """

    hostname: str = "peer.test"
    tls: Tls = Tls.NONE
    strip_starttls: bool = False
    pipelining: bool = True
    eightbitmime: bool = True
    smtputf8: bool = True
    enhanced: bool = True
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    auth_required: bool = False
    accounts: Mapping[str, str] | None = None
    size: int = 30_000_000
    delays: Mapping[str, float] = field(default_factory=dict)
    instant: bool = False
    seed: int = 1

    def changed(self, change: Mapping[str, Any]) -> Settings:
        """The same settings with some replaced; raises TypeError for a name that does not exist."""
        known = dict(change)
        if "tls" in known:
            known["tls"] = Tls(known["tls"])
        if "mechanisms" in known:
            known["mechanisms"] = tuple(known["mechanisms"])
        return replace(self, **known)

    def as_json(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)

    def offers(self, secured: bool) -> list[str]:
        """The EHLO keywords (RFC 5321 section 4.1.1.1) for a connection that is `secured` or not."""
        said = [self.hostname, f"SIZE {self.size}"]
        said += ["PIPELINING"] if self.pipelining else []
        said += ["8BITMIME"] if self.eightbitmime else []
        said += ["SMTPUTF8"] if self.smtputf8 else []
        said += ["ENHANCEDSTATUSCODES"] if self.enhanced else []
        said += ["STARTTLS"] if self.offers_starttls(secured) else []
        said += ["AUTH " + " ".join(self.mechanisms)] if self.mechanisms else []
        return said

    def offers_starttls(self, secured: bool) -> bool:
        """Whether STARTTLS may be asked for now (RFC 3207)."""
        return self.tls is Tls.STARTTLS and not secured and not self.strip_starttls
