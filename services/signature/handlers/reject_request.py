"""A wish that is not granted: its answer is stored first, and a wish that comes again gets the same one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.outcome import FieldError, RejectionCode
from services.kit.rendering import RenderFailed
from services.signature.handlers.facts import Wish, refusal_event
from services.signature.ports import Clock, Publishes, Rejections

_MEANWHILE: Final = "Somebody else changed this meanwhile. Read it again and repeat your change."


@dataclass(frozen=True)
class RejectRequest:
    """Answers with a refusal; used by the handlers of wishes."""

    rejections: Rejections
    publisher: Publishes
    clock: Clock

    async def again(self, wish: Wish) -> bool:
        """Whether this wish was refused before; if so, the answer is given again."""
        answer = await self.rejections.read(wish.tenant, wish.data.request_id)
        if answer is None:
            return False
        await self.publisher.publish(answer)
        return True

    async def no_channel(self, wish: Wish) -> None:
        """The channel is unknown or removed."""
        detail = "There is no such channel."
        answer = refusal_event(wish, RejectionCode.NOT_FOUND, detail, self.clock.now())
        await self.rejections.write(wish.tenant, wish.data.request_id, answer)

    async def mismatch(self, wish: Wish, current: int) -> None:
        """It lost against another change."""
        code, now = RejectionCode.VERSION_MISMATCH, self.clock.now()
        answer = refusal_event(wish, code, _MEANWHILE, now, current_version=current)
        await self.rejections.write(wish.tenant, wish.data.request_id, answer)

    async def broken(self, wish: Wish, failed: RenderFailed) -> None:
        """The template could not be rendered; the answer names the line and what to change."""
        fault = FieldError(field=f"template.{failed.part}", code=failed.code, detail=failed.reason)
        detail, now = "The signature can't be rendered.", self.clock.now()
        answer = refusal_event(wish, RejectionCode.INVALID, detail, now, errors=(fault,))
        await self.rejections.write(wish.tenant, wish.data.request_id, answer)
