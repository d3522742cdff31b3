"""Octets to text as mails need it: the declared charset, else UTF-8, else Windows-1252; never raises.

What cannot be decoded becomes U+FFFD, which the reader of the mail counts. Labels are read as browsers read them
(WHATWG Encoding: `iso-8859-1` is Windows-1252, `gb2312` is GB 18030 …), because mailers write what they display.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

_SAME_AS = {
    "iso88591": "cp1252",
    "ascii": "ascii",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shiftjis": "cp932",
    "euckr": "cp949",
    "ksc56011987": "cp949",
    "iso885911": "cp874",
    "iso88599": "cp1254",
    "iso2022jp": "iso2022_jp_ext",
    "big5": "big5hkscs",
    "tis620": "cp874",
    "xsjis": "cp932",
    "xgbk": "gb18030",
    "xunknown": "ascii",
    "unknown8bit": "ascii",
    "iso88598i": "iso8859_8",
    "iso88598e": "iso8859_8",
    "xmaccyrillic": "mac_cyrillic",
    "xmacroman": "mac_roman",
    "macintosh": "mac_roman",
    "utf8mb4": "utf-8",
}
# Codecs that are no charset of a mail; punycode and idna are also quadratic.
_NO_CHARSET = frozenset(["idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"])
_PUNCTUATION = re.compile(r"[^a-z0-9]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
_CONTROLS = bytes([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F])
_ASCII_BASED = frozenset(
    ["ascii", "utf-8", "cp1252", "iso8859-2", "iso8859-15", "cp1251", "koi8-r", "gb18030", "cp932"]
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
REPLACEMENT = "\ufffd"
_BOM = "\ufeff"


def decoded(octets: bytes, charset: str = "") -> str:
    """The text; `charset` is the label as the mail has it, or empty."""
    codec = codec_of(charset) if charset else "ascii"
    if codec in ("ascii", "utf-8"):
        return _unicode(octets)
    try:
        text = octets.decode(codec)
    except UnicodeError:
        try:
            return octets.decode().removeprefix(_BOM)
        except UnicodeError:
            text = octets.decode(codec, "replace")
    return _SURROGATES.sub(REPLACEMENT, text) if codec == "utf-7" else text  # the one that gives halves of characters


@lru_cache(maxsize=500)
def codec_of(charset: str) -> str:
    """Python's name of a charset label; `ascii` for one nobody knows."""
    label = charset.strip("\"' \t").partition(";")[0].strip().lower()[:40]
    for name in (_SAME_AS.get(_PUNCTUATION.sub("", label), label), label.removeprefix("x-")):
        try:
            found = codecs.lookup(name).name
            b"    ".decode(found, "replace")  # refuses what turns octets into octets
        except (LookupError, ValueError):
            continue
        return "ascii" if found in _NO_CHARSET else _SAME_AS.get(_PUNCTUATION.sub("", found), found)
    return "ascii"


def one_line(text: str) -> str:
    """Fit for a header: any run of white space and control characters is one space, none at the ends."""
    return _BREAKS.sub(" ", text).strip() if not text.isascii() or not text.isprintable() else text.strip()


def decoded_lines(octets: bytes, charset: str = "") -> str:
    """Text fit to be shown: line ends are LF, no control characters but TAB."""
    ascii_based = charset == "" or codec_of(charset) in _ASCII_BASED
    text = decoded(octets.translate(None, _CONTROLS) if ascii_based else octets, charset)
    if not ascii_based:
        text = _CONTROL.sub("", text)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _unicode(octets: bytes) -> str:
    """UTF-8; what is no UTF-8 is Windows-1252, unless most of it was UTF-8."""
    try:
        return octets.decode().removeprefix(_BOM)
    except UnicodeError:
        pass
    text = octets.decode("utf-8", "replace")
    broken = text.count(REPLACEMENT)
    if broken * 2 < len(text) - len(text.encode("ascii", "ignore")):
        return text
    return octets.decode("cp1252", "replace")
