"""The template environment: everything is escaped unless a template says otherwise, and none does for foreign text."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER: Final = Path(__file__).parent / "templates"


@cache
def environment() -> Environment:
    """One for the process; a name a template does not know is an error.

    Jinja comes with the first page: a gateway that only programs talk to never pays its 4 MB.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False, cache_size=200,
    )  # fmt: skip
    made.globals["icon"] = icon
    made.globals["sprite"] = Markup((FOLDER / "icons.svg").read_text().replace("\n", ""))  # noqa: S704 - our own drawing
    return made


def icon(name: str, look: str = "") -> Markup:
    """One of our drawings, silent for screen readers: the word stands beside it."""
    return Markup('<svg class="i {}" aria-hidden="true"><use href="#i-{}"/></svg>').format(look, name)
