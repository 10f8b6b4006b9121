"""Which language is spoken, and what is said where a catalogue has nothing."""

from __future__ import annotations

import pytest

from locales.catalogue import words_for

TRIES = ("{number} try left.", "{number} tries left.")


@pytest.mark.parametrize(
    ("wanted", "locale"),
    [
        (("it",), "it"),
        (("it-IT",), "it"),
        (("IT_it",), "it"),
        (("en-US", "it"), "en"),
        (("en-GB",), "en"),
        (("de", "it"), "it"),
        ((None, "", "it"), "it"),
        (("de", "pt-BR"), "en"),
        (("../it", "it/../it", "-", "_"), "en"),
        ((), "en"),
    ],
)
def test_the_first_wanted_language_that_there_is_gets_spoken(wanted: tuple[str | None, ...], locale: str) -> None:
    assert words_for(*wanted).locale == locale


def test_a_language_is_read_once() -> None:
    assert words_for("it") is words_for("it-CH")


def test_a_text_is_filled_with_its_facts() -> None:
    assert words_for("en").say("You have {what}.", what="VIP") == "You have VIP."
    assert words_for("it").say("You have {what}.", what="VIP") == "Hai VIP."


def test_facts_are_not_filled_themselves() -> None:
    assert words_for("it").say("You have {what}.", what="{until}") == "Hai {until}."


@pytest.mark.parametrize(("number", "said"), [(1, "Ti resta 1 tentativo."), (2, "Ti restano 2 tentativi.")])
def test_what_is_counted_has_its_form(number: int, said: str) -> None:
    assert words_for("it").count(*TRIES, number) == said


def test_english_counts_without_a_catalogue() -> None:
    assert [words_for("en").count(*TRIES, number) for number in (0, 1)] == ["0 tries left.", "1 try left."]


def test_what_is_not_translated_is_said_in_english() -> None:
    assert words_for("it").say("Nobody says {this}.", this="so") == "Nobody says so."
    assert words_for("it").count("{number} so", "{number} sos", 2) == "2 sos"


def test_an_amount_has_the_languages_marks() -> None:
    assert words_for("it").amount("1,234.50 EUR") == "1.234,50 EUR"
    assert words_for("en").amount("1,234.50 EUR") == "1,234.50 EUR"
