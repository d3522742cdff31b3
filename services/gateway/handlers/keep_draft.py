"""Keep what somebody is writing, so that it is there in any browser they sign in with, and in none after they left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.gateway.domain.draft import LARGEST, LIFE, Draft, named_well, size_of
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused
from services.gateway.domain.who import Principal
from services.gateway.ports import Drafts, Now

TOO_LARGE = Refused(Code.TOO_LARGE, f"The fields of a draft have at most {LARGEST} octets together.")


@dataclass(frozen=True, slots=True)
class KeepDraft:
    """A draft belongs to the caller's ``sub`` within the tenant; the last who writes it wins."""

    drafts: Drafts
    clock: Now

    async def read(self, who: Principal, name: str) -> Draft | Refused:
        """What was kept last."""
        return await self.drafts.get(who.tenant, who.sub, name) or NOT_FOUND

    async def handle(self, who: Principal, name: str, fields: Mapping[str, tuple[str, ...]]) -> Draft | Refused:
        """Keeps these fields; without any the draft is forgotten."""
        if not named_well(name):
            return NOT_FOUND
        if size_of(fields) > LARGEST:
            return TOO_LARGE
        draft = Draft(name, fields, self.clock.now())
        if fields:
            await self.drafts.put(who.tenant, who.sub, draft, draft.at + LIFE)
        else:
            await self.drafts.drop(who.tenant, who.sub, name)
        return draft
