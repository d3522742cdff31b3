"""The same stage behind https, where people sign in at a real OpenID Connect server."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette

from deploy.local.issuer import SUPERVISOR_SCOPES
from services.gateway.adapters.jwks_http import HttpKeySet
from services.gateway.adapters.tokens import Tokens
from services.gateway.console.mount import Sign
from services.gateway.console.oidc import Provider
from services.gateway.console.sessions import Sessions
from tests.browser.stage import PEOPLE, SEALED_BY, Stage
from tests.infra.openid import CONFIDENTIAL, PUBLIC, SECRET, OpenIdServer
from tests.unit.gateway.world import OTHER

AT_THE_PROVIDER: Final = {
    **{
        one.id: {"name": one.name, "tenant": one.tenant, "operator": one.operator, "scope": one.scope} for one in PEOPLE
    },
    "eve": {"name": "Eve of another tenant", "tenant": OTHER, "scope": " ".join(SUPERVISOR_SCOPES)},
    "nobody": {"name": "Without a tenant", "scope": "conversations:read"},
}
SCOPE: Final = "openid profile " + " ".join(sorted({word for one in PEOPLE for word in one.scope.split()}))


class SecureStage(Stage):
    """``certificate``: a PEM file with key and chain; with ``secret`` the console is a confidential client."""

    def __init__(self, certificate: Path, *, secret: bool = False) -> None:
        super().__init__()
        self.url = f"https://127.0.0.1:{self.port}"
        self.provider = OpenIdServer([f"{self.url}/sign-in/callback"], AT_THE_PROVIDER)
        self.tokens = Tokens(HttpKeySet(self.provider.jwks_url), self.provider.issuer)
        self.sessions = Sessions(self.tokens, SEALED_BY)
        self._certificate, self._client = certificate, (CONFIDENTIAL, SECRET) if secret else (PUBLIC, "")

    def sign(self) -> Sign:
        """At the provider, and nowhere else."""
        return Sign(SEALED_BY, Provider(self.provider.issuer, *self._client, SCOPE, "urn:malote"))

    def config(self, app: Starlette) -> uvicorn.Config:
        """With TLS."""
        made = super().config(app)
        made.ssl_certfile = made.ssl_keyfile = str(self._certificate)
        return made
