"""The console in the gateway's application: sessions, CSRF, what a page says when something is not as it should be."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.gateway.adapters.endpoint import Endpoint
from services.gateway.adapters.http_app import Front
from services.gateway.adapters.rest import Stop
from services.gateway.adapters.tokens import Tokens
from services.gateway.console.desk import Desk
from services.gateway.console.door import Door
from services.gateway.console.listing import Alike
from services.gateway.console.oidc import OpenId, Provider
from services.gateway.console.pages import Page, pages
from services.gateway.console.people import Person
from services.gateway.console.reading import CSP, Missing, Reading
from services.gateway.console.sessions import Sessions, same_site
from services.gateway.console.static_files import static, version
from services.kit import logs, metrics, tracing
from services.kit.unavailable import Unavailable

log = logs.get_logger()
PREVIEW: Final = (
    "<!doctype html><title>preview</title><style>:root{color-scheme:light}body{margin:0;font:15px/1.5 system-ui,"
    "sans-serif;color:#1c1f22;overflow-wrap:break-word}a{color:#0c5768}</style>"
)
FRAME_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'; sandbox allow-same-origin"
)


@dataclass(frozen=True, slots=True)
class Sign:
    """How people sign in, and where they find support."""

    keys: tuple[bytes, ...]
    provider: Provider | None = None
    people: tuple[Person, ...] = ()
    token_url: str = ""
    support: str = ""


class Console:
    """Serves pages; nothing else of the gateway knows of it."""

    def __init__(self, endpoints: Sequence[Endpoint], tokens: Tokens, sign: Sign) -> None:
        self._desk, self._sessions = Desk(endpoints), Sessions(tokens, sign.keys)
        openid = OpenId(sign.provider) if sign.provider else None
        self._door = Door(openid, {one.id: one for one in sign.people}, sign.token_url)
        # Signing out goes on to the provider, and browsers hold a form's redirects to the policy, too.
        away = f" {sign.provider.origin}" if sign.provider else ""
        self._policy = CSP.replace("form-action 'self'", f"form-action 'self'{away}")
        self._alike = Alike()
        self._shown = {"support": sign.support, "static": f"/static/{version()}"}

    def attach(self, app: Front) -> Front:
        """The console's routes beside those of the REST interface."""
        made = [Route(one.path, self._serve(one), methods=[one.method]) for one in pages(self._door)]
        made.append(Route("/static/{version}/{name:path}", static, methods=["GET"]))
        made.append(Route("/frame", _frame, methods=["GET"]))
        app.router.routes.extend(made)
        before = app.exception_handlers[HTTPException]

        async def unanswered(request: Request, error: Exception) -> Response:
            if request.url.path.startswith("/v1/") or "text/html" not in request.headers.get("accept", ""):
                answer: Any = before(request, error)
                plain: Response = await answer
                return plain
            reading = self._reading(request)
            reading.session = await self._sessions.of(request)
            return reading.html("missing.html", 404)

        app.add_exception_handler(HTTPException, unanswered)
        return app

    def _serve(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            began = time.perf_counter()
            with tracing.use(tracing.new_trace()):
                response = await self._safely(page, self._reading(request))
            seconds = time.perf_counter() - began
            metrics.http_seconds.labels(page.method, page.path, response.status_code).observe(seconds)
            return response

        return serve

    def _reading(self, request: Request) -> Reading:
        return Reading(
            request, self._desk, self._sessions, shown=dict(self._shown), policy=self._policy, alike=self._alike
        )

    async def _safely(self, page: Page, reading: Reading) -> Response:
        try:
            reading.session = await self._sessions.of(reading.request)
            return await self._checked(page, reading)
        except Missing as missing:
            return _missing(reading, missing)
        except Stop as stop:
            return _told(reading, 413, str(stop.refused.code))
        except Unavailable as error:
            log.warning("page_postponed", route=page.path, reason=str(error), code=_code())
            return _broken(reading, 503)
        except Exception:
            log.exception("page_failed", route=page.path, code=_code())
            return _broken(reading, 500)

    async def _checked(self, page: Page, reading: Reading) -> Response:
        if reading.session is None and not page.open:
            return _expired(reading)
        if page.method != "GET":
            if not page.file:
                await reading.read_form()
            if not same_site(reading.request) or not self._carries(reading):
                return _told(reading, 403, "csrf")
        answer: Response = await page.answer(reading)
        return answer

    def _carries(self, reading: Reading) -> bool:
        if reading.session is None:
            return True
        given = reading.request.headers.get("x-csrf-token") or reading.form.get("csrf")
        return self._sessions.holds(reading.session, given)


def _missing(reading: Reading, missing: Missing) -> Response:
    if not missing.unseen:
        return _broken(reading, 503) if missing.status == 503 else _told(reading, missing.status, str(missing))
    return _told(reading, 404, "404") if reading.partial else reading.html("missing.html", 404)


def _broken(reading: Reading, status: int) -> Response:
    return _told(reading, status, _code())


def _code() -> str:
    """What a person can read out and the log has beside the error: the beginning of the trace's id."""
    return (tracing.current().traceparent or "")[3:11]


def _told(reading: Reading, status: int, code: str) -> Response:
    """A page; over a page that stands, a line, so that nothing that was typed is swept away."""
    title = f"n.{status}" if reading.words.known(f"n.{status}") else "n.500"
    return reading.html("_broken.html" if reading.partial else "broken.html", status, code=code, title=title)


def _expired(reading: Reading) -> Response:
    """A page goes to the door and comes back; a piece of one tells so over the page, where the writer's words stay."""
    if reading.partial:
        return reading.html("_expired.html", 401)
    if reading.request.method == "GET":
        return reading.away("/sign-in" if reading.here in ("/", "/c") else f"/sign-in?to={quote(reading.here)}")
    # A form that was sent by the browser itself: its page keeps the draft, so that page is where to come back to.
    page = urlsplit(reading.request.headers.get("referer", ""))
    back = f"{page.path}?{page.query}" if page.query else page.path
    return reading.away(f"/sign-in?expired=1&to={quote(back if page.netloc == reading.request.url.netloc else '/c')}")


async def _frame(_: Request) -> Response:
    """An empty document for previews: it runs nothing and may be styled inline."""
    headers = {"Content-Security-Policy": FRAME_POLICY, "X-Content-Type-Options": "nosniff"}
    return Response(PREVIEW, 200, headers, "text/html")
