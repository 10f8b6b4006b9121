"""Finding the texts in the code, and bringing a catalogue up to it."""

from __future__ import annotations

import ast

import pytest
from babel.messages.catalog import Catalog

from locales import update


def found(code: str) -> list[object]:
    return [text for _line, text in update.texts_of(ast.parse(code))]


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("words.say('Hello')", ["Hello"]),
        ("request.words.say('Hello {name}', name=name)", ["Hello {name}"]),
        ("self._words(guild_id).say('Hello')", ["Hello"]),
        ("words_for('it').say('Hello')", ["Hello"]),
        ("words.say('Hel'\n'lo')", ["Hello"]),
        ("words.count('{number} day', '{number} days', days)", [("{number} day", "{number} days")]),
        ("TEXT = translatable('Hello')", ["Hello"]),
        ("command(description=locale_str('Hello'))", ["Hello"]),
        ("words.say(TEXT)", []),
        ("words.say(TABLE[row].text)", []),
        ("request.say('For staff')", []),
        ("text.count('a', 'b')", []),
        ('f\'{words.say("One")} {words.say("Two")}\'', ["One", "Two"]),
    ],
)
def test_the_texts_that_some_words_say_are_found(code: str, texts: list[object]) -> None:
    assert found(code) == texts


def test_a_refusal_is_found_where_it_has_no_facts() -> None:
    code = "raise UserError('No plan')\nraise UserError(f'No {name}')\nTEXT = translatable('Hello')"
    assert update.refusals_of(ast.parse(code)) == [(1, "No plan"), (3, "Hello")]


@pytest.mark.parametrize(
    "code",
    [
        "words.say(f'Hello {name}')",
        "words.say('a' if ok else 'b')",
        "words.count(one, 'many', 2)",
        "translatable(text + '!')",
    ],
)
def test_a_text_that_cannot_be_looked_up_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        found(code)


def test_an_update_keeps_what_is_translated_adds_what_is_new_and_drops_what_is_gone() -> None:
    catalogue, template = Catalog(locale="it"), Catalog()
    catalogue.add("Hello", "Ciao")
    catalogue.add("Gone", "Sparito")
    template.add("Hello")
    template.add("Hello!")
    assert [(message.id, message.string) for message in update.updated(catalogue, template) if message.id] == [
        ("Hello", "Ciao"),
        ("Hello!", None),
    ]
    assert "Gone" not in update.written(catalogue)


def test_what_is_half_translated_is_reported() -> None:
    catalogue = Catalog(locale="it")
    catalogue.add("Hello", "Ciao")
    catalogue.add("Bye")
    catalogue.add("Perhaps", "Forse", flags=["fuzzy"])
    catalogue.add(("{number} day", "{number} days"), ("{number} giorno", ""))
    assert [message.id for message in update.untranslated(catalogue)] == [
        "Bye",
        "Perhaps",
        ("{number} day", "{number} days"),
    ]
