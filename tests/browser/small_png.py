"""Makes a picture of a page small: few colours, one byte a pixel (PNG, ISO/IEC 15948; no library needed for that).

small(raw) -> raw        8-bit RGB or RGBA without interlacing, as browsers write it
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from typing import Final

SIGN: Final = b"\x89PNG\r\n\x1a\n"
MOST: Final = 256


def small(raw: bytes) -> bytes:
    """The same picture with a palette: its commonest colours as they are, each rare one as the nearest of these."""
    width, height, pixels = decoded(raw)
    colours = [pixels[at : at + 3] for at in range(0, len(pixels), 3)]
    counted = Counter(colours)
    palette = [colour for colour, _ in counted.most_common(MOST)]
    places = {colour: n for n, colour in enumerate(palette)}
    for colour in counted:
        if colour not in places:
            places[colour] = min(range(len(palette)), key=lambda n: _distance(colour, palette[n]))
    return _encoded(width, height, bytes(map(places.__getitem__, colours)), b"".join(palette))


def _distance(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def decoded(raw: bytes) -> tuple[int, int, bytes]:
    """Width, height and the RGB octets."""
    packed, at = b"", len(SIGN)
    width = height = kind = 0
    while at < len(raw):
        size, name = struct.unpack(">I4s", raw[at : at + 8])
        body = raw[at + 8 : at + 8 + size]
        if name == b"IHDR":
            width, height, depth, kind, _, _, laced = struct.unpack(">IIBBBBB", body)
            if depth != 8 or kind not in (2, 6) or laced:
                raise ValueError("only plain 8-bit RGB and RGBA")
        packed += body if name == b"IDAT" else b""
        at += size + 12
    wide = 4 if kind == 6 else 3
    lines = _unfiltered(zlib.decompress(packed), width * wide, wide)
    if wide == 4:
        lines = b"".join(lines[n : n + 3] for n in range(0, len(lines), 4))
    return width, height, lines


def _unfiltered(packed: bytes, stride: int, wide: int) -> bytes:
    """Section 9: each line says how it was predicted."""
    before, found = bytearray(stride), bytearray()
    for start in range(0, len(packed), stride + 1):
        line = bytearray(packed[start + 1 : start + 1 + stride])
        match packed[start]:
            case 1:
                for n in range(wide, stride):
                    line[n] = line[n] + line[n - wide] & 255
            case 2:
                for n in range(stride):
                    line[n] = line[n] + before[n] & 255
            case 3:
                for n in range(stride):
                    line[n] = line[n] + ((line[n - wide] if n >= wide else 0) + before[n] >> 1) & 255
            case 4:
                for n in range(stride):
                    left, corner = (line[n - wide], before[n - wide]) if n >= wide else (0, 0)
                    line[n] = line[n] + _nearest(left, before[n], corner) & 255
        found += line
        before = line
    return bytes(found)


def _nearest(left: int, above: int, corner: int) -> int:
    """Paeth's predictor."""
    guess = left + above - corner
    by_left, by_above, by_corner = abs(guess - left), abs(guess - above), abs(guess - corner)
    if by_left <= by_above and by_left <= by_corner:
        return left
    return above if by_above <= by_corner else corner


def _encoded(width: int, height: int, indexes: bytes, palette: bytes) -> bytes:
    lines = b"".join(b"\0" + indexes[n * width : (n + 1) * width] for n in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return SIGN + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
