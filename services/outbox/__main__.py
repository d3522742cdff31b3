"""``python -m services.outbox``."""

from __future__ import annotations

from services.kit.runtime import main
from services.outbox.app import build
from services.outbox.settings import Settings

if __name__ == "__main__":
    main(lambda: build(Settings()))
