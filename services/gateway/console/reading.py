"""One request of a person at the console: who, in which language and zone, what they typed, and how it is answered."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.gateway.adapters.problems import STATUS
from services.gateway.adapters.rest import read_body
from services.gateway.console.catalogue import Words, chosen, words
from services.gateway.console.desk import Desk
from services.gateway.console.listing import Alike
from services.gateway.console.moments import Moments, zone_of
from services.gateway.console.sessions import Session, Sessions
from services.gateway.console.templates import environment
from services.gateway.domain.answers import Pending
from services.gateway.domain.refusal import Code, Refused
from services.gateway.domain.who import Principal

LARGEST: Final = 4 * 1024 * 1024
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Language, Cookie, HX-Request",
}  # fmt: skip


@dataclass(slots=True)
class Reading:
    """``form`` holds the first value of each field, ``lists`` all of them; ``shown`` what every template sees.

    ``policy``: what a page may load, run and send to; ``alike``: what open pages have in common.
    """

    request: Request
    desk: Desk
    sessions: Sessions
    session: Session | None = None
    form: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    policy: str = CSP
    alike: Alike = field(default_factory=Alike)

    @property
    def who(self) -> Principal:
        """The person; only where a session is certain."""
        if self.session is None:
            raise LookupError("nobody has signed in")
        return self.session.who

    @property
    def words(self) -> Words:
        """In the reader's language."""
        request = self.request
        return words(chosen(request.cookies.get("malote-lang"), request.headers.get("accept-language", "")))

    @property
    def moments(self) -> Moments:
        """In the reader's zone."""
        return Moments(self.words, zone_of(self.zone), datetime.now(UTC))

    @property
    def zone(self) -> str:
        """Its name, as the browser told it."""
        return self.request.cookies.get("malote-zone", "")

    @property
    def partial(self) -> bool:
        """Whether the page's script asked for a piece of it."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def here(self) -> str:
        """This very page, for coming back to it."""
        url = self.request.url
        return f"{url.path}?{url.query}" if url.query else url.path

    async def read_form(self) -> None:
        """What was typed; raises Stop where it is too much."""
        raw = await read_body(self.request, LARGEST)
        self.lists = parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=2_000)
        self.form = {name: values[0] for name, values in self.lists.items()}

    async def ask(
        self, line: str, *ids: str, body: Mapping[str, Any] | None = None, query: Mapping[str, str] | None = None,
        key: str | None = None, version: str | None = None, after: str | None = None,
    ) -> Any:  # fmt: skip
        """See ``Desk.ask``."""
        return await self.desk.ask(self.who, line, *ids, body=body, query=query, key=key, version=version, after=after)

    async def need(self, line: str, *ids: str, query: Mapping[str, str] | None = None) -> Any:
        """A resource without which there is no page; raises ``Missing``."""
        found = await self.ask(line, *ids, query=query)
        if isinstance(found, Refused | Pending):
            raise Missing(found)
        return found

    def render(self, template: str, **values: Any) -> str:
        """The template with what every template sees."""
        moments = self.moments
        known = {
            "t": self.words, "lang": self.words.language, "moments": moments,
            "path": self.request.url.path, "here": self.here,
            "query": self.request.query_params, "may": self.session.who.may if self.session else (lambda *_: False),
            "csrf": self.sessions.csrf(self.session) if self.session else "", "session": self.session,
        }  # fmt: skip
        return environment().get_template(template).render({**known, **self.shown, **values})

    def html(
        self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
    ) -> Response:
        """An answer of HTML."""
        return self.text(self.render(template, **values), status, headers)

    def text(self, content: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """An answer of HTML that is rendered already; small on the wire."""
        body, extra = content.encode(), dict(headers or {})
        if len(body) > 1_024 and "gzip" in self.request.headers.get("accept-encoding", ""):
            body, extra = gzip.compress(body, 5), {**extra, "Content-Encoding": "gzip"}
        return Response(body, status, {**HEADERS, "Content-Security-Policy": self.policy, **extra}, "text/html")

    def away(self, to: str) -> Response:
        """Go there: by the browser, or by the page's script."""
        if self.partial:
            return Response(status_code=200, headers={**HEADERS, "HX-Redirect": to})
        return RedirectResponse(to, 303, HEADERS)


class Missing(Exception):
    """A page that cannot be shown because something it is about was refused."""

    def __init__(self, refused: Refused | Pending) -> None:
        super().__init__(refused.code if isinstance(refused, Refused) else "pending")
        self.refused = refused

    @property
    def status(self) -> int:
        """As a program would be answered."""
        return STATUS[self.refused.code] if isinstance(self.refused, Refused) else 503

    @property
    def unseen(self) -> bool:
        """Whether there is nothing, or nothing for this reader."""
        return isinstance(self.refused, Refused) and self.refused.code in (Code.NOT_FOUND, Code.INVALID)
