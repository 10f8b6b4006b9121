"""A server's own accent colour, made readable: which text stands on it, and its lighter twin for dark pages. Pure.

Ratios are those of WCAG 2.2 (relative luminance); text wants 4.5 : 1 at least.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

READABLE = 4.5
OURS = "3b46c4"
_LIGHT_PAGE, _DARK_PAGE = "ffffff", "17191c"
_SIX_DIGITS = re.compile(r"[0-9a-f]{6}")
_STEPS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Accent:
    """One accent in both schemes, each as "rrggbb": the colour itself and the text that stands on it."""

    light: str
    on_light: str
    dark: str
    on_dark: str


def accent_of(colour: str) -> Accent | None:
    """Return a colour for both schemes, None for what is no colour or cannot be read as a link on a white page."""
    if not is_colour(colour) or not is_readable(colour):
        return None
    dark = _lightened(colour)
    return Accent(light=colour, on_light=_text_on(colour), dark=dark, on_dark=_text_on(dark))


def is_colour(text: str) -> bool:
    """Say whether a text is a colour as "rrggbb"."""
    return _SIX_DIGITS.fullmatch(text) is not None


def is_readable(colour: str) -> bool:
    """Say whether links can be read in a colour on a white page."""
    return contrast(colour, _LIGHT_PAGE) >= READABLE


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _text_on(colour: str) -> str:
    return max((_LIGHT_PAGE, _DARK_PAGE), key=lambda text: contrast(text, colour))


def _lightened(colour: str) -> str:
    """Mix in white until it can be read on a dark page."""
    for step in range(_STEPS):
        mixed = _mixed(colour, step / _STEPS)
        if contrast(mixed, _DARK_PAGE) >= READABLE + 1:
            return mixed
    return _LIGHT_PAGE


def _mixed(colour: str, white: float) -> str:
    return "".join(f"{round(part + (255 - part) * white):02x}" for part in _parts(colour))


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[:2], 16), int(colour[2:4], 16), int(colour[4:], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
