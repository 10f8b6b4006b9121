"""Which accents can be read, and what becomes of them on a dark page."""

from __future__ import annotations

import pytest

from membership.colours import READABLE, accent_of, contrast, is_readable


@pytest.mark.parametrize(("colour", "expected"), [("000000", True), ("3b46c4", True), ("ffee00", False), ("fff", None)])
def test_a_colour_that_cannot_be_read_on_white_is_no_accent(colour: str, expected: bool | None) -> None:
    assert (accent_of(colour) is not None) is bool(expected)
    if expected is not None:
        assert is_readable(colour) is expected


def test_black_on_white_has_the_largest_contrast() -> None:
    assert contrast("000000", "ffffff") == pytest.approx(21)


@pytest.mark.parametrize("colour", ["000000", "0b5d2e", "3b46c4", "aa3355", "7f1d1d"])
def test_an_accent_is_readable_in_both_schemes(colour: str) -> None:
    accent = accent_of(colour)
    assert accent is not None
    assert contrast(accent.light, accent.on_light) >= READABLE
    assert contrast(accent.dark, accent.on_dark) >= READABLE
    assert contrast(accent.dark, "17191c") >= READABLE
