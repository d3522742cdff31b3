"""Keys are made once and hidden; a token of the local issuer verifies against its own JWKS and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from deploy.local.issuer import mint
from deploy.local.keys import KeyFiles, ensure_keys, public_jwks

ISSUER = "http://127.0.0.1:8090"


@pytest.fixture
def keys(tmp_path: Path) -> KeyFiles:
    return ensure_keys(tmp_path / "keys")


def test_keys_are_made_once(keys: KeyFiles) -> None:
    before = {path: path.read_bytes() for path in keys.sealing_private.parent.iterdir()}
    ensure_keys(keys.sealing_private.parent)
    assert {path: path.read_bytes() for path in keys.sealing_private.parent.iterdir()} == before


def test_only_the_owner_reads_them(keys: KeyFiles) -> None:
    assert {path.stat().st_mode & 0o777 for path in keys.sealing_private.parent.iterdir()} == {0o600}


def test_the_public_file_holds_no_secret(keys: KeyFiles) -> None:
    assert '"d"' not in keys.sealing_public.read_text()
    assert json.loads(keys.sealing_public.read_text())["keys"][0]["kid"] == "local-1"


def test_a_token_verifies_and_carries_the_claims(keys: KeyFiles) -> None:
    token = mint(keys.issuer, ISSUER, "t-1", ["messages:send", "channels:read"], sub="ana", operator="o-1")
    claims = jwt.decode(token, KeySet.import_key_set(public_jwks(keys.issuer)), algorithms=["ES256"]).claims  # type: ignore[arg-type]
    wanted = {"iss": ISSUER, "aud": "malote", "sub": "ana", "tenant": "t-1", "operator": "o-1"}
    assert claims.items() >= {**wanted, "scope": "messages:send channels:read"}.items()


def test_another_stacks_token_does_not_verify(keys: KeyFiles, tmp_path: Path) -> None:
    token = mint(ensure_keys(tmp_path / "other").issuer, ISSUER, "t-1", [])
    with pytest.raises(BadSignatureError):
        jwt.decode(token, KeySet.import_key_set(public_jwks(keys.issuer)), algorithms=["ES256"])  # type: ignore[arg-type]
