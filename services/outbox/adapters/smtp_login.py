"""Logging in: one mechanism after the other until one is judged.

Not aiosmtplib's own `login`: it goes on after a refused password, which locks accounts, and reports what the *last*
mechanism said, which may be "unknown mechanism" and not "wrong password".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiosmtplib.errors import SMTPAuthenticationError

from contracts.channel import Auth
from contracts.channel_status import ConnectionReason
from services.outbox.adapters.smtp_client import Client
from services.outbox.adapters.smtp_wire import read_reply
from services.outbox.domain.replies import NotOpen, Reply, Stage

_NOT_THIS_ONE: Final = frozenset({500, 501, 502, 503, 504})
"""The server does not know the mechanism or the form of it: try the next."""
_EXPLICIT: Final = frozenset({530, 534, 535, 538})
_MECHANISMS: Final = ("plain", "login", "cram-md5")


async def log_in(client: Client, user_name: str, auth: Auth, secret: Mapping[str, str]) -> NotOpen | None:
    """None when logged in, else why not. Raises what aiosmtplib raises when the connection is lost.

    ``secret`` holds ``password`` or, for OAuth 2, ``access_token``.
    """
    given = secret.get("access_token" if auth is Auth.OAUTH2 else "password")
    if given is None:
        return NotOpen(Stage.LOGIN, ConnectionReason.SECRET_UNREADABLE)
    last: Reply | None = None
    for attempt in _attempts(client, auth):
        try:
            await attempt(user_name, given)
            return None
        except SMTPAuthenticationError as refused:
            last = read_reply(refused.code, refused.message)
        if last.code not in _NOT_THIS_ONE:
            return NotOpen(Stage.LOGIN, _reason(last), last)
    return NotOpen(Stage.LOGIN, ConnectionReason.PROTOCOL_ERROR, last)


def _attempts(client: Client, auth: Auth) -> list[Callable[[str, str], Awaitable[object]]]:
    ways: dict[str, Callable[[str, str], Awaitable[object]]] = {
        "plain": client.auth_plain,
        "login": client.auth_login,
        "cram-md5": client.auth_crammd5,
        "xoauth2": client.auth_xoauth2,
    }
    wanted = ("xoauth2",) if auth is Auth.OAUTH2 else _MECHANISMS
    return [ways[name] for name in wanted if name in client.server_auth_methods]


def _reason(reply: Reply) -> ConnectionReason:
    if reply.code < 500:
        return ConnectionReason.SERVER_UNAVAILABLE
    if reply.code in _EXPLICIT or reply.enhanced is not None:
        return ConnectionReason.AUTHENTICATION_FAILED
    return ConnectionReason.REFUSED_WITHOUT_CODE
