"""Sign in and out: at the organisation's provider, or, on the local stack, as one of the demonstration people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.console.catalogue import LANGUAGES
from services.gateway.console.oidc import OpenId
from services.gateway.console.people import Person, token_of
from services.gateway.console.reading import Reading
from services.gateway.console.sessions import is_secure, may_sign_in
from services.kit import logs
from services.kit.unavailable import Unavailable

log = logs.get_logger()
SECURE_KEPT, PLAIN_KEPT = "__Host-malote-signing-in", "malote-signing-in"


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
        back = address(reading, "sign-in/callback")
        url, kept = await self.openid.begin(back, local(reading.request.query_params.get("to", "")))
        response = reading.away(url)
        reading.sessions.put(reading.request, response, kept_name(reading.request), kept)
        return response

    async def finish(self, reading: Reading) -> Response:
        """Back from the provider."""
        name = kept_name(reading.request)
        kept = reading.sessions.opened(reading.request.cookies.get(name, ""))
        signed = await self.openid.finish(dict(reading.request.query_params), kept) if self.openid and kept else None
        if signed is None or kept is None:
            return await self.show(reading, 403, "in.failed")
        response = await self._in(reading, signed.token, signed.name, kept.get("to", ""))
        response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=is_secure(reading.request))
        return response

    async def out(self, reading: Reading) -> Response:
        """Sign out, here and at the provider; drafts stay in the browser, each under its writer."""
        response = reading.away(await self._end(reading) or "/sign-in")
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

    async def _end(self, reading: Reading) -> str | None:
        """Where the provider's own session ends; the one here ends even where the provider cannot be asked."""
        try:
            return await self.openid.out(address(reading, "sign-in")) if self.openid else None
        except Unavailable as error:
            log.warning("provider_not_told", reason=str(error))
            return None

    async def _in(self, reading: Reading, token: str, name: str, to: str) -> Response:
        response = reading.away(local(to))
        if not token or not await reading.sessions.start(reading.request, response, token, name):
            return await self.show(reading, 403, "in.failed")
        return response


def kept_name(request: Request) -> str:
    """The cookie of a sign-in under way; the prefix keeps a neighbouring host from planting one."""
    return SECURE_KEPT if is_secure(request) else PLAIN_KEPT


def address(reading: Reading, path: str) -> str:
    """A page of ours as the reader's browser names it."""
    return f"{reading.request.base_url.replace(scheme='https' if is_secure(reading.request) else 'http')}{path}"


def local(path: str) -> str:
    """A path of ours, the list where it is none: nobody is sent elsewhere."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and not any(one in path for one in "\r\n\t\\")
    return path if plain else "/c"
