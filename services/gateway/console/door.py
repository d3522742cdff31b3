"""Sign in and out: at the organisation's provider, or, on the local stack, as one of the demonstration people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from services.gateway.console.catalogue import LANGUAGES
from services.gateway.console.oidc import OpenId
from services.gateway.console.people import Person, token_of
from services.gateway.console.reading import Reading
from services.gateway.console.sessions import is_secure, may_sign_in

KEPT = "malote-signing-in"


@dataclass(frozen=True, slots=True)
class Door:
    """How people come in; ``openid`` None where no provider is set, ``people`` empty in production."""

    openid: OpenId | None
    people: Mapping[str, Person]
    token_url: str

    async def show(self, reading: Reading, status: int = 200, failed: str = "") -> Response:
        """The page."""
        said = reading.request.query_params
        return reading.html(
            "door.html", status, openid=self.openid, people=list(self.people.values()), to=local(said.get("to", "")),
            failed=failed, expired=said.get("expired") == "1", safe=may_sign_in(reading.request),
        )  # fmt: skip

    async def as_person(self, reading: Reading) -> Response:
        """One of the demonstration people."""
        person = self.people.get(reading.form.get("person", ""))
        if person is None or not may_sign_in(reading.request):
            return await self.show(reading, 422, "in.failed")
        return await self._in(reading, await token_of(person, self.token_url), person.name, reading.form.get("to", ""))

    async def begin(self, reading: Reading) -> Response:
        """To the provider."""
        if self.openid is None or not may_sign_in(reading.request):
            return await self.show(reading, 422, "in.failed")
        scheme = "https" if is_secure(reading.request) else "http"
        back = f"{reading.request.base_url.replace(scheme=scheme)}sign-in/callback"
        url, kept = await self.openid.begin(back, local(reading.request.query_params.get("to", "")))
        response = reading.away(url)
        reading.sessions.put(reading.request, response, KEPT, kept)
        return response

    async def finish(self, reading: Reading) -> Response:
        """Back from the provider."""
        kept = reading.sessions.opened(reading.request.cookies.get(KEPT, ""))
        signed = await self.openid.finish(dict(reading.request.query_params), kept) if self.openid and kept else None
        if signed is None or kept is None:
            return await self.show(reading, 403, "in.failed")
        response = await self._in(reading, signed.token, signed.name, kept.get("to", ""))
        response.delete_cookie(KEPT, path="/")
        return response

    async def out(self, reading: Reading) -> Response:
        """Sign out; drafts stay in the browser, each under its writer."""
        response = reading.away("/sign-in")
        reading.sessions.end(reading.request, response)
        return response

    async def language(self, reading: Reading) -> Response:
        """The reader's language, for a year."""
        said = reading.request.query_params
        response = reading.away(local(said.get("back", "")))
        if said.get("to") in LANGUAGES:
            secure = is_secure(reading.request)
            response.set_cookie("malote-lang", said["to"], 31_536_000, samesite="lax", secure=secure)
        return response

    async def _in(self, reading: Reading, token: str, name: str, to: str) -> Response:
        response = reading.away(local(to))
        if not token or not await reading.sessions.start(reading.request, response, token, name):
            return await self.show(reading, 403, "in.failed")
        return response


def local(path: str) -> str:
    """A path of ours, the list where it is none: nobody is sent elsewhere."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and not any(one in path for one in "\r\n\t\\")
    return path if plain else "/c"
