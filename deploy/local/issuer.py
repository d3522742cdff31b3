"""The local token issuer: a JWKS and POST /token, on loopback, for people who try the product. Never for production.

`python -m deploy.local.issuer KEY_FILE PORT [BIND [NAME]]` serves; a container binds all of its interfaces and is asked
by its NAME, too. `mint` makes a token without HTTP, for tests and the desk.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from deploy.local.keys import public_jwks
from deploy.local.sockets import HOST

AUDIENCE = "malote"
OPERATOR_SCOPES = ("messages:send", "messages:interrupt", "conversations:read", "conversations:write", "channels:read")
SUPERVISOR_SCOPES = (*OPERATOR_SCOPES, "messages:interrupt:any", "messages:resolve")
OWNER_SCOPES = (*SUPERVISOR_SCOPES, "channels:write", "signatures:write", "operators:write")
PLATFORM_SCOPES = ("platform:tenants",)


def issuer_url(port: int) -> str:
    """The `iss` of tokens from the issuer on this port; `/.well-known/jwks.json` hangs below it."""
    return f"http://{HOST}:{port}"


def mint(
    key_file: Path,
    issuer: str,
    tenant: str,
    scopes: Iterable[str],
    *,
    sub: str = "local",
    operator: str | None = None,
    ttl_s: int = 86_400,
) -> str:
    """A signed token (ES256) with the claims of DESIGN §6; `ttl_s` may be negative to make an expired one."""
    private = json.loads(key_file.read_text())["keys"][0]
    now = int(time.time())
    claims: dict[str, Any] = {"iss": issuer, "aud": AUDIENCE, "iat": now, "exp": now + ttl_s, "sub": sub}
    claims |= {"tenant": tenant, "scope": " ".join(scopes)}
    if operator:
        claims["operator"] = operator
    header = {"alg": "ES256", "kid": private["kid"]}
    return jwt.encode(header, claims, ECKey.import_key(private), algorithms=["ES256"])


class _Door(BaseHTTPRequestHandler):
    """GET /.well-known/jwks.json and /readyz; POST /token {tenant, scope, sub?, operator?, ttl_s?} as JSON."""

    key_file: Path
    issuer: str
    names = frozenset({HOST, "localhost"})

    def do_GET(self) -> None:
        """The public keys, or that we are here."""
        if self.path == "/.well-known/jwks.json":
            self._answer(HTTPStatus.OK, public_jwks(self.key_file))
        elif self.path == "/readyz":
            self._answer(HTTPStatus.OK, {"ready": True})
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"code": "not_found"})

    def do_POST(self) -> None:
        """A token for whatever is asked. JSON only and our own Host only: no page of a browser can ask for one."""
        host = (self.headers.get("Host") or "").rpartition(":")[0]
        if self.path != "/token" or host not in self.names:
            return self._answer(HTTPStatus.NOT_FOUND, {"code": "not_found"})
        if self.headers.get_content_type() != "application/json":
            return self._answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"code": "invalid"})
        try:
            asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            token = self._mint(asked)
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            return self._answer(HTTPStatus.BAD_REQUEST, {"code": "invalid", "detail": repr(wrong)})
        return self._answer(HTTPStatus.OK, {"access_token": token, "token_type": "Bearer"})

    def _mint(self, asked: dict[str, Any]) -> str:
        return mint(
            self.key_file,
            self.issuer,
            asked["tenant"],
            asked["scope"].split(),
            sub=asked.get("sub", "local"),
            operator=asked.get("operator"),
            ttl_s=int(asked.get("ttl_s", 86_400)),
        )

    def _answer(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: a request line is nobody's business."""


def main(arguments: list[str]) -> None:
    """Serve until the parent ends it."""
    _Door.key_file, port = Path(arguments[0]), int(arguments[1])
    _Door.issuer = issuer_url(port)
    bind = arguments[2] if len(arguments) > 2 else HOST
    _Door.names |= frozenset(arguments[3:])
    ThreadingHTTPServer((bind, port), _Door).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
