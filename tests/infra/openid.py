"""A real OpenID Connect server in a process of its own (npm's oidc-provider), for the console's sign-in.

    with OpenIdServer(["https://127.0.0.1:8443/sign-in/callback"], people) as server: server.issuer

It needs Node and `npm ci` in `tests/infra/oidc` once. `rotate` starts it again with other keys on the same port.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urljoin

from joserfc.jwk import ECKey

from deploy.local import sockets

HERE: Final = Path(__file__).parent / "oidc"
PUBLIC, CONFIDENTIAL, SECRET = "malote-console", "malote-console-secret", "only for tests, of 32 octets: ok"


def missing() -> str | None:
    """What this machine lacks for it, and how to get it."""
    if shutil.which("node") is None:
        return "node is missing: apt-get install nodejs npm"
    if not (HERE / "node_modules" / "oidc-provider").is_dir():
        return "the OpenID Connect server is not installed: npm ci --prefix tests/infra/oidc"
    return None


def key(kid: str) -> dict[str, Any]:
    """A fresh private signing key."""
    return dict(ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"}).as_dict(private=True))


@dataclass
class OpenIdServer:
    """`people`: by name, each with `name`, `tenant`, `operator`, `scope`; tokens last `lasts_s`."""

    callbacks: list[str]
    people: Mapping[str, Mapping[str, str]]
    lasts_s: int = 600
    port: int = field(default_factory=sockets.free_port)
    keys: list[dict[str, Any]] = field(default_factory=lambda: [key("first")])
    _process: subprocess.Popen[str] | None = None

    @property
    def issuer(self) -> str:
        """Its name and address."""
        return f"http://{sockets.HOST}:{self.port}"

    @property
    def jwks_url(self) -> str:
        """Where its keys are."""
        return f"{self.issuer}/jwks"

    def __enter__(self) -> Self:
        if lacking := missing():
            raise RuntimeError(lacking)
        self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def rotate(self, keys: Iterable[dict[str, Any]]) -> None:
        """Signs with the first of these from now on, and publishes all; everybody has to sign in again there."""
        self.stop()
        self.keys = list(keys)
        self._start()

    def _start(self) -> None:
        command = ["node", "provider.mjs", json.dumps(self._told())]
        self._process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != "ready":
            said = self._process.communicate(timeout=10)[1]
            raise RuntimeError(f"the OpenID Connect server did not start: {said[-2000:]}")

    def stop(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate(timeout=10)

    def _told(self) -> dict[str, Any]:
        doors = {
            "redirect_uris": self.callbacks,
            "post_logout_redirect_uris": [urljoin(one, "/sign-in") for one in self.callbacks],
        }
        secret = {"client_secret": SECRET, "token_endpoint_auth_method": "client_secret_basic"}
        clients = [
            {"client_id": PUBLIC, "token_endpoint_auth_method": "none", **doors},
            {"client_id": CONFIDENTIAL, **secret, **doors},
        ]
        told = {"port": self.port, "keys": self.keys, "clients": clients, "people": dict(self.people)}
        return {**told, "lasts_s": self.lasts_s}
