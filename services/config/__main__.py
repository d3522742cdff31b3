"""``python -m services.config``."""

from __future__ import annotations

from services.config.app import build
from services.config.settings import Settings
from services.kit.runtime import main

if __name__ == "__main__":
    main(lambda: build(Settings()))
