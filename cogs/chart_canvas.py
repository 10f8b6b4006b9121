"""A canvas for charts: text, lines and patterned bars in final pixels, drawn larger and scaled down to be smooth.

Needs Pillow; imported by chart_drawing.py alone.
"""

from __future__ import annotations

import io
import unicodedata
from functools import cache

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1400, 440
_SCALE = 2
_CORNER = 22
_STRIPE = 9
_MISSING = "\U0010ffff"

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]


class Canvas:
    """One picture: a card with round corners that stands out on Discord's light and dark background alike."""

    def __init__(self, background: Colour) -> None:
        """Start with an empty card."""
        size = (WIDTH * _SCALE, HEIGHT * _SCALE)
        self._image = Image.new("RGBA", size, (*background, 255))
        self._draw = ImageDraw.Draw(self._image)
        self._corners = Image.new("L", size, 0)
        ImageDraw.Draw(self._corners).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), _CORNER * _SCALE, fill=255)

    def text(self, at: tuple[float, float], text: str, *, size: int, colour: Colour, anchor: str = "la") -> None:
        """Write a line of text; `anchor` as Pillow has it ("la": left, top; "mm": middle; "rs": right, baseline)."""
        position = (at[0] * _SCALE, at[1] * _SCALE)
        self._draw.text(position, writable(text), font=_font(size * _SCALE), fill=colour, anchor=anchor)

    def line(self, points: list[tuple[float, float]], *, colour: Colour, width: float) -> None:
        """Draw a line through points."""
        scaled = [(x * _SCALE, y * _SCALE) for x, y in points]
        self._draw.line(scaled, fill=colour, width=round(width * _SCALE), joint="curve")

    def dot(self, at: tuple[float, float], *, colour: Colour, radius: float) -> None:
        """Draw a filled circle."""
        (x, y), reach = (at[0] * _SCALE, at[1] * _SCALE), radius * _SCALE
        self._draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=colour)

    def area(self, points: list[tuple[float, float]], *, colour: Colour) -> None:
        """Fill what points enclose."""
        self._draw.polygon([(x * _SCALE, y * _SCALE) for x, y in points], fill=colour)

    def bar(self, box: Box, *, colour: Colour) -> None:
        """Draw a full bar."""
        self._draw.rectangle([round(each * _SCALE) for each in box], fill=colour)

    def striped_bar(self, box: Box, *, colour: Colour) -> None:
        """Draw a bar of stripes with an outline: told apart from a full one without its colour."""
        left, top, right, bottom = (round(each * _SCALE) for each in box)
        size = (max(right - left + 1, 1), max(bottom - top + 1, 1))
        stripes = Image.new("RGBA", size, (0, 0, 0, 0))
        draw = ImageDraw.Draw(stripes)
        step = _STRIPE * _SCALE
        for start in range(-size[1], size[0], step):
            draw.line((start, size[1], start + size[1], 0), fill=(*colour, 255), width=step // 3)
        draw.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=(*colour, 255), width=_SCALE)
        self._image.alpha_composite(stripes, (left, top))

    def png(self) -> bytes:
        """Return the picture."""
        self._image.putalpha(self._corners)
        out = io.BytesIO()
        smooth = self._image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        smooth.save(out, format="PNG", optimize=True)
        return out.getvalue()


def width_of(text: str, size: int) -> float:
    """Return how many pixels a text takes."""
    return _font(size * _SCALE).getlength(writable(text)) / _SCALE


def fitting(text: str, size: int, room: float) -> str:
    """Cut a text to the room there is."""
    if width_of(text, size) <= room:
        return text
    while text and width_of(text + "…", size) > room:
        text = text[:-1].rstrip()
    return text + "…" if text else ""


@cache
def writable(text: str) -> str:
    """Write a text with the letters that the font has: accents go, and what is left out would be an empty box."""
    plain = "".join(letter if _has(letter) else unicodedata.normalize("NFKD", letter) for letter in text)
    kept = "".join(letter for letter in plain if letter.isspace() or _has(letter))
    return " ".join(kept.split())


@cache
def _has(letter: str) -> bool:
    font = _font(16)
    return bytes(font.getmask(letter)) != bytes(font.getmask(_MISSING))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return Pillow's own font, which needs no file. Raises OSError where Pillow was built without FreeType."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("this Pillow has no font that can be scaled")
    return font
