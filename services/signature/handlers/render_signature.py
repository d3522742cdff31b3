"""The chosen signature for one message: rendered, or the next best thing. A message is never lost to a signature.

chosen version --fails--> last good version --fails--> the operator's plain name   (why: render_failed)
"""

from __future__ import annotations

import html as markup
from dataclasses import dataclass

from contracts.message import SignatureUsed
from contracts.signature import Why
from services.kit.rendering import EMPTY, Rendered, Variables
from services.signature.domain.resolving import Choice
from services.signature.domain.signature import Signature, subject
from services.signature.handlers.facts import told_template
from services.signature.ports import Renders


@dataclass(frozen=True, slots=True)
class Signed:
    """The block to place, and what the event says of it."""

    block: Rendered
    used: SignatureUsed


@dataclass(frozen=True)
class RenderSignature:
    """Renders through the same code as trial and preview."""

    renderer: Renders

    async def handle(self, channel_id: str, choice: Choice, variables: Variables) -> Signed:
        """Never raises for what the template is."""
        chosen, why = choice.signature, Why(choice.why)
        if chosen is None:
            return Signed(EMPTY, SignatureUsed(why=why))
        name = subject(channel_id, chosen.operator_id)
        outcome = await self.renderer.render(told_template(chosen.template), variables)
        if isinstance(outcome, Rendered):
            return Signed(outcome, SignatureUsed(id=name, version=chosen.version, why=why))
        return await self._instead(name, chosen, variables)

    async def _instead(self, name: str, chosen: Signature, variables: Variables) -> Signed:
        if chosen.previous is not None:
            outcome = await self.renderer.render(told_template(chosen.previous.template), variables)
            if isinstance(outcome, Rendered):
                version = chosen.previous.version
                return Signed(outcome, SignatureUsed(id=name, version=version, why=Why.RENDER_FAILED))
        plain = variables.operator_name
        block = Rendered(markup.escape(plain, quote=False), plain)
        return Signed(block, SignatureUsed(id=name, version=chosen.version, why=Why.RENDER_FAILED))
