"""Killable child processes. The service holds a `ChildPool`; the child's module calls `children.serve(handler)`.

The pool is loaded only when asked for: a child that imports this module pays for its own side alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.kit.child_loop import serve

if TYPE_CHECKING:
    from services.kit.child_pool import ChildPool
    from services.kit.child_process import Killed

__all__ = ["ChildPool", "Killed", "serve"]


def __getattr__(name: str) -> Any:
    if name == "ChildPool":
        from services.kit.child_pool import ChildPool

        return ChildPool
    if name == "Killed":
        from services.kit.child_process import Killed

        return Killed
    raise AttributeError(name)
