"""Signing in at a provider: PKCE as RFC 7636 has it, and nobody comes in with another's state, nonce, code or token."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from services.gateway.console import oidc
from services.gateway.console.oidc import OpenId, Provider
from services.kit.unavailable import Unavailable

ISSUER, KEY = "https://id.test", ECKey.generate_key("P-256", {"kid": "k", "use": "sig"})
PROVIDER = Provider(ISSUER, "malote-console", resource="malote")


class Issuer:
    """A provider that checks the verifier against the challenge of the authorization request."""

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}
        self.claims: dict[str, Any] = {}
        self.signer = KEY
        self.found: dict[str, Any] = {}

    def authorize(self, url: str) -> None:
        """What the browser brings."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    async def __call__(
        self, url: str, body: bytes | None = None, media_type: str = "", authorization: str = ""
    ) -> dict[str, Any]:
        """Discovery, keys, tokens."""
        if url.endswith("openid-configuration"):
            places = {f"{name}_endpoint": f"{ISSUER}/{name}" for name in ("authorization", "token")}
            return {
                "issuer": self.claims.get("discovered", ISSUER),
                "jwks_uri": f"{ISSUER}/jwks",
                **places,
                **self.found,
            }
        if url.endswith("jwks"):
            return {"keys": [KEY.as_dict(private=False)]}
        said = {name: values[0] for name, values in parse_qs((body or b"").decode()).items()}
        digest = hashlib.sha256(said["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != self.asked["code_challenge"]:
            return {}
        claims = {
            "iat": int(time.time()), "iss": ISSUER, "aud": "malote-console", "sub": "ana", "name": "Ana",
            "exp": int(time.time()) + 60, "nonce": self.asked["nonce"], **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = jwt.encode({"alg": "ES256", "kid": "k"}, claims, self.signer, algorithms=["ES256"])
        return {"access_token": "the token", "id_token": signed}


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Issuer:
    made = Issuer()
    monkeypatch.setattr(oidc, "ask", made)
    return made


async def begun(issuer: Issuer) -> tuple[OpenId, dict[str, str]]:
    """A browser on its way back."""
    openid = OpenId(PROVIDER)
    url, kept = await openid.begin("https://desk.test/sign-in/callback", "/c")
    issuer.authorize(url)
    return openid, kept


async def test_the_way_there_and_back(issuer: Issuer) -> None:
    openid, kept = await begun(issuer)
    assert issuer.asked["code_challenge_method"] == "S256"
    assert issuer.asked["resource"] == "malote"
    assert kept["verifier"] not in str(issuer.asked)
    signed = await openid.finish({"code": "c", "state": issuer.asked["state"]}, kept)
    assert signed is not None
    assert (signed.token, signed.name) == ("the token", "Ana")


async def test_another_state_verifier_or_hour_is_refused(issuer: Issuer) -> None:
    openid, kept = await begun(issuer)
    good = {"code": "c", "state": issuer.asked["state"]}
    assert await openid.finish({**good, "state": "other"}, kept) is None
    assert await openid.finish({"error": "access_denied", "state": good["state"]}, kept) is None
    assert await openid.finish(good, {**kept, "verifier": "other"}) is None
    assert await openid.finish(good, {**kept, "at": "1"}) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "other"}, {"nonce": None}, {"aud": "someone"}, {"aud": None}, {"iss": "https://evil.test"},
        {"exp": 1}, {"exp": None}, {"iat": None}, {"sub": None}, {"azp": "someone"},
        {"aud": ["malote-console", "someone"]}, {"at_hash": "of-another-token"},
    ],
    ids=str,
)  # fmt: skip
async def test_an_identity_that_is_not_for_us_now_is_refused(issuer: Issuer, claims: dict[str, Any]) -> None:
    openid, kept = await begun(issuer)
    issuer.claims = claims
    assert await openid.finish({"code": "c", "state": issuer.asked["state"]}, kept) is None


async def test_an_answer_that_another_provider_sent_is_refused(issuer: Issuer) -> None:
    openid, kept = await begun(issuer)
    good = {"code": "c", "state": issuer.asked["state"]}
    assert await openid.finish({**good, "iss": "https://evil.test"}, kept) is None
    issuer.found = {"authorization_response_iss_parameter_supported": True}
    assert await openid.finish(good, kept) is None
    assert await openid.finish({**good, "iss": ISSUER}, kept) is not None


@pytest.mark.parametrize("methods", [None, ["client_secret_basic", "none"], ["client_secret_post"]], ids=str)
async def test_the_clients_secret_goes_where_the_provider_wants_it(issuer: Issuer, methods: list[str] | None) -> None:
    openid, kept = await begun(issuer)
    openid.provider = Provider(ISSUER, "malote-console", "a secret")
    issuer.found = {"token_endpoint_auth_methods_supported": methods} if methods else {}
    sent: list[tuple[bytes, str]] = []

    async def heard(url: str, body: bytes | None = None, media_type: str = "", authorization: str = "") -> Any:
        if body is not None:
            sent.append((body, authorization))
        return await issuer(url, body, media_type, authorization)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(oidc, "ask", heard)
        assert await openid.finish({"code": "c", "state": issuer.asked["state"]}, kept) is not None
    ((body, authorization),) = sent
    if methods == ["client_secret_post"]:
        assert (b"client_secret=a+secret" in body, authorization) == (True, "")
    else:
        assert (b"secret=" in body, authorization) == (False, "Basic bWFsb3RlLWNvbnNvbGU6YStzZWNyZXQ=")


async def test_out_at_the_provider_alone(issuer: Issuer) -> None:
    openid = OpenId(PROVIDER)
    assert await openid.out("https://desk.test/sign-in") is None
    issuer.found = {"end_session_endpoint": "https://elsewhere.test/end"}
    assert await openid.out("https://desk.test/sign-in") is None
    issuer.found = {"end_session_endpoint": f"{ISSUER}/end"}
    assert await openid.out("https://desk.test/sign-in") == (
        f"{ISSUER}/end?client_id=malote-console&post_logout_redirect_uri=https%3A%2F%2Fdesk.test%2Fsign-in"
    )


async def test_an_identity_of_another_signer_is_refused(issuer: Issuer) -> None:
    openid, kept = await begun(issuer)
    issuer.signer = ECKey.generate_key("P-256", {"kid": "k"})
    assert await openid.finish({"code": "c", "state": issuer.asked["state"]}, kept) is None


async def test_a_discovery_document_of_another_issuer_is_not_believed(issuer: Issuer) -> None:
    issuer.claims = {"discovered": "https://evil.test"}
    with pytest.raises(Unavailable):
        await OpenId(PROVIDER).begin("https://desk.test/sign-in/callback", "/c")
