"""Bearer tokens (RFC 6750): JWT verified against the issuer's keys, the verified ones remembered until they expire."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Mapping
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet

from services.gateway.adapters.token_keys import ALGORITHMS, Fetch, TokenKeys
from services.gateway.domain.refusal import Code, Refused
from services.gateway.domain.who import Principal

AUDIENCE: Final = "malote"
LEEWAY_S: Final = 30
"""How far ahead of ours the issuer's clock may be; a token that has expired gets none."""
REMEMBERED: Final = 10_000
LONGEST: Final = 8_192
TENANT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SUB: Final = re.compile(r"[\x20-\x7e\u00a0-\uffff]{1,200}")

MISSING: Final = Refused(Code.UNAUTHENTICATED, "Send a token: Authorization: Bearer …")
INVALID: Final = Refused(Code.UNAUTHENTICATED, "This token is not valid here, or no longer. Get a new one.")


class Tokens:
    """``principal`` turns an Authorization header into who asks."""

    def __init__(self, fetch: Fetch, issuer: str) -> None:
        self._issuer = issuer
        self._known: dict[str, tuple[float, Principal]] = {}
        self.keys = TokenKeys(fetch, self._known.clear)

    async def principal(self, header: str | None) -> Principal | Refused:
        """The caller, or 401. Raises Unavailable while the issuer's keys are not here."""
        if header is None or header[:7].lower() != "bearer ":
            return MISSING
        known = self._known.get(header)
        if known is not None:
            if time.time() < known[0]:
                return known[1]
            del self._known[header]
        return await self._verified(header, header[7:].strip())

    async def _verified(self, header: str, token: str) -> Principal | Refused:
        kid = _kid(token)
        if isinstance(kid, Refused):
            return kid
        keys = await self.keys.for_kid(kid)
        try:
            claims = _claims(token, keys)
        except (JoseError, ValueError):
            return INVALID
        principal, expires = self._caller(claims), claims.get("exp")
        if principal is None or not isinstance(expires, int | float):
            return INVALID
        self._known[header] = (expires, principal)
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return principal

    def _caller(self, claims: Mapping[str, Any]) -> Principal | None:
        """Who the claims speak of; None where one is missing, expired or for somebody else."""
        audience = claims.get("aud")
        ours = audience == AUDIENCE or (isinstance(audience, list) and AUDIENCE in audience)
        if claims.get("iss") != self._issuer or not ours or not _in_time(claims):
            return None
        tenant, sub, operator = claims.get("tenant"), claims.get("sub"), claims.get("operator")
        if not _is(TENANT, tenant) or not _is(_SUB, sub) or (operator is not None and not _is(UUID, operator)):
            return None
        scope = claims.get("scope", "")
        scopes = frozenset(scope.split() if isinstance(scope, str) else ())
        return Principal(str(tenant), str(sub), operator, scopes, float(claims["exp"]))


def _claims(token: str, keys: KeySet) -> dict[str, Any]:
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA to Ed25519; issuers will say EdDSA for years.
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims


def _in_time(claims: Mapping[str, Any]) -> bool:
    now, expires, begins = time.time(), claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, int | float) or not isinstance(begins, int | float):
        return False
    return now < expires and now >= begins - LEEWAY_S


def _is(shape: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and shape.fullmatch(value) is not None


def _kid(token: str) -> str | Refused | None:
    if len(token) > LONGEST:
        return INVALID
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError):
        return INVALID
    kid = header.get("kid")
    return kid if kid is None or isinstance(kid, str) else INVALID
