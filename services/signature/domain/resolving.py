"""Who signs: ``resolve`` (DESIGN §4).

    operators do not sign          -> none           (operators_do_not_sign)
    own, explicitly none           -> none           (no_signature)
    own, not empty                 -> own            (own)
    else default enabled, not empty-> default        (default)
    else                           -> none           (none)

A message without an operator, or of one who is not active any more, is signed as if its operator had none of
their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.signature.domain.signature import ChannelSignatures, Signature


@dataclass(frozen=True, slots=True)
class Choice:
    """The signature a message gets, or None, and why."""

    signature: Signature | None
    why: str


def resolve(channel: ChannelSignatures, operator_id: str | None, *, active: bool = True) -> Choice:
    """Which signature a message of this operator carries, and why."""
    if not channel.switches.operators_sign:
        return Choice(None, "operators_do_not_sign")
    own = channel.by_operator.get(operator_id) if operator_id is not None and active else None
    if own is not None and own.template.mode == "none":
        return Choice(None, "no_signature")
    if own is not None and not own.template.empty:
        return Choice(own, "own")
    default = channel.by_operator.get(None) if channel.switches.default_enabled else None
    if default is None or default.template.empty or default.template.mode == "none":
        return Choice(None, "none")
    return Choice(default, "default")
