"""Every route of REST and console as requests about given things, made from the tables that serve them.

A route is classified by what it names: ids in its path or body (made from the table), a list (shows what is one's
own), an id of the caller's own choice (`Trait.NAMED`), or nothing at all (`NAMES_NOTHING`, by hand). A new route that
fits none of these, or whose body nobody wrote down here, is an error: `rest` and `console` raise `Unclassified`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.gateway.adapters.endpoint import Endpoint, Trait
from services.gateway.adapters.rest_conversations import ReadBody
from services.gateway.adapters.rest_drafts import DraftBody
from services.gateway.adapters.rest_requests import (
    ChannelBody,
    OperatorBody,
    PolicyBody,
    PreviewBody,
    SendBody,
    StartBody,
    TemplateBody,
    TenantBody,
)
from services.gateway.app import compose
from services.gateway.console.door import Door
from services.gateway.console.pages import Page, pages
from services.gateway.routes import endpoints
from tests import builders
from tests.builders import Json
from tests.fakes.gateway_world import fake_ports

Ids = Mapping[str, str]
ENDPOINTS: Final = endpoints(compose(fake_ports()))
PAGES: Final = pages(Door(None, {}, ""))
IN_PATH: Final = re.compile(r"{(\w+)}")
BODIES: Final[Mapping[type, Callable[[Ids], Json]]] = {
    SendBody: lambda ids: builders.message(ids["conversation_id"]),
    StartBody: lambda ids: builders.conversation(ids["channel_id"], "x@client.test", first=builders.words()),
    PreviewBody: lambda ids: {"template": builders.signature(text="x"), "operator_id": ids["operator_id"]},
    ReadBody: lambda ids: {"message_id": ids["message_id"]},
    ChannelBody: lambda _: builders.channel(builders.server(2525, security="tls", host="1.1.1.1")),
    TemplateBody: lambda _: builders.signature(text="x"),
    PolicyBody: lambda _: {"operators_sign": True, "default_enabled": True},
    OperatorBody: lambda _: builders.operator("Eve"),
    TenantBody: lambda _: builders.tenant(name="Eve's"),
    DraftBody: lambda _: {"fields": {"text": ["x"]}},
}
NAMED_IN_BODY: Final[Mapping[type, str]] = {
    SendBody: "conversation_id", StartBody: "channel_id", PreviewBody: "operator_id", ReadBody: "message_id",
}  # fmt: skip
NAMES_NOTHING: Final = frozenset({"POST /v1/channels", "POST /v1/uploads", "GET /v1/events", "GET /v1/waiting"})
FORM: Final = {
    "subject": "s", "text": "t", "key": "k1", "html": "x", "name": "Owned", "do": "write", "client": "x@client.test",
    "on": "on", "operators_sign": "on", "picked": "default", "mode": "text", "purpose": "attachment",
}  # fmt: skip
"""What a browser might send to any of the console's forms."""
NAMED_IN_FORM: Final[Mapping[str, str]] = {
    "POST /c/new": "channel_id", "POST /c/{conversation_id}/read": "message_id",
}  # fmt: skip
PAGES_NAME_NOTHING: Final = frozenset({
    "GET /", "GET /sign-in", "POST /sign-in", "GET /sign-in/oidc", "GET /sign-in/callback", "POST /sign-out",
    "GET /language", "GET /live", "GET /c", "GET /c/new", "GET /settings/channels", "GET /settings/channels/new",
    "POST /settings/channels/new", "POST /drafts", "GET /settings/people", "POST /settings/people",
})  # fmt: skip
"""Those that show or change nothing but what is the reader's own."""


class Unclassified(AssertionError):
    """A route nobody has said anything about: say here what it names."""


@dataclass(frozen=True, slots=True)
class Line:
    """One route; `names` are the ids a request to it must give."""

    method: str
    path: str
    names: tuple[str, ...]
    endpoint: Endpoint | None = None
    page: Page | None = None

    @property
    def title(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    def at(self, ids: Ids) -> str:
        """The path of these ids."""
        return IN_PATH.sub(lambda found: ids[found[1]], self.path)

    def body(self, ids: Ids) -> Json | None:
        """A right body about these ids."""
        takes = self.endpoint.takes if self.endpoint else None
        return BODIES[takes](ids) if takes else None

    def form(self, ids: Ids) -> dict[str, str]:
        """A form about these ids."""
        name = NAMED_IN_FORM.get(self.title)
        return {**FORM, **({name: ids[name]} if name else {})}


@dataclass(frozen=True, slots=True)
class Table:
    """`foreign`: routes that name things; `own`: whose id the caller chooses; `lists`: that name nothing."""

    foreign: list[Line] = field(default_factory=list)
    own: list[Line] = field(default_factory=list)
    lists: list[Line] = field(default_factory=list)


def rest() -> Table:
    """The REST interface; raises Unclassified."""
    table = Table()
    for one in ENDPOINTS:
        if one.takes and one.takes not in BODIES:
            raise Unclassified(f"{one.method} {one.path}: no example of {one.takes.__name__}")
        in_body = NAMED_IN_BODY.get(one.takes) if one.takes else None
        names = [*IN_PATH.findall(one.path), *([in_body] if in_body else [])]
        line = Line(one.method, one.path, tuple(names), endpoint=one)
        if Trait.NAMED in one.traits or (one.method, one.path) == ("PUT", "/v1/drafts/{draft_name}"):
            table.own.append(line)
        elif names:
            table.foreign.append(line)
        elif (one.method == "GET" and Trait.PAGED in one.traits) or line.title in NAMES_NOTHING:
            table.lists.append(line)
        else:
            raise Unclassified(line.title)
    return table


def console() -> Table:
    """The console's pages; raises Unclassified."""
    table = Table()
    for one in PAGES:
        title = f"{one.method} {one.path}"
        names = [*IN_PATH.findall(one.path), *([NAMED_IN_FORM[title]] if title in NAMED_IN_FORM else [])]
        line = Line(one.method, one.path, tuple(names), page=one)
        if names:
            table.foreign.append(line)
        elif title in PAGES_NAME_NOTHING:
            table.lists.append(line)
        else:
            raise Unclassified(title)
    return table


def mixed(line: Line, own: Ids, foreign: Ids, unknown: Ids) -> Iterator[tuple[Ids, Ids]]:
    """Pairs of ids to ask with: all of somebody else's, and each alone among one's own; beside it what is unknown."""
    yield foreign, unknown
    if len(line.names) > 1:
        for name in line.names:
            yield {**own, name: foreign[name]}, {**own, name: unknown[name]}


def described(line: Line, ids: Ids) -> str:
    """For the message of an assertion."""
    return f"{line.title} { ({name: ids[name] for name in line.names}) }"
