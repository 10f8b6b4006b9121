"""Brings the catalogues up to the code: `python3 -m locales.update`. What the words mean is for translators.

It reads the texts out of the code into doorlist.pot and puts new ones, still empty, into every language's catalogue.
Texts that the code no longer says are dropped; what a text was called before is not guessed.
"""

from __future__ import annotations

import io
import sys

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from locales.catalogue import FOLDER, SOURCE_LOCALE, catalogue_path, locales

ROOT = FOLDER.parent
TEMPLATE = FOLDER / "doorlist.pot"
SPEAKING = ("cogs", "membership", "web")
"""The packages whose texts members read."""

WIDTH = 120
TEMPLATE_COMMENT = "# Made by `python3 -m locales.update` from the code. A new language starts as a copy of this file."

KEYWORDS = {"say": None, "translatable": None, "locale_str": None, "count": (1, 2)}
"""Calls whose first text is looked up; `count` has one for one and one for many."""


def main() -> None:
    """Write the template and every catalogue, and print what still has to be translated."""
    template = extract()
    TEMPLATE.write_text(written(template), "utf-8")
    for locale in sorted(locales() - {SOURCE_LOCALE}):
        catalogue = updated(read(locale), template)
        catalogue_path(locale).write_text(written(catalogue), "utf-8")
        for message in untranslated(catalogue):
            sys.stdout.write(f"{locale}: not translated: {message.id!r}\n")


def extract() -> Catalog:
    """Read every text out of the code, in the order of files and lines."""
    catalogue = Catalog(header_comment=TEMPLATE_COMMENT, fuzzy=False)
    for package in SPEAKING:
        for path in sorted((ROOT / package).rglob("*.py")):
            for line, text, _comments, _context in extract_from_file("python", path, keywords=KEYWORDS):
                catalogue.add(text, locations=[(path.relative_to(ROOT).as_posix(), line)])
    return catalogue


def read(locale: str) -> Catalog:
    """Read the catalogue of a language. Raises PoFileError where it is not well-formed."""
    with catalogue_path(locale).open("rb") as source:
        return read_po(source, locale=locale, abort_invalid=True)


def updated(catalogue: Catalog, template: Catalog) -> Catalog:
    """Take the template's texts into the catalogue; the translations it has stay."""
    catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False)
    return catalogue


def written(catalogue: Catalog) -> str:
    """Return the file's text: no dates and no line numbers, so that it changes only when a text does."""
    target = io.BytesIO()
    write_po(target, catalogue, width=WIDTH, omit_header=True, ignore_obsolete=True, include_lineno=False)
    head = (
        [f'"Language: {catalogue.locale}\\n"', f'"Plural-Forms: {catalogue.plural_forms}\\n"']
        if catalogue.locale
        else []
    )
    lines = [
        catalogue.header_comment.strip(),
        'msgid ""',
        'msgstr ""',
        *head,
        '"Content-Type: text/plain; charset=utf-8\\n"',
    ]
    return "\n".join(lines) + "\n\n" + target.getvalue().decode("utf-8")


def untranslated(catalogue: Catalog) -> list[Message]:
    """Return the texts without a translation, or without one of their plural forms."""
    return [message for message in catalogue if message.id and not _is_complete(message, catalogue.num_plurals)]


def _is_complete(message: Message, plurals: int) -> bool:
    if message.fuzzy:
        return False
    if isinstance(message.string, str):
        return bool(message.string)
    return message.string is not None and len(message.string) == plurals and all(message.string)


if __name__ == "__main__":
    main()
