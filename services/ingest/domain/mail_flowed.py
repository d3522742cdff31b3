"""Flowed text (RFC 3676) put back into paragraphs."""

from __future__ import annotations

from collections.abc import Mapping


def unflowed(text: str, params: Mapping[str, str]) -> str:
    """The text with soft line ends taken out, where its `format` is `flowed`; a quoted paragraph stays quoted."""
    if params.get("format", "").lower() != "flowed":
        return text
    glue = params.get("delsp", "").lower() == "yes"
    out: list[str] = []
    open_depth = -1  # of the paragraph that goes on, -1 for none
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        content = content[:-1] if flows and glue else content
        if depth == open_depth and content != "-- ":
            out[-1] += content
        else:
            out.append(f"{'>' * depth} {content}" if depth else content)
        open_depth = depth if flows else -1
    return "\n".join(out)
