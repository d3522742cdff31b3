"""Everything that can wake signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.channel import ChannelChanged
from contracts.message import SendRequested
from contracts.operator import OperatorChanged
from contracts.signature import (
    SignatureChanged,
    SignatureChangeRequested,
    SignaturePolicyChanged,
    SignaturePolicyChangeRequested,
)
from contracts.tenant import TenantChanged
from contracts.topics import CHANNELS, OPERATORS, SEND_REQUESTS, SIGNATURE_REQUESTS, SIGNATURES, TENANTS
from services.kit.consume import On
from services.kit.loops import Loop
from services.kit.relay import Relay
from services.kit.runtime import Routes
from services.signature.handlers.change_policy import ChangePolicy
from services.signature.handlers.change_signature import ChangeSignature
from services.signature.handlers.compose_message import ComposeMessage
from services.signature.handlers.keep_copies import KeepCopies
from services.signature.handlers.keep_images import KeepImages
from services.signature.handlers.watch_topic import WatchTopic

RELAY_S: Final = 2.0
IMAGES_S: Final = 60.0


@dataclass(frozen=True)
class Handlers:
    """The use cases, composed."""

    compose: ComposeMessage
    change_signature: ChangeSignature
    change_policy: ChangePolicy
    copies: KeepCopies
    watch: WatchTopic
    images: KeepImages


def routes(use: Handlers, relays: Sequence[Relay]) -> Routes:
    """Topics and loops with the handler that answers each."""
    send = On("send", (SEND_REQUESTS,), {SendRequested: use.compose.begin})
    requests = On(
        "requests", (SIGNATURE_REQUESTS,),
        {
            SignatureChangeRequested: use.change_signature.handle,
            SignaturePolicyChangeRequested: use.change_policy.handle,
        },
    )  # fmt: skip
    copies = On(
        "copies", (CHANNELS, OPERATORS, TENANTS),
        {
            ChannelChanged: use.copies.channel,
            OperatorChanged: use.copies.operator,
            TenantChanged: use.copies.tenant,
        },
        forget=use.copies.forget,
    )  # fmt: skip
    own = On("own", (SIGNATURES,), {SignatureChanged: use.watch.signature, SignaturePolicyChanged: use.watch.policy})
    sweeps = tuple(Loop(f"relay-{n}", relay.sweep, RELAY_S) for n, relay in enumerate(relays))
    keep = Loop("keep-images", use.images.handle, IMAGES_S)
    return Routes(events=(send, requests, copies, own), loops=(*sweeps, keep))
