"""OpenID Connect: authorization code with PKCE (RFC 7636, S256), state and nonce; one round trip a sign-in.

    GET /sign-in/oidc -> provider (state, nonce, challenge; all sealed into a cookie of ten minutes)
    provider -> GET /sign-in/callback?code&state&iss -> token endpoint (code, verifier) -> session

The access token is the session's: a JWT for the audience ``malote`` with the claims of the REST interface. The ID token
is checked as OpenID Connect Core 1.0, section 3.1.3.7 has it, and tells the person's name. Requests and rules are
authlib's; the few calls are our own, so that no HTTP client is shipped.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.gateway.console.http_ask import ask
from services.kit.unavailable import Unavailable

FORM: Final = "application/x-www-form-urlencoded"
LASTS_S: Final = 600
LEEWAY_S: Final = 30
"""How far the provider's clock may be from ours."""
ALGORITHMS: Final = ["RS256", "ES256", "EdDSA", "Ed25519"]
NAMED: Final = '{"id_token":{"name":null,"email":null}}'
"""Providers that go by the letter put a person's name into the ID token only where it is asked for."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where people sign in; no ``client_secret`` for a public client, ``resource`` asks for the audience (RFC 8707)."""

    issuer: str
    client_id: str
    client_secret: str = ""
    scope: str = "openid profile"
    resource: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What came of it."""

    token: str
    name: str


class OpenId:
    """Signs people in at one provider, and out."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    async def begin(self, back: str, to: str) -> tuple[str, dict[str, str]]:
        """Where to send the browser, and what to remember meanwhile; ``back`` is our callback's address."""
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        provider, found = self.provider, await self._discovered()
        url = prepare_grant_uri(
            str(found["authorization_endpoint"]), provider.client_id, "code", back, provider.scope, kept["state"],
            nonce=kept["nonce"], code_challenge=create_s256_code_challenge(kept["verifier"]),
            code_challenge_method="S256", resource=provider.resource or None,
            claims=NAMED if found.get("claims_parameter_supported") else None,
        )  # fmt: skip
        return str(url), kept | {"back": back, "to": to, "at": str(int(time.time()))}

    async def finish(self, said: Mapping[str, str], kept: Mapping[str, str]) -> SignedIn | None:
        """The tokens for the code; None where anything is not as it was begun."""
        found = await self._discovered()
        if "code" not in said or not _ours(said, kept) or not self._sent_it(said, found):
            return None
        provider = self.provider
        body = prepare_token_request(
            "authorization_code", redirect_uri=kept["back"], code=said["code"], client_id=provider.client_id,
            code_verifier=kept["verifier"], resource=provider.resource,
        )  # fmt: skip
        answer = await self._tokens(str(found["token_endpoint"]), str(body), found)
        claims = await self._identity(answer, str(found["jwks_uri"]), kept["nonce"])
        token = answer.get("access_token")
        if claims is None or not isinstance(token, str):
            return None
        return SignedIn(token, str(claims.get("name") or claims.get("email") or claims.get("sub") or ""))

    async def out(self, back: str) -> str | None:
        """Where the browser ends its session at the provider, too; None where there is no such place.

        Without it the next person at this desk would be signed in as the one before (RP-Initiated Logout 1.0).
        """
        end = str((await self._discovered()).get("end_session_endpoint", ""))
        if not end.startswith(f"{self.provider.origin}/"):
            return None
        asked = {"client_id": self.provider.client_id, "post_logout_redirect_uri": back}
        return f"{end}{'&' if '?' in end else '?'}{urlencode(asked)}"

    def _sent_it(self, said: Mapping[str, str], found: Mapping[str, Any]) -> bool:
        """Whether the answer says that it comes from this provider (RFC 9207), where providers say so."""
        needed = found.get("authorization_response_iss_parameter_supported") is True
        return said.get("iss") == self.provider.issuer if needed or "iss" in said else True

    async def _tokens(self, endpoint: str, body: str, found: Mapping[str, Any]) -> dict[str, Any]:
        """With the client's secret as the provider wants it: in the header unless it takes it in the body alone."""
        client, secret = self.provider.client_id, self.provider.client_secret
        if not secret:
            return await ask(endpoint, body.encode(), FORM)
        if "client_secret_basic" in found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
            pair = f"{quote_plus(client)}:{quote_plus(secret)}".encode()
            return await ask(endpoint, body.encode(), FORM, f"Basic {base64.b64encode(pair).decode()}")
        return await ask(endpoint, f"{body}&{urlencode({'client_secret': secret})}".encode(), FORM)

    async def _discovered(self) -> dict[str, Any]:
        issuer = self.provider.issuer
        found = await ask(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise Unavailable("the provider's discovery document names another issuer")
        return found

    async def _identity(self, answer: Mapping[str, Any], jwks_uri: str, nonce: str) -> dict[str, Any] | None:
        """The ID token's claims, its keys fetched anew so that a change of keys is no trouble."""
        keys = await ask(jwks_uri)
        options: Any = {"iss": {"essential": True, "value": self.provider.issuer}}
        options["aud"] = {"essential": True, "value": self.provider.client_id}
        params = {"nonce": nonce, "client_id": self.provider.client_id, "access_token": answer.get("access_token")}
        try:
            held: Any = keys
            token = jwt.decode(str(answer.get("id_token", "")), KeySet.import_key_set(held), algorithms=ALGORITHMS)
            claims = CodeIDToken(token.claims, token.header, options, params)
            claims.validate(leeway=LEEWAY_S)
        except (JoseError, ValueError, KeyError, TypeError):
            return None
        return dict(claims)


def _ours(said: Mapping[str, str], kept: Mapping[str, str]) -> bool:
    """Whether it answers what this browser asked, lately."""
    fresh = time.time() - int(kept.get("at", "0")) < LASTS_S
    return fresh and hmac.compare_digest(said.get("state", "").encode(), kept.get("state", " ").encode())
