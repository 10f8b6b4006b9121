"""Claim codes survive whatever people and programs do to them, and nothing else becomes one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from membership import codes
from tests.membership.strategies import LAWS

CODE = "K7QF2M9X4TRW8HN0"

BITS = st.integers(0, (1 << 80) - 1)
DECORATION = (
    *" \t\n-_.,:;!'\"`*~|<>()[]{}",
    *"\u2010\u2011\u2012\u2013\u2014\u2015\u2212",  # hyphens, dashes, minus
    *"\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb",  # typographic quotes
    *"\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u2066\u2069",  # zero-width, soft hyphen, direction marks
    *"\u00a0\u2003\u202f\u3000",  # wide and unbreakable spaces
)
FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
MISREAD = {"0": "0Oo", "1": "1IiLl"}
LOOKALIKES = {
    "A": "А",
    "B": "В",
    "C": "С",
    "E": "Е",
    "H": "Н",
    "K": "К",
    "M": "М",
    "P": "Р",
    "T": "Т",
    "X": "Х",
}  # Cyrillic


FORMS: tuple[Callable[[str], str], ...] = (str.upper, str.lower, lambda letter: letter.translate(FULL_WIDTH))


@st.composite
def as_typed(draw: st.DrawFn, code: str) -> str:
    """Draw one way in which somebody may write a code down."""
    misread = [draw(st.sampled_from(MISREAD[letter])) if letter in MISREAD else letter for letter in code]
    forms = draw(st.lists(st.sampled_from(FORMS), min_size=codes.LENGTH, max_size=codes.LENGTH))
    gaps = draw(st.lists(st.sampled_from(("", *DECORATION)), min_size=codes.LENGTH, max_size=codes.LENGTH))
    written = (gap + form(letter) for gap, form, letter in zip(gaps, forms, misread, strict=True))
    return "".join([*written, draw(st.sampled_from(("", *DECORATION)))])


@LAWS
@given(bits=BITS, data=st.data())
def test_a_code_is_read_however_it_is_typed(bits: int, data: st.DataObject) -> None:
    code = codes.from_bits(bits)
    assert codes.normalise(data.draw(as_typed(code))) == code


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        "K7QF-2M9X-4TRW-8HN0",
        "k7qf-2m9x-4trw-8hno",
        "K7QF 2M9X 4TRW 8HNO",
        "K7QF\u20132M9X\u20134TRW\u20138HN0",
        "\u201cK7QF-2M9X-4TRW-8HN0\u201d",
        "'K7QF-2M9X-4TRW-8HN0'",
        "`K7QF-2M9X-4TRW-8HN0`",
        "```\nK7QF-2M9X-4TRW-8HN0\n```",
        "||K7QF-2M9X-4TRW-8HN0||",
        "**K7QF-2M9X-4TRW-8HN0**",
        "> K7QF-2M9X-4TRW-8HN0",
        "<K7QF-2M9X-4TRW-8HN0>.",
        "K7QF\u200b2M9X\u200b4TRW\ufeff8HN0",
        "K7QF\u00ad2M9X\u00ad4TRW\u00ad8HN0",
        "Ｋ７ＱＦ－２Ｍ９Ｘ－４ＴＲＷ－８ＨＮ０",
    ],
)
def test_the_usual_ways_to_paste_a_code_work(typed: str) -> None:
    assert codes.normalise(typed) == CODE


@pytest.mark.parametrize("typed", ["O1IL-oil0-2222-2222", "0111-0110-2222-2222"])
def test_letters_that_look_like_digits_are_read_as_digits(typed: str) -> None:
    assert codes.normalise(typed) == codes.normalise("0111011022222222")


@LAWS
@given(bits=BITS)
def test_a_code_is_read_as_it_is_written(bits: int) -> None:
    code = codes.from_bits(bits)
    assert codes.normalise(code) == code
    assert codes.normalise(codes.grouped(code)) == code


@LAWS
@given(one=BITS, other=BITS)
def test_different_bits_are_different_codes(one: int, other: int) -> None:
    assert (codes.from_bits(one) == codes.from_bits(other)) is (one == other)


@LAWS
@given(bits=BITS, place=st.integers(0, codes.LENGTH - 1), letter=st.sampled_from(sorted(LOOKALIKES)))
def test_a_letter_that_only_looks_latin_is_refused(bits: int, place: int, letter: str) -> None:
    code = codes.from_bits(bits)
    assert codes.normalise(code[:place] + letter + code[place + 1 :]) is not None
    assert codes.normalise(code[:place] + LOOKALIKES[letter] + code[place + 1 :]) is None


@pytest.mark.parametrize(
    "typed",
    ["", "claim", CODE[:-1], CODE + "2", "U" + CODE[1:], "Ω" + CODE[1:], "ß" + CODE[2:], "٣" + CODE[1:], "🔑" * 16],
    ids=["empty", "word", "short", "long", "letter U", "greek", "sharp s", "arabic digit", "signs"],
)
def test_what_cannot_be_a_code_is_refused(typed: str) -> None:
    assert codes.normalise(typed) is None


@LAWS
@given(text=st.text(max_size=codes.LONGEST_INPUT + 10))
@example(text="\ud800" * 16)
@example(text="\ufdfa" * codes.LONGEST_INPUT)
def test_any_text_is_a_code_or_none(text: str) -> None:
    code = codes.normalise(text)
    assert code is None or (len(code) == codes.LENGTH and set(code) <= set(codes.ALPHABET))


@LAWS
@given(text=st.text(st.sampled_from((*codes.ALPHABET, *"oil u-")), max_size=40))
def test_reading_a_code_again_changes_nothing(text: str) -> None:
    code = codes.normalise(text)
    assert code is None or codes.normalise(code) == code


def test_a_text_as_long_as_a_letter_is_not_even_looked_at() -> None:
    assert codes.normalise(CODE + " " * (codes.LONGEST_INPUT - codes.LENGTH)) == CODE
    assert codes.normalise(CODE + " " * codes.LONGEST_INPUT) is None


def test_a_code_is_written_in_groups_of_four() -> None:
    assert codes.grouped(CODE) == "K7QF-2M9X-4TRW-8HN0"


def test_the_alphabet_has_five_bits_a_letter_and_nothing_to_confuse() -> None:
    assert len(set(codes.ALPHABET)) == 32
    assert not set(codes.ALPHABET) & set("ILOU")


@pytest.mark.parametrize("bits", [-1, 1 << 80])
def test_bits_that_do_not_fit_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="80 bits"):
        codes.from_bits(bits)


def test_a_digest_is_the_sha256_of_the_secret() -> None:
    assert codes.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
