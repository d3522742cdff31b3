"""The bodies of requests. Unknown fields are refused; a secret is never shown, not even in an error."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from contracts import limits
from contracts.addresses import Address, HeaderText
from contracts.channel import Auth, ChannelSettings, Policy, Security, SentCopy, Server
from contracts.payload import Id
from contracts.signature import SignatureMode, SignatureTemplate
from services.gateway.domain.content import Content
from services.gateway.domain.conversation import TOGETHER, Start
from services.gateway.domain.message import Person

Name = Annotated[HeaderText, StringConstraints(min_length=1, max_length=limits.NAME_LENGTH)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=4_096)]
WRITTEN = 8 * limits.MIB
"""A text and an HTML body of 1 MiB each, with JSON's escapes."""
_SECRET_NAME = {Auth.PASSWORD: "password", Auth.OAUTH2: "access_token"}


class Fields(BaseModel):
    """Known fields, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, defer_build=True)


class Body(Fields):
    """What a request may say."""

    largest: ClassVar[int] = 512 * limits.KIB
    """How many octets this body may have."""

    def parts(self) -> tuple[Any, ...]:
        """What the use case takes of it, in order."""
        raise NotImplementedError  # each body says its own


class TenantBody(Body):
    """What the platform enables for an organisation."""

    name: Name
    email_enabled: bool
    max_channels: int = Field(ge=0, le=100_000)

    def parts(self) -> tuple[Any, ...]:
        """Each field."""
        return self.name, self.email_enabled, self.max_channels


class OperatorBody(Body):
    """A person who writes for the tenant."""

    name: Name
    email: Address | None = None
    active: bool = True

    def parts(self) -> tuple[Any, ...]:
        """Each field."""
        return self.name, self.email, self.active


class ServerBody(Fields):
    """One direction of a channel; without ``secret`` the stored one stays, if nothing it is bound to changed."""

    host: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=253)]
    port: int = Field(ge=1, le=65_535)
    security: Security
    user_name: str = Field(min_length=1, max_length=320)
    auth: Auth = Auth.PASSWORD
    secret: Secret | None = None

    def server(self) -> Server:
        """Without the secret."""
        return Server(host=self.host, port=self.port, security=self.security, user_name=self.user_name, auth=self.auth)

    def opened(self) -> dict[str, str] | None:
        """The secret as it will be sealed."""
        return {_SECRET_NAME[self.auth]: self.secret.get_secret_value()} if self.secret is not None else None


class ChannelBody(Body):
    """A channel's settings, whole."""

    name: Name
    address: Address
    sender_name: HeaderText = Field(default="", max_length=limits.NAME_LENGTH)
    imap: ServerBody
    smtp: ServerBody
    write_first: bool = True
    undo_seconds: int = Field(default=limits.UNDO_DEFAULT, ge=0, le=limits.UNDO_MAX)
    per_minute: int | None = Field(default=None, ge=1, le=100_000)
    connections: int = Field(default=4, ge=1, le=20)
    policy: Literal["park", "resend"] = "park"
    sent_copy: Literal["auto", "always", "never"] = "auto"
    import_days: int = Field(default=0, ge=0, le=limits.IMPORT_DAYS)

    def parts(self) -> tuple[Any, ...]:
        """The settings without the secrets, and the secrets by direction."""
        settings = ChannelSettings(
            name=self.name, address=self.address, sender_name=self.sender_name, imap=self.imap.server(),
            smtp=self.smtp.server(), write_first=self.write_first, undo_seconds=self.undo_seconds,
            per_minute=self.per_minute, connections=self.connections, policy=Policy(self.policy),
            sent_copy=SentCopy(self.sent_copy), import_days=self.import_days,
        )  # fmt: skip
        return settings, {"imap": self.imap.opened(), "smtp": self.smtp.opened()}


class TemplateBody(Body):
    """A signature: ``text`` renders html and text (both empty: use the default one), ``none`` is no signature."""

    mode: Literal["text", "none"] = "text"
    html: str = Field(default="", max_length=limits.SIGNATURE_SIZE)
    text: str = Field(default="", max_length=limits.SIGNATURE_SIZE)

    def parts(self) -> tuple[Any, ...]:
        """The template as the contracts have it."""
        return (SignatureTemplate(mode=SignatureMode(self.mode), html=self.html, text=self.text),)


class PolicyBody(Body):
    """The two switches: do operators sign at all, and is the default signature used."""

    operators_sign: bool
    default_enabled: bool

    def parts(self) -> tuple[Any, ...]:
        """Each switch."""
        return self.operators_sign, self.default_enabled


class ClientBody(Fields):
    """A person an operator writes to."""

    address: Address
    name: HeaderText = Field(default="", max_length=limits.NAME_LENGTH)


class PreviewBody(Body):
    """A template, and for whom it is tried."""

    template: TemplateBody
    operator_id: Id | None = None
    client: ClientBody | None = None

    def parts(self) -> tuple[Any, ...]:
        """The template, the operator, and the example client's name and address."""
        client = (self.client.name, self.client.address) if self.client else ("Carla Dias", "carla@example.com")
        return (*self.template.parts(), self.operator_id, client)


class FirstMessageBody(Fields):
    """The first message of a conversation."""

    subject: str
    text: str | None = None
    html: str | None = None


class StartBody(Body):
    """Start a conversation. ``together``: one e-mail, everyone sees all addresses."""

    largest: ClassVar[int] = WRITTEN

    channel_id: Id
    clients: Annotated[tuple[ClientBody, ...], Field(min_length=1, max_length=limits.RECIPIENTS, strict=False)]
    message: FirstMessageBody | None = None
    mode: Literal["together"] = TOGETHER

    def parts(self) -> tuple[Any, ...]:
        """One wish."""
        first = self.message
        content = Content(first.subject, first.text, first.html) if first else None
        return (Start(self.channel_id, tuple(Person(one.address, one.name) for one in self.clients), content),)


class SendBody(Body):
    """A message into a conversation; without a subject it is a reply to the conversation's."""

    largest: ClassVar[int] = WRITTEN

    conversation_id: Id
    subject: str | None = None
    text: str | None = None
    html: str | None = None

    def parts(self) -> tuple[Any, ...]:
        """The conversation and what is written."""
        return self.conversation_id, Content(self.subject, self.text, self.html)
