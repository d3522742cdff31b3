"""OpenID Connect: authorization code with PKCE (RFC 7636, S256), state and nonce; one round trip a sign-in.

    GET /sign-in/oidc -> provider (state, nonce, challenge; all sealed into a cookie of ten minutes)
    provider -> GET /sign-in/callback?code&state -> token endpoint (code, verifier) -> session

The access token is the session's: a JWT for the audience ``malote`` with the claims of the REST interface. The ID token
is checked for issuer, audience and nonce, and tells the person's name.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.gateway.console.http_ask import ask
from services.kit.unavailable import Unavailable

FORM: Final = "application/x-www-form-urlencoded"
LASTS_S: Final = 600
ALGORITHMS: Final = ["RS256", "ES256", "EdDSA", "Ed25519"]


@dataclass(frozen=True, slots=True)
class Provider:
    """Where people sign in; no ``client_secret`` for a public client, ``resource`` asks for the audience (RFC 8707)."""

    issuer: str
    client_id: str
    client_secret: str = ""
    scope: str = "openid profile"
    resource: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What came of it."""

    token: str
    name: str


class OpenId:
    """Signs people in at one provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def begin(self, back: str, to: str) -> tuple[str, dict[str, str]]:
        """Where to send the browser, and what to remember meanwhile; ``back`` is our callback's address."""
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        challenge = hashlib.sha256(kept["verifier"].encode()).digest()
        provider, found = self._provider, await self._discovered()
        asked = {
            "response_type": "code", "client_id": provider.client_id, "redirect_uri": back, "scope": provider.scope,
            "state": kept["state"], "nonce": kept["nonce"], "code_challenge_method": "S256",
            "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
        }  # fmt: skip
        if provider.resource:
            asked["resource"] = provider.resource
        kept |= {"back": back, "to": to, "at": str(int(time.time()))}
        return f"{found['authorization_endpoint']}?{urlencode(asked)}", kept

    async def finish(self, said: Mapping[str, str], kept: Mapping[str, str]) -> SignedIn | None:
        """The tokens for the code; None where anything is not as it was begun."""
        fresh = time.time() - int(kept.get("at", "0")) < LASTS_S
        if not fresh or "code" not in said or not hmac.compare_digest(said.get("state", ""), kept.get("state", " ")):
            return None
        provider, found = self._provider, await self._discovered()
        asked = {
            "grant_type": "authorization_code", "code": said["code"], "redirect_uri": kept["back"],
            "client_id": provider.client_id, "code_verifier": kept["verifier"],
        }  # fmt: skip
        if provider.client_secret:
            asked["client_secret"] = provider.client_secret
        if provider.resource:
            asked["resource"] = provider.resource
        answer = await ask(str(found["token_endpoint"]), urlencode(asked).encode(), FORM)
        claims = await self._identity(str(answer.get("id_token", "")), str(found["jwks_uri"]), kept["nonce"])
        token = answer.get("access_token")
        if claims is None or not isinstance(token, str):
            return None
        return SignedIn(token, str(claims.get("name") or claims.get("email") or claims.get("sub") or ""))

    async def _discovered(self) -> dict[str, Any]:
        issuer = self._provider.issuer
        found = await ask(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise Unavailable("the provider's discovery document names another issuer")
        return found

    async def _identity(self, token: str, jwks_uri: str, nonce: str) -> dict[str, Any] | None:
        keys = KeySet.import_key_set(json.loads(json.dumps(await ask(jwks_uri))))
        try:
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            return None
        audience = claims.get("aud")
        ours = self._provider.client_id in (audience if isinstance(audience, list) else [audience])
        expires = claims.get("exp")
        alive = isinstance(expires, int | float) and time.time() < expires
        right = claims.get("iss") == self._provider.issuer and claims.get("nonce") == nonce
        return dict(claims) if ours and alive and right else None
