"""``python -m services.signature``."""

from __future__ import annotations

from services.kit.runtime import main
from services.signature.app import build
from services.signature.settings import Settings

if __name__ == "__main__":
    main(lambda: build(Settings()))
