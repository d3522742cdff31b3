"""Starts the gateway: ``python -m services.gateway``."""

from services.gateway.app import build
from services.gateway.settings import Settings
from services.kit.runtime import main

if __name__ == "__main__":
    main(lambda: build(Settings()))
