"""The local stack's keys: sealing (RFC 7516), threading tokens, token issuer, the console's sessions.

Made once, for the owner's eyes alone.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Where each key lies; the private ones have mode 0600."""

    sealing_private: Path
    sealing_public: Path
    threading: Path
    issuer: Path
    console: Path


def ensure_keys(folder: Path) -> KeyFiles:
    """Make what is missing; keys that exist stay, data sealed with them must open after a restart."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = KeyFiles(
        folder / "sealing-private.jwks.json",
        folder / "sealing-public.jwks.json",
        folder / "threading.json",
        folder / "issuer.jwks.json",
        folder / "console.json",
    )
    sealing = _once(files.sealing_private, _sealing)
    _write(files.sealing_public, {"keys": [_public_part(key) for key in sealing["keys"]]})
    _once(files.threading, _threading)
    _once(files.console, _threading)
    _once(files.issuer, _issuer)
    return files


def _sealing() -> dict[str, Any]:
    key = ECKey.generate_key("P-256", {"use": "enc", "alg": "ECDH-ES", "kid": "local-1"}, private=True)
    return {"keys": [key.as_dict(private=True)]}


def _issuer() -> dict[str, Any]:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256", "kid": "local-1"}, private=True)
    return {"keys": [key.as_dict(private=True)]}


def _threading() -> dict[str, Any]:
    secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    return {"current": "k1", "keys": {"k1": secret}}


def _public_part(key: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in key.items() if name != "d"}


def public_jwks(private: Path) -> dict[str, Any]:
    """The public half of a private JWKS file."""
    return {"keys": [_public_part(key) for key in json.loads(private.read_text())["keys"]]}


def _once(path: Path, make: Any) -> dict[str, Any]:
    if not path.exists():
        _write(path, make())
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all: a run that is killed here must not leave half a key."""
    fresh = path.with_suffix(".fresh")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(content, out)
    fresh.replace(path)
