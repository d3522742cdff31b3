"""Every environment variable signature reads."""

from __future__ import annotations

from services.kit.settings import KitSettings


class Settings(KitSettings):
    """Prefix ``MALOTE_``; ``render_children`` is the number of rendering processes."""

    instance: str = "signature-0"
    render_children: int = 1
