"""Signature templates rendered: the one code behind composing, trial rendering on save, and preview.

    renderer = Renderer(pool())             # a ChildPool around services.kit.liquid_child
    outcome = await renderer.render(template, Variables(operator_name="Ana", client_name="Rui"))
    match outcome:
        case Rendered(html=html, text=text): ...       # both are always there, both empty for an empty template
        case RenderFailed(code, detail, part, line): ...  # code: syntax | unknown_variable | too_large | too_slow |
                                                          # failed; detail says what to change
    await renderer.close()

Rendered HTML is sanitised, values in it are escaped. Limits: 200 ms of CPU, 64 KiB out (DESIGN §4). What was
rendered is remembered by template and by the values it can see, so most messages never reach the child.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from contracts import limits
from contracts.signature import SignatureMode, SignatureTemplate
from services.kit.children import ChildPool, Killed
from services.kit.liquid_variables import Variables, mentioned

__all__ = ["RenderFailed", "Rendered", "Renderer", "Variables", "pool"]

REMEMBERED: Final = 8 * limits.MIB
_MEMORY: Final = 512 * limits.MIB
_OUTPUT: Final = 8 * limits.MIB
_Key = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One signature for one message, as HTML and as text.

    ``images``: the uploaded images the HTML shows, as blob ids; ``remote_images`` counts others, which were taken out;
    ``formatted``: the HTML says more than lines of text could.
    """

    html: str
    text: str
    remote_images: int = 0
    images: tuple[str, ...] = ()
    formatted: bool = False


@dataclass(frozen=True, slots=True)
class RenderFailed:
    """Why a template could not be rendered; ``part`` is ``html`` or ``text``, ``line`` counts from 1."""

    code: str
    detail: str
    part: str = "html"
    line: int | None = None

    @property
    def reason(self) -> str:
        """One sentence for people, with the line where there is one."""
        return f"Line {self.line}: {self.detail}" if self.line else self.detail


EMPTY: Final = Rendered("", "")
REMOTE_IMAGE: Final = RenderFailed(
    "remote_image", "Images from elsewhere can't be sent. Take out the <img>, and upload the image."
)
UNKNOWN_IMAGE: Final = RenderFailed("unknown_image", "There is no such image. Upload it again.")
TOO_MANY_IMAGES: Final = RenderFailed(
    "too_many_images", f"A signature shows at most {limits.SIGNATURE_IMAGES} images. Take some out."
)


def pool(*, size: int = 1) -> ChildPool:
    """The killable children, each request limited to 200 ms of CPU."""
    return ChildPool(
        "services.kit.liquid_child",
        size=size,
        seconds=limits.SIGNATURE_CPU_MS / 1000,
        memory_bytes=_MEMORY,
        output_bytes=_OUTPUT,
    )


class Renderer:
    """Renders through a pool of children, and remembers."""

    def __init__(self, children: ChildPool) -> None:
        self._children = children
        self._known: OrderedDict[_Key, Rendered] = OrderedDict()
        self._asking: dict[_Key, asyncio.Task[Rendered | RenderFailed]] = {}
        self._size = 0

    async def render(self, template: SignatureTemplate, variables: Variables) -> Rendered | RenderFailed:
        """The signature for these values; never raises for what the template is."""
        if template.mode == SignatureMode.NONE or not (template.html.strip() or template.text.strip()):
            return EMPTY
        values = variables.of(mentioned(template.html + template.text))
        key = (template.html, template.text, tuple((f"{r}.{n}", v) for r, of in values.items() for n, v in of.items()))
        if (known := self._known.get(key)) is not None:
            self._known.move_to_end(key)
            return known
        asking = self._asking.get(key)
        if asking is None:
            job: dict[str, object] = {"html": template.html, "text": template.text, "values": values}
            asking = self._asking[key] = asyncio.create_task(self._render(key, job))
        return await asyncio.shield(asking)

    async def clean(self, body: str) -> Rendered | RenderFailed:
        """A message's HTML body, sanitised, and its text."""
        return await self._ask({"body": body})

    async def close(self) -> None:
        """Ends the children."""
        await self._children.close()

    async def _render(self, key: _Key, job: dict[str, object]) -> Rendered | RenderFailed:
        try:
            outcome = await self._ask(job)
        finally:
            del self._asking[key]
        if isinstance(outcome, Rendered):
            self._remember(key, outcome)
        return outcome

    async def _ask(self, job: dict[str, object]) -> Rendered | RenderFailed:
        answer = await self._children.call(json.dumps(job).encode())
        if isinstance(answer, Killed):
            return _killed(answer)
        found = json.loads(answer)
        if "failed" in found:
            return RenderFailed(**found["failed"])
        return Rendered(**{**found, "images": tuple(found.get("images", ()))})

    def _remember(self, key: _Key, rendered: Rendered) -> None:
        self._known[key] = rendered
        self._size += _weight(key, rendered)
        while self._size > REMEMBERED:
            self._size -= _weight(*self._known.popitem(last=False))


def _weight(key: _Key, rendered: Rendered) -> int:
    return 500 + len(key[0]) + len(key[1]) + len(rendered.html) + len(rendered.text)


def _killed(killed: Killed) -> RenderFailed:
    if killed.reason in ("cpu", "wall"):
        return RenderFailed("too_slow", f"It takes longer than {limits.SIGNATURE_CPU_MS} ms. Take out loops.")
    if killed.reason in ("memory", "output"):
        return RenderFailed("too_large", "It renders too much. Take out loops, or make it shorter.")
    return RenderFailed("failed", "It could not be rendered. Make it simpler.")
