"""``python -m services.ingest``."""

from __future__ import annotations

from services.ingest.app import build
from services.ingest.settings import Settings
from services.kit.runtime import main

if __name__ == "__main__":
    main(lambda: build(Settings()))
