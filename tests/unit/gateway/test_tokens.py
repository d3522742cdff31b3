"""Tokens: what opens the door and what does not."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from services.gateway.adapters.jwks_http import HttpKeySet
from services.gateway.adapters.tokens import INVALID, MISSING, Tokens
from services.gateway.domain.refusal import Refused
from services.gateway.domain.who import Principal
from services.kit.unavailable import Unavailable
from tests.unit.gateway.world import ANA, ISSUER, SIGNER, TENANT, token, tokens


async def opens(header: str | None, to: Tokens | None = None) -> Principal | Refused:
    return await (to or tokens()).principal(header)


def publishing(*keys: Any) -> Callable[[], Awaitable[bytes]]:
    """An issuer with these keys."""

    async def publish() -> bytes:
        return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()

    return publish


async def test_a_good_token_says_who_asks() -> None:
    found = await opens(f"Bearer {token('a:b', 'c:d')}")
    assert found == Principal(TENANT, "ana", ANA, frozenset({"a:b", "c:d"}))
    program = await opens(f"bearer {token('a:b', operator=None, aud=['malote', 'x'])}")
    assert isinstance(program, Principal)
    assert program.operator is None


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://evil.test"}, {"aud": "another"}, {"aud": None}, {"exp": None}, {"exp": int(time.time()) - 1},
        {"exp": "soon"}, {"nbf": int(time.time()) + 10_000}, {"tenant": None}, {"tenant": "a/b"}, {"tenant": ""},
        {"tenant": {"$ne": 1}}, {"tenant": "a\n"}, {"sub": None}, {"sub": "a\r\nb"}, {"operator": "ana"},
        {"operator": 1},
    ],
)  # fmt: skip
async def test_wrong_claims_open_nothing(claims: dict[str, Any]) -> None:
    assert await opens(f"Bearer {_token(claims)}") == INVALID


def _token(claims: dict[str, Any]) -> str:
    said = {"iss": ISSUER, "aud": "malote", "exp": int(time.time()) + 600, "sub": "ana", "tenant": TENANT, **claims}
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode({"alg": "ES256", "kid": "k1"}, said, SIGNER, algorithms=["ES256"])


async def test_what_is_no_token_opens_nothing() -> None:
    for header in (None, "", "Basic eDp5", "Bearer", "token"):
        assert await opens(header) == MISSING
    for header in (
        "Bearer ",
        "Bearer x",
        "Bearer a.b.c",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        f"Bearer {'x' * 9_000}",
        "Bearer é",
    ):
        assert await opens(header) == INVALID


async def test_another_key_or_an_altered_token_opens_nothing() -> None:
    good = token()
    head, body, signature = good.split(".")
    assert await opens(f"Bearer {head}.{body}.{signature[:-4]}AAAA") == INVALID
    forged = ECKey.generate_key("P-256", {"kid": "k1"})
    stolen = jwt.encode({"alg": "ES256", "kid": "k1"}, {"sub": "x"}, forged, algorithms=["ES256"])
    assert await opens(f"Bearer {stolen}") == INVALID
    public = json.dumps(SIGNER.as_dict(private=False)).encode()
    confused = jwt.encode({"alg": "HS256", "kid": "k1"}, {"sub": "x"}, OctKey.import_key(public), algorithms=["HS256"])
    assert await opens(f"Bearer {confused}") == INVALID


@pytest.mark.parametrize("kind", ["RS256", "EdDSA", "Ed25519"])
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_other_algorithms(kind: str) -> None:
    key: Any = (
        RSAKey.generate_key(2048, {"kid": "o"}) if kind == "RS256" else OKPKey.generate_key("Ed25519", {"kid": "o"})
    )
    claims = {"iss": ISSUER, "aud": "malote", "exp": int(time.time()) + 60, "sub": "x", "tenant": "t"}
    signed = jwt.encode({"alg": kind, "kid": "o"}, claims, key, algorithms=[kind])
    assert isinstance(await opens(f"Bearer {signed}", Tokens(publishing(key), ISSUER)), Principal)


async def test_a_verified_token_is_remembered_until_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    served = tokens()
    header = f"Bearer {token()}"
    assert isinstance(await served.principal(header), Principal)
    monkeypatch.setattr("services.gateway.adapters.tokens.jwt.decode", None)
    assert isinstance(await served.principal(header), Principal)
    later = time.time() + 700
    monkeypatch.setattr("services.gateway.adapters.tokens.time.time", lambda: later)
    monkeypatch.undo()
    monkeypatch.setattr("services.gateway.adapters.tokens.time.time", lambda: later)
    assert await served.principal(header) == INVALID


async def test_new_keys_are_found_and_old_ones_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    current, asked = [SIGNER], list[int]()

    async def serve() -> bytes:
        asked.append(1)
        return await publishing(*current)()

    served = Tokens(serve, ISSUER)
    old = f"Bearer {token()}"
    assert isinstance(await served.principal(old), Principal)
    fresh = ECKey.generate_key("P-256", {"kid": "k2"})
    current[:] = [fresh]
    claims = {"iss": ISSUER, "aud": "malote", "exp": int(time.time()) + 60, "sub": "x", "tenant": "t"}
    new = "Bearer " + jwt.encode({"alg": "ES256", "kid": "k2"}, claims, fresh, algorithms=["ES256"])
    assert await served.principal(new) == INVALID
    assert len(asked) == 1
    monkeypatch.setattr("services.gateway.adapters.token_keys.PAUSE_S", 0)
    assert isinstance(await served.principal(new), Principal)
    assert await served.principal(old) == INVALID


async def test_without_keys_nobody_is_told_that_their_token_is_bad() -> None:
    async def nothing() -> bytes:
        raise Unavailable("nobody there")

    silent = Tokens(nothing, ISSUER)
    with pytest.raises(Unavailable):
        await silent.principal(f"Bearer {token()}")


async def test_the_key_set_is_fetched_over_http_and_nothing_else(tmp_path: Path) -> None:
    body = await publishing(SIGNER)()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        status = {b"/jwks": b"200 OK", b"/moved": b"302 Found"}.get(path, b"404 Not Found")
        head = b"HTTP/1.1 " + status + b"\r\nLocation: /jwks\r\nConnection: close\r\n"
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    assert await HttpKeySet(f"{base}/jwks")() == body
    (tmp_path / "jwks").write_bytes(body)
    for url in (f"{base}/moved", f"{base}/other", f"file://{tmp_path}/jwks", "http://127.0.0.1:1/jwks", "ftp://x/y"):
        with pytest.raises(Unavailable):
            await HttpKeySet(url)()
    server.close()
    await server.wait_closed()
