"""Every page and piece of the console: method, path, and what answers; one screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.responses import Response

from services.gateway.console import channels, conversations, drafts, live, messages, signatures, staff, starting
from services.gateway.console.door import Door
from services.gateway.console.reading import Reading

Answer = Callable[[Reading], Awaitable[Any]]


class Page(NamedTuple):
    """``open``: without a session; ``file``: the body is one, not a form.

    Whatever is no GET carries a CSRF token where there is a session.
    """

    method: str
    path: str
    answer: Answer
    open: bool = False
    file: bool = False


async def home(reading: Reading) -> Response:
    """The list."""
    return reading.away("/c")


def pages(door: Door) -> tuple[Page, ...]:
    """The table."""
    return (*_coming(door), *_talking(), *_settings())


def _coming(door: Door) -> tuple[Page, ...]:
    return (
        Page("GET", "/", home),
        Page("GET", "/sign-in", door.show, True),
        Page("POST", "/sign-in", door.as_person, True),
        Page("GET", "/sign-in/oidc", door.begin, True),
        Page("GET", "/sign-in/callback", door.finish, True),
        Page("POST", "/sign-out", door.out),
        Page("GET", "/language", door.language, True),
        Page("GET", "/live", live.live),
        Page("POST", "/drafts", drafts.keep),
    )


def _talking() -> tuple[Page, ...]:
    talk, said = "/c/{conversation_id}", "/c/{conversation_id}/m/{message_id}"
    return (
        Page("GET", "/c", conversations.show_list),
        Page("GET", "/c/new", starting.form),
        Page("POST", "/c/new", starting.start),
        Page("GET", talk, conversations.show),
        Page("POST", f"{talk}/send", conversations.send),
        Page("POST", f"{talk}/hide", conversations.hide),
        Page("POST", f"{talk}/attended", conversations.attended),
        Page("POST", f"{talk}/read", conversations.read),
        Page("GET", said, messages.eye),
        Page("GET", f"{said}/body", messages.body),
        Page("POST", f"{said}/interrupt", messages.interrupt),
        Page("POST", f"{said}/again", messages.again),
        Page("POST", f"{said}/mark", messages.mark),
        Page("POST", f"{said}/hide", messages.hide),
        Page("POST", "/unreadable/{message_id}/hide", conversations.hide_aside),
        Page("GET", "/files/{blob_id}", messages.file),
    )


def _settings() -> tuple[Page, ...]:
    accounts, one = "/settings/channels", "/settings/channels/{channel_id}"
    return (
        Page("GET", "/settings/people", staff.show),
        Page("POST", "/settings/people", staff.save),
        Page("GET", accounts, channels.show),
        Page("GET", f"{accounts}/new", channels.settings),
        Page("POST", f"{accounts}/new", channels.save),
        Page("GET", one, signatures.show),
        Page("POST", one, signatures.save),
        Page("POST", f"{one}/policy", signatures.switch),
        Page("POST", f"{one}/preview", signatures.preview),
        Page("POST", f"{one}/picture", signatures.picture, file=True),
        Page("GET", f"{one}/settings", channels.settings),
        Page("POST", f"{one}/settings", channels.save),
        Page("GET", f"{one}/settle", channels.settle),
        Page("POST", f"{one}/reconnect", channels.reconnect),
        Page("POST", f"{one}/remove", channels.remove),
        Page("POST", f"{one}/write-first", channels.write_first),
    )
