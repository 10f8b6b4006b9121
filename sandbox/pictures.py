"""Draws the sandbox's server pictures: small PNGs of two colours, so that no picture file has to be kept."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

SIDE = 64

Colour = tuple[int, int, int]


def disc(ground: Colour, mark: Colour) -> bytes:
    """Return a picture of 64 pixels: a ring in one colour on a ground of another."""
    return _png(b"".join(_row(row, ground, mark) for row in range(SIDE)))


def _row(row: int, ground: Colour, mark: Colour) -> bytes:
    return b"\x00" + bytes(value for colour in _pixels(row, ground, mark) for value in colour)


def _pixels(row: int, ground: Colour, mark: Colour) -> Iterator[Colour]:
    middle = (SIDE - 1) / 2
    for column in range(SIDE):
        distance = ((row - middle) ** 2 + (column - middle) ** 2) ** 0.5
        yield mark if SIDE / 6 < distance < SIDE / 3 else ground


def _png(rows: bytes) -> bytes:
    """Pack rows of RGB, each behind a zero for "no filter" (PNG specification, sections 5 and 11.2)."""
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
