"""Who sits at the console: a token of the issuer, sealed into a cookie that no script can read.

Nothing is kept on the server, so that every replica knows every session; a session lives as long as its token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.adapters.tokens import Tokens
from services.gateway.domain.refusal import Refused
from services.gateway.domain.who import Principal
from services.kit import logs

log = logs.get_logger()
HEADER: Final = {"alg": "dir", "enc": "A256GCM"}
SECURE, PLAIN = "__Host-malote", "malote-loopback"
LARGEST: Final = 3_900
"""Browsers drop a cookie above 4,096 octets without a word, and the person would be asked to sign in for ever."""
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in; ``name`` as the issuer tells it."""

    who: Principal
    sid: str
    name: str


class Sessions:
    """Opens, reads and ends sessions; ``keys`` from ``read_keys``, the first seals and all open."""

    def __init__(self, tokens: Tokens, keys: tuple[bytes, ...]) -> None:
        self._tokens, self._keys = tokens, keys

    async def of(self, request: Request) -> Session | None:
        """The session of this request, None where there is none or its token has expired."""
        found = self._opened(request.cookies.get(cookie_name(request)) or "")
        if found is None:
            return None
        who = await self._tokens.principal(f"Bearer {found['token']}")
        if isinstance(who, Refused):
            return None
        return Session(who, found["sid"], found.get("name", ""))

    async def start(self, request: Request, response: Response, token: str, name: str) -> bool:
        """Signs somebody in with a token that the issuer has just given; False where it is not valid here.

        The issuer may have changed its keys a moment ago, so a refusal is looked at again with those of now.
        """
        if isinstance(await self._tokens.principal(f"Bearer {token}"), Refused):
            await self._tokens.keys.refresh()
            if isinstance(await self._tokens.principal(f"Bearer {token}"), Refused):
                return False
        sealed = self.sealed({"sid": secrets.token_urlsafe(16), "token": token, "name": name})
        if len(sealed) > LARGEST:
            log.warning("token_too_large_for_a_cookie", octets=len(token))
            return False
        self._put(request, response, cookie_name(request), sealed)
        return True

    def put(self, request: Request, response: Response, name: str, content: dict[str, str]) -> None:
        """A sealed cookie of this content."""
        self._put(request, response, name, self.sealed(content))

    def _put(self, request: Request, response: Response, name: str, sealed: str) -> None:
        response.set_cookie(name, sealed, path="/", httponly=True, samesite="lax", secure=is_secure(request))

    def end(self, request: Request, response: Response) -> None:
        """Signs out."""
        response.delete_cookie(cookie_name(request), path="/", httponly=True, samesite="lax", secure=is_secure(request))

    def sealed(self, content: dict[str, str]) -> str:
        """Content only we can read (RFC 7516, direct A256GCM)."""
        return jwe.encrypt_compact(HEADER, json.dumps(content), OctKey.import_key(self._keys[0]))

    def opened(self, sealed: str) -> dict[str, str] | None:
        """What was sealed; None where it was not us."""
        return self._opened(sealed)

    def csrf(self, session: Session) -> str:
        """What a page's changes must carry; another one each time, so that compression tells nothing about it."""
        nonce = secrets.token_urlsafe(9)
        return f"{nonce}.{self._mac(self._keys[0], session, nonce)}"

    def holds(self, session: Session, given: str | None) -> bool:
        """Whether a change carries a token made for its session."""
        nonce, _, mac = (given or "").partition(".")
        return any(hmac.compare_digest(self._mac(key, session, nonce).encode(), mac.encode()) for key in self._keys)

    @staticmethod
    def _mac(key: bytes, session: Session, nonce: str) -> str:
        mac = hmac.new(key, f"csrf {session.sid} {nonce}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac[:18]).decode()

    def _opened(self, sealed: str) -> dict[str, str] | None:
        for key in self._keys:
            try:
                found = jwe.decrypt_compact(sealed, OctKey.import_key(key), algorithms=["dir", "A256GCM"]).plaintext
                content = json.loads(found or b"null")
            except (JoseError, ValueError):
                continue
            if isinstance(content, dict):
                return content
        return None


def read_keys(path: Path | None) -> tuple[bytes, ...]:
    """The sealing keys in ``{"current": "k1", "keys": {"k1": "<base64url, 32 octets>"}}``, the current one first.

    Without a file a key of this process: its sessions end with it.
    """
    if path is None:
        return (secrets.token_bytes(32),)
    said = json.loads(path.read_text())
    order = sorted(said["keys"], key=lambda kid: (kid != said["current"], kid))
    return tuple(base64.urlsafe_b64decode(said["keys"][kid] + "=" * (-len(said["keys"][kid]) % 4)) for kid in order)


def is_secure(request: Request) -> bool:
    """Whether the reader's browser came by https, here or at the proxy before us."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"


def cookie_name(request: Request) -> str:
    """``__Host-`` needs https; over plain http there is a cookie on loopback only, under another name."""
    return SECURE if is_secure(request) else PLAIN


def may_sign_in(request: Request) -> bool:
    """Whether a session can be held safely: by https, or on this very machine."""
    return is_secure(request) or (request.url.hostname or "") in LOOPBACK


def same_site(request: Request) -> bool:
    """Whether a change was asked for by a page of ours, as far as the browser tells."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return False
    return origin is None or origin == "null" or origin.partition("://")[2] == request.headers.get("host")
