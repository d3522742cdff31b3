"""What a signature template may speak of: an allow-list, and the values for one message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ALLOWED: Final = (
    "operator.name", "operator.email", "channel.name", "channel.address",
    "client.name", "client.address", "tenant.name",
)  # fmt: skip
"""Every variable there is; anything else is refused when the template is saved."""

ROOTS: Final = tuple(dict.fromkeys(name.partition(".")[0] for name in ALLOWED))


@dataclass(frozen=True, slots=True, repr=False)
class Variables:
    """The values for one message; what is not known is empty. Never logged: they name people."""

    operator_name: str = ""
    operator_email: str = ""
    channel_name: str = ""
    channel_address: str = ""
    client_name: str = ""
    client_address: str = ""
    tenant_name: str = ""

    def of(self, roots: tuple[str, ...]) -> dict[str, dict[str, str]]:
        """The values under these roots, as Liquid sees them: root → field → text."""
        found: dict[str, dict[str, str]] = {root: {} for root in roots}
        for name in ALLOWED:
            root, _, field = name.partition(".")
            if root in found:
                found[root][field] = getattr(self, f"{root}_{field}")
        return found


def mentioned(source: str) -> tuple[str, ...]:
    """The roots a template may read: those whose word stands in it, which is never too few."""
    return tuple(root for root in ROOTS if root in source)


def advice(used: str) -> str:
    """What to write instead of a variable that is not allowed."""
    root = used.partition(".")[0].partition("[")[0]
    near = [name for name in ALLOWED if name.startswith(f"{root}.")] or list(ALLOWED)
    return f"Use {', '.join(near)}."
