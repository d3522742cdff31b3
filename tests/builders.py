"""Bodies of REST requests, one function a resource: what a person would type, each part replaceable by name.

All knowledge of the shapes of requests is here and in `tests/e2e/desk.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]
PASSWORD = "correct horse battery"
IMAP_PORT = 993


def tenant(**changes: Any) -> Json:
    """What the platform enables."""
    return {"name": "Acme", "email_enabled": True, "max_channels": 50, **changes}


def operator(name: str = "Ana Prado", **changes: Any) -> Json:
    """A person who writes."""
    return {"name": name, "email": f"{name.split()[0].lower()}@desk.test", "active": True, **changes}


def server(port: int, secret: str | None = PASSWORD, **changes: Any) -> Json:
    """One direction of a channel; `secret` None keeps the stored one."""
    login: Json = {"host": "127.0.0.1", "port": port, "security": "none", "user_name": "desk", "auth": "password"}
    return {**login, **({"secret": secret} if secret is not None else {}), **changes}


def channel(smtp: Mapping[str, Any], **changes: Any) -> Json:
    """A mail account; `smtp` as `server` makes it."""
    return {
        "name": "Support",
        "address": "desk@desk.test",
        "sender_name": "The Desk",
        "smtp": dict(smtp),
        "imap": server(IMAP_PORT, security="tls"),
        "write_first": True,
        "undo_seconds": 0,
        **changes,
    }


def conversation(channel_id: str, *clients: str, first: Mapping[str, Any] | None = None, **changes: Any) -> Json:
    """Start with these clients, with or without a first message."""
    people = [{"address": address} for address in clients]
    return {"channel_id": channel_id, "clients": people, **({"message": dict(first)} if first else {}), **changes}


def words(subject: str = "About your order", text: str = "It leaves today.", **changes: Any) -> Json:
    """What is written: subject and body."""
    return {"subject": subject, "text": text, **changes}


def message(conversation_id: str, **changes: Any) -> Json:
    """A message into a conversation."""
    return {"conversation_id": conversation_id, **words(**changes)}


def signature(html: str = "", text: str = "", **changes: Any) -> Json:
    """A signature's template."""
    return {"mode": "text", "html": html, "text": text, **changes}


def recipients(number: int, stem: str = "client") -> Iterable[str]:
    """So many distinct addresses."""
    return (f"{stem}{n}@client.test" for n in range(number))
