"""The tokens of HTML, by one regular expression that reads exactly as the HTML standard says (section 13.2.5).

The states that it does not know are kept out by `html_prepared`, which renames the elements that switch to them.
"""

from __future__ import annotations

import re
from typing import Final

WS: Final = r"\t\n\f\r "
"""White space between attributes, for a character class."""
_ATTRIBUTE = (
    rf"[^{WS}/>][^{WS}/>=]*+"
    rf"(?>(?:[{WS}]*+=[{WS}]*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|(?=>)|[^{WS}>\"'][^{WS}>]*+))?)"
)
TOKEN: Final = re.compile(
    r"<(?:!--(?:-?>|[\s\S]*?(?:--!?>|\Z))"  # a comment
    r"|[!?][^>]*+>?|/(?![a-zA-Z])[^>]*+>?"  # doctype, bogus comment
    rf"|(/?)([a-zA-Z][^{WS}/>]*+)((?>(?:[{WS}/]++|{_ATTRIBUTE})*))(?:>|\Z))"  # a tag
)
"""Splits HTML into text and tags: groups `/` for an end tag, name, attributes; all None for a comment."""
ATTRIBUTES: Final = re.compile(_ATTRIBUTE)
"""Finds each attribute of a tag's."""
NAMES: Final = re.compile(rf"</?([a-zA-Z][^{WS}/>]*+)")
"""Finds the name of each tag, and of whatever else looks like one."""
