"""Finds the words for a language in the gettext catalogues beside this file. Which words to say is decided elsewhere.

The .po files are read as they are: there is nothing to build before a start. How to add words: docs/translating.md.
"""

from __future__ import annotations

import io
from datetime import datetime, tzinfo
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol

SOURCE_LOCALE = "en"
FOLDER = Path(__file__).parent


class Words:
    """What Doorlist says in one language. What a catalogue lacks is said in English."""

    def __init__(self, locale: str, translations: NullTranslations) -> None:
        """Take the language's name, such as "it", and where its words are looked up."""
        self.locale = locale
        self._translations = translations

    def say(self, text: str, /, **facts: object) -> str:
        """Say an English `text` in this language, with each {name} filled from the facts.

        Facts are put in as they are: what people or providers wrote passes `cogs.words.code_text` before.
        """
        return self._translations.gettext(text).format(**facts)

    def count(self, one: str, many: str, number: int, /, **facts: object) -> str:
        """Say how many: `one` and `many` are English, and {number} is a fact of both."""
        return self._translations.ngettext(one, many, number).format(**{"number": number, **facts})

    def unfilled(self, text: str, /) -> str:
        """Return an English text in this language with its {names} still in it, for who fills in markup."""
        return self._translations.gettext(text)

    def unfilled_count(self, one: str, many: str, number: int, /) -> str:
        """Return the form for a number with its {names} still in it."""
        return self._translations.ngettext(one, many, number)

    def number(self, value: int, /) -> str:
        """Write a whole number with this language's mark between thousands."""
        return format_decimal(value, locale=self.locale)

    def amount(self, written: str, /) -> str:
        """Write an amount of money, such as "1,234.00 €", with this language's marks."""
        locale = Locale.parse(self.locale)
        return written.translate({ord("."): get_decimal_symbol(locale), ord(","): get_group_symbol(locale)})

    def day(self, moment: datetime, /, zone: tzinfo | None = None) -> str:
        """Write a date without a doubt about day and month: "21 December 2026"."""
        return format_date(_in(moment, zone), "d MMMM y", locale=self.locale)

    def short_day(self, moment: datetime, /, zone: tzinfo | None = None) -> str:
        """Write a date that is near, where room is scarce: "24 Nov"."""
        return format_date(_in(moment, zone), "d MMM", locale=self.locale)

    def moment(self, moment: datetime, /, zone: tzinfo | None = None) -> str:
        """Write a date with its time: "21 Dec 2026, 14:02"."""
        return format_datetime(_in(moment, zone), "d MMM y, HH:mm", locale=self.locale)

    def distance(self, moment: datetime, now: datetime, /) -> str:
        """Write how far a moment is from now: "in 12 days", "3 hours ago"."""
        return format_timedelta(moment - now, add_direction=True, threshold=2, locale=self.locale)


def translatable(text: str) -> str:
    """Mark an English text that is kept in a table and said later, so that it gets into the catalogues."""
    return text


def words_for(*wanted: str | None) -> Words:
    """Return the words of the first wanted language that there is: "it-IT" is served by "it"; English if there is none.

    None and "" stand for a choice that nobody made.
    """
    for locale in wanted:
        for name in _names(locale or ""):
            if name in locales():
                return _load(name)
    return _load(SOURCE_LOCALE)


@cache
def locales() -> frozenset[str]:
    """Return the languages that can be said, English among them."""
    return frozenset({SOURCE_LOCALE, *(path.parent.parent.name for path in FOLDER.glob("*/LC_MESSAGES/doorlist.po"))})


def language_name(locale: str) -> str:
    """Return what a language calls itself: Italiano."""
    return (Locale.parse(locale).get_display_name(locale) or locale).title()


def catalogue_path(locale: str) -> Path:
    """Return where the catalogue of a language is, or would be."""
    return FOLDER / locale / "LC_MESSAGES" / "doorlist.po"


def _in(moment: datetime, zone: tzinfo | None) -> datetime:
    return moment if zone is None else moment.astimezone(zone)


def _names(locale: str) -> tuple[str, str]:
    """Return what a catalogue for "pt-BR" may be called, the closest first: pt_BR, pt."""
    language, _, region = locale.replace("-", "_").partition("_")
    return f"{language.lower()}_{region.upper()}", language.lower()


@cache
def _load(locale: str) -> Words:
    if locale == SOURCE_LOCALE:
        return Words(locale, NullTranslations())
    with catalogue_path(locale).open("rb") as source:
        catalogue = read_po(source, locale=locale, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Words(locale, GNUTranslations(compiled))
