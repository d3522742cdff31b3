"""Renders signature templates in a process of its own that may be killed: tenant-written Liquid is hostile input.

Started as ``python -m services.kit.liquid_child`` by ``kit.rendering``. A request is one job as JSON, ``{html, text,
values}`` (values: root → field → text) or ``{body}``; the answer is ``{html, text, …}``, the fields of ``Rendered``,
or ``{failed: {code, detail, part, line}}``. The pool that holds the process hands over many jobs at once and limits the
time and memory of each.

Liquid with python-liquid: no include, no render, no ``safe`` (https://jg-rp.github.io/liquid/); HTML values are
escaped, and what comes out is sanitised after substitution.
"""

from __future__ import annotations

import html as markup
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError, ResourceLimitError, UnknownFilterError

from contracts import limits
from services.kit.children import serve
from services.kit.liquid_variables import ALLOWED, advice
from services.kit.sanitiser import Cleaned, Profile, TooDeep, TooLarge, clean
from services.kit.text import to_text

_FORBIDDEN_TAGS: Final = ("include", "render")
_LINES: Final = re.compile(r"</?(?:p|div|br)>")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class _Environment(Environment):
    """Liquid with an end: output, loops, nesting and the size of assigned names are bounded."""

    output_stream_limit = limits.SIGNATURE_SIZE
    local_namespace_limit = limits.SIGNATURE_SIZE
    loop_iteration_limit = 2_000
    context_depth_limit = 10
    block_nesting_limit = 10


class _Refused(Exception):
    """A template asks for what it may not have."""

    def __init__(self, code: str, detail: str, line: int | None = None) -> None:
        super().__init__(detail)
        self.code, self.line = code, line


def _environment(*, escaping: bool) -> Environment:
    made = _Environment(autoescape=escaping)
    for tag in _FORBIDDEN_TAGS:
        made.tags.pop(tag)
    made.filters.pop("safe")
    return made


_ENVIRONMENTS: Final = {"html": _environment(escaping=True), "text": _environment(escaping=False)}


@lru_cache(maxsize=512)
def _parsed(part: str, source: str) -> BoundTemplate:
    template = _ENVIRONMENTS[part].from_string(source)
    for uses in template.analyze().globals.values():
        for used in uses:
            if ".".join(map(str, used.segments)) not in ALLOWED:
                line = used.span.line_col(source)[0]
                raise _Refused("unknown_variable", f"{used} is not known here. {advice(str(used))}", line)
    return template


def _fill(part: str, source: str, values: Mapping[str, Mapping[str, str]]) -> str:
    filled = _parsed(part, source).render(**values)
    return filled.replace("\r\n", "\n").replace("\r", "\n")


def _html(source: str, values: Mapping[str, Mapping[str, str]]) -> Cleaned:
    if not source.strip():
        return Cleaned("", 0)
    return clean(_fill("html", source, values), Profile.SIGNATURE)


def _text(source: str, values: Mapping[str, Mapping[str, str]]) -> str:
    return _CONTROL.sub("", _fill("text", source, values)).strip("\n").rstrip()


def _as_html(text: str) -> str:
    return markup.escape(text, quote=False).replace("\n", "<br>")


def render(job: Mapping[str, Any]) -> dict[str, Any]:
    """The result of one template; what is wrong with it is a value."""
    part = "html" if job["html"].strip() else "text"
    try:
        cleaned = _html(job["html"], job["values"])
        html = cleaned.html.strip()
        part = "text" if job["text"].strip() else part
        text = _text(job["text"], job["values"]) if job["text"].strip() else to_text(html)
        return {
            "html": html or _as_html(text), "text": text, "remote_images": cleaned.remote_images,
            "images": cleaned.images, "formatted": "<" in _LINES.sub("", html),
        }  # fmt: skip
    except _Refused as refused:
        return _failed(refused.code, str(refused), part, refused.line)
    except (TooLarge, TooDeep):
        return _failed("too_large", "It renders too much, or its elements nest too deeply. Make it simpler.", part)
    except ResourceLimitError as error:
        return _failed("too_large", "It renders too much. Take out loops, or make it shorter.", part, _line(error, job))
    except LiquidError as error:
        return _failed("syntax", _sentence(error), part, _line(error, job))


def _failed(code: str, detail: str, part: str, line: int | None = None) -> dict[str, Any]:
    return {"failed": {"code": code, "detail": detail, "part": part, "line": line}}


def _line(error: LiquidError, job: Mapping[str, Any]) -> int:
    where = error.context()
    return where[0] if where else (job["html"] or job["text"]).count("\n") + 1


def _sentence(error: LiquidError) -> str:
    said = str(error.message or "it is no Liquid template").split("\n")[0][:200]
    if isinstance(error, UnknownFilterError):
        return f"{said}. Take it out, or use a filter such as upcase, downcase, default or replace."
    return f"{said}. Close each {{{{ with }}}} and each {{% if %}} with {{% endif %}}."


def sanitise(body: str) -> dict[str, Any]:
    """A message's own HTML; remote images are held back as in what arrives."""
    try:
        cleaned = clean(body, Profile.INBOUND)
        return {"html": cleaned.html, "text": to_text(cleaned.html), "remote_images": cleaned.remote_images}
    except (TooLarge, TooDeep):
        return _failed("too_large", "It is too large, or its elements nest too deeply.", "html")


def work(request: bytes) -> bytes:
    """One job."""
    job = json.loads(request)
    return json.dumps(sanitise(job["body"]) if "body" in job else render(job)).encode()


if __name__ == "__main__":
    serve(work)
