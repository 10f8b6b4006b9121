"""The catalogues and the code say the same, and every language says all of it."""

from __future__ import annotations

from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message

from locales import update
from locales.catalogue import SOURCE_LOCALE, catalogue_path, locales

TRANSLATED = sorted(locales() - {SOURCE_LOCALE})


@pytest.fixture(scope="module")
def template() -> Catalog:
    return update.extract()


@pytest.fixture(params=TRANSLATED)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    return update.read(request.param)


def test_italian_is_there() -> None:
    assert "it" in TRANSLATED


def test_the_template_is_what_the_code_says(template: Catalog) -> None:
    assert update.TEMPLATE.read_text("utf-8") == update.written(template), "run python3 -m locales.update"


def test_a_catalogue_has_the_texts_of_the_code_and_no_others(catalogue: Catalog, template: Catalog) -> None:
    assert {message.id for message in catalogue} == {message.id for message in template}
    assert not catalogue.obsolete


@pytest.mark.parametrize("locale", TRANSLATED)
def test_a_catalogue_is_written_as_the_update_writes_it(locale: str) -> None:
    assert catalogue_path(locale).read_text("utf-8") == update.written(update.read(locale))


def test_every_text_is_translated(catalogue: Catalog) -> None:
    assert [message.id for message in update.untranslated(catalogue)] == []


def test_placeholders_are_those_of_the_english_text(catalogue: Catalog) -> None:
    pairs = [pair for message in catalogue for pair in _pairs(message)]
    assert [pair for pair in pairs if _placeholders(pair[0]) != _placeholders(pair[1])] == []


def test_translations_begin_and_end_with_the_same_space(catalogue: Catalog) -> None:
    pairs = [pair for message in catalogue for pair in _pairs(message)]
    assert [pair for pair in pairs if _edges(pair[0]) != _edges(pair[1])] == []


def _pairs(message: Message) -> list[tuple[str, str]]:
    """Return each English text of the message beside what is said instead."""
    if not message.id:
        return []
    english = [message.id] if isinstance(message.id, str) else list(message.id)
    said = [message.string] if isinstance(message.string, str) else list(message.string or ())
    return [(english[min(index, len(english) - 1)], text) for index, text in enumerate(said) if text]


def _placeholders(text: str) -> set[tuple[str, str | None, str | None]]:
    return {(name, form, conversion) for _, name, form, conversion in Formatter().parse(text) if name is not None}


def _edges(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
