"""Foreign HTML made fit to be shown: the one sanitiser, with a profile for what arrived and one for signatures.

Run it on inbound mail only inside a killable child; its own caps (`html_guard`) keep every known attack on the parser
out, the child is for the unknown ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import nh3

from services.kit.html_guard import TooDeep, TooLarge, looked_through
from services.kit.html_tokens import ATTRIBUTES
from services.kit.images import blob_of, content_id

__all__ = ["Cleaned", "Profile", "TooDeep", "TooLarge", "clean"]


class Profile(Enum):
    """What the HTML is for; the value is how many octets are taken."""

    INBOUND = 1 << 20
    """A received body: remote images become placeholders, their address in `data-remote-src`, for a reader to load."""
    SIGNATURE = 64 << 10
    """A tenant's signature: images are uploaded ones; all others are taken out, and counted so that it can be told."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Harmless HTML, how many remote images it referred to, and the uploaded ones it shows (blob ids, each once)."""

    html: str
    remote_images: int
    images: tuple[str, ...] = ()


def _words(text: str) -> set[str]:
    return set(text.split())


_PLACEHOLDER = "remote-image:"
_SCHEMES = {
    Profile.INBOUND: {"http", "https", "mailto", "tel", "cid"},
    # The last three never leave: `_image` sees them, turns ours into a cid and counts the others.
    Profile.SIGNATURE: {"http", "https", "mailto", "tel", "blob", "cid", "data"},
}
_TAGS = _words(
    "a abbr address b big blockquote br caption center cite code col colgroup dd del div dl dt em font h1 h2 h3 h4 h5 "
    "h6 hr i img ins li ol p pre q s small span strike strong sub sup table tbody td tfoot th thead tr tt u ul"
)
_DROPPED_WITH_CONTENT = {"x-script", "x-style", "x-title", "x-svg", "x-math", "x-template"}
_SIZED = {"width", "height", "align", "valign", "bgcolor"}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"style", "dir", "lang", "align", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height", "border"},
    "table": {"border", "cellpadding", "cellspacing", *_SIZED},
    "td": {"colspan", "rowspan", "nowrap", *_SIZED},
    "th": {"colspan", "rowspan", "nowrap", *_SIZED},
    "tr": _SIZED,
    "col": {"span", *_SIZED},
    "font": {"color", "face", "size"},
    "ol": {"start", "type"},
    "hr": {"width", "size", "color"},
}
_STYLES = _words(
    "color background-color font font-family font-size font-style font-weight line-height letter-spacing text-align "
    "text-decoration text-indent text-transform vertical-align white-space word-break width max-width height margin "
    "margin-top margin-right margin-bottom margin-left padding padding-top padding-right padding-bottom padding-left "
    "border border-top border-right border-bottom border-left border-collapse border-color border-style border-width "
    "border-spacing border-radius direction"
)
_LINK = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_STYLE_TRICKS = re.compile(r"url|image|expression|import|attr|var|env|[\\@<]|/\*", re.IGNORECASE)
_SMALL_NUMBERS = frozenset(["colspan", "rowspan", "span", "start", "border", "cellpadding", "cellspacing"])
_AS_IT_IS = frozenset(["width", "height", "align", "valign", "bgcolor", "color", "face", "size", "dir", "alt"])
_LONG_STYLE = 500
_BLANKS = "\t\n\f\r "
_SMALL = re.compile(r"[0-9]{1,3}")


def clean(html: str, profile: Profile) -> Cleaned:
    """Sanitised HTML in the profile's sense; raises `TooLarge` or `TooDeep` instead of starting what may not end."""
    text, tags = looked_through(html, profile.value)
    if all(map(_harmless, {attributes for _, _, attributes in tags})):
        return Cleaned(_bare(profile).clean(text), 0)
    cleaner, remote, images = _cleaner(profile)
    remote.clear()
    images.clear()
    cleaned = cleaner.clean(text)
    # Attribute values are serialised with " escaped, so this text can only be the start of an attribute, or plain text.
    cleaned = cleaned.replace(f' src="{_PLACEHOLDER}', ' data-remote-src="')
    return Cleaned(cleaned, len(remote), tuple(images))


@lru_cache
def _cleaner(profile: Profile) -> tuple[nh3.Cleaner, list[str], dict[str, None]]:
    """The profile's cleaner, and where it notes remote and named images: a child has one thread, and making a cleaner
    costs a tenth of what it is used for."""
    remote: list[str] = []
    images: dict[str, None] = {}
    return _made(profile, _filter(remote, images, profile)), remote, images


@lru_cache
def _bare(profile: Profile) -> nh3.Cleaner:
    """The same without a look at each attribute from here: that look costs a third of the whole."""
    return _made(profile, None)


def _made(profile: Profile, keep: Callable[[str, str, str], str | None] | None) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags=_DROPPED_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=keep,
        url_schemes=_SCHEMES[profile],
        url_relative="deny",
        filter_style_properties=_STYLES,
        link_rel="noopener noreferrer nofollow",
    )


@lru_cache(maxsize=2_000)  # nearly all come again and again in a mail
def _harmless(attributes: str) -> bool:
    """Whether `keep` would keep each of a tag's attributes as it is (or the cleaner knows without it that it must go):
    no image, no trick in a style, no strange number or address."""
    if len(attributes) > _LONG_STYLE:
        return False
    for each in ATTRIBUTES.findall(attributes):
        name, _, value = each.partition("=")
        name, value = name.strip().lower(), value.strip(_BLANKS)
        if value[:1] in ("'", '"'):
            value = value[1:].removesuffix(value[0])
        if name == "src" or (name == "style" and (not value or "&" in value or _STYLE_TRICKS.search(value))):
            return False
        if (name == "href" and not _LINK.match(value)) or (name in _SMALL_NUMBERS and not _SMALL.fullmatch(value)):
            return False
    return True


def _filter(remote: list[str], images: dict[str, None], profile: Profile) -> Callable[[str, str, str], str | None]:
    def keep(tag: str, attribute: str, value: str) -> str | None:
        if attribute in _AS_IT_IS:
            return value
        if attribute == "style":
            return _style(value) if len(value) < _LONG_STYLE else _style.__wrapped__(value)
        if attribute == "src":
            return _image(value, remote) if profile is Profile.INBOUND else _uploaded(value, remote, images)
        if attribute == "href":
            return value if _LINK.match(value) else None
        if attribute in _SMALL_NUMBERS:
            return value if _SMALL.fullmatch(value) else None
        return value

    return keep


@lru_cache(maxsize=2_000)  # the same few come again and again in a mail
def _style(value: str) -> str | None:
    return ";".join(part for part in value.split(";") if not _STYLE_TRICKS.search(part)) or None


def _image(address: str, remote: list[str]) -> str | None:
    if address[:4].lower() == "cid:":
        return address
    if address[:5].lower() not in ("http:", "https"):
        return None
    remote.append(address)
    return _PLACEHOLDER + address


def _uploaded(address: str, others: list[str], images: dict[str, None]) -> str | None:
    blob_id = blob_of(address)
    if blob_id is None:
        others.append(address)
        return None
    images[blob_id] = None
    return f"cid:{content_id(blob_id)}"
