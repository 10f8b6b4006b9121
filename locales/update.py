"""Brings the catalogues up to the code: `python3 -m locales.update`. What the words mean is for translators.

It reads the texts out of the code and the templates into doorlist.pot and puts new ones, still empty, into every
language's catalogue. Texts that the code no longer says are dropped; what a text was called before is not guessed.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

from locales.catalogue import FOLDER, SOURCE_LOCALE, catalogue_path, locales

Text = str | tuple[str, str]
"""What is said once, or one and many of what is counted."""

ROOT = FOLDER.parent
TEMPLATE = FOLDER / "doorlist.pot"
SPEAKING = ("cogs", "locales", "membership", "web")
"""The packages whose texts members read."""

REFUSING = ("membership", "providers")
"""The packages that ask for no words: what they refuse is said by the pages, where the text has no facts in it."""

WIDTH = 120
TEMPLATE_COMMENT = "# Made by `python3 -m locales.update` from the code."

TEMPLATE_KINDS = (".html", ".txt", ".subject")

MARKS = ("translatable", "locale_str")
"""Functions that mark a text of a table; the second one is discord.py's, for the descriptions of commands."""


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
    """Read every text out of the code and the templates, in the order of files and lines."""
    catalogue = Catalog(header_comment=TEMPLATE_COMMENT, fuzzy=False)
    for path, read in _sources():
        try:
            texts = read(path.read_text("utf-8"))
        except ValueError as flaw:
            raise ValueError(f"{path.relative_to(ROOT)}: {flaw}") from flaw
        for line, text in texts:
            catalogue.add(text, locations=[(path.relative_to(ROOT).as_posix(), line)])
    return catalogue


def _sources() -> Iterator[tuple[Path, Callable[[str], list[tuple[int, Text]]]]]:
    for package in sorted({*SPEAKING, *REFUSING}):
        reads = refusals_of if package in REFUSING else texts_of
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix == ".py":
                yield path, lambda source, reads=reads: reads(ast.parse(source))  # type: ignore[misc]
            elif path.suffix in TEMPLATE_KINDS:
                yield path, texts_of_template


def texts_of_template(source: str) -> list[tuple[int, Text]]:
    """Return the line of each text that a template says or counts. Raises ValueError as `texts_of`."""
    found: list[tuple[int, Text]] = []
    for call in Environment(autoescape=True).parse(source).find_all(nodes.Call):
        match call.node, call.args:
            case nodes.Name(name="say"), [nodes.Const(value=str(text)), *_]:
                found.append((call.lineno, text))
            case nodes.Name(name="count"), [nodes.Const(value=str(one)), nodes.Const(value=str(many)), *_]:
                found.append((call.lineno, (one, many)))
            case nodes.Name(name="say" | "count"), [nodes.Name() | nodes.Getattr() | nodes.Getitem(), *_]:
                continue  # marked where its text is written
            case nodes.Name(name="say" | "count"), _:
                raise ValueError(f"not a plain text in line {call.lineno}")
    return found


def texts_of(code: ast.Module) -> list[tuple[int, Text]]:
    """Return the line of each text that is said by some Words or marked for it; one and many for what is counted.

    Babel's own extraction goes by the method's name alone, and `say` and `count` are methods of others, too. Raises
    ValueError for a text that is put together where it is said: no catalogue can have it.
    """
    calls = [node for node in ast.walk(code) if isinstance(node, ast.Call)]
    found = [(call.lineno, _text(call)) for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset))]
    return [(line, text) for line, text in found if text is not None]


def refusals_of(code: ast.Module) -> list[tuple[int, Text]]:
    """Return what `texts_of` does, and the plain texts of every UserError."""
    refusals: list[tuple[int, Text]] = []
    for node in ast.walk(code):
        match node:
            case ast.Call(func=ast.Name(id="UserError"), args=[ast.Constant(value=str(text)), *_]):
                refusals.append((node.lineno, text))
    return sorted([*texts_of(code), *refusals], key=lambda found: found[0])


def _text(call: ast.Call) -> Text | None:
    match call.func, call.args:
        case ast.Name(id=name), [text, *_] if name in MARKS:
            return _literal(text)
        case ast.Attribute(value=owner, attr="say"), [text, *_] if _is_words(owner):
            # A name, an attribute and a row of a table were marked where their text is written.
            return None if _is_marked_elsewhere(text) else _literal(text)
        case ast.Attribute(value=owner, attr="count"), [one, many, *_] if _is_words(owner):
            return _literal(one), _literal(many)
        case _:
            return None


def _is_marked_elsewhere(text: ast.expr) -> bool:
    """Tell whether a text comes from a name or a table, also by `table.get(key, otherwise)`."""
    is_looked_up = isinstance(text, ast.Call) and isinstance(text.func, ast.Attribute) and text.func.attr == "get"
    return is_looked_up or isinstance(text, ast.Name | ast.Attribute | ast.Subscript)


def _literal(argument: ast.expr) -> str:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    raise ValueError(f"not a plain text in line {argument.lineno}: {ast.unparse(argument)}")


def _is_words(owner: ast.expr) -> bool:
    """Tell whether something is called words, as in `words.say`, `request.words.say` and `words_for(...).say`."""
    match owner:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return "words" in name
        case ast.Call(func=function):
            return _is_words(function)
        case _:
            return False


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
