"""What a form of the page was sent with: texts, several under one name, and files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from aiohttp import web

from sandbox.discord.files import Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The fields of one form, in its order."""

    texts: tuple[tuple[str, str], ...] = ()
    files: dict[str, Upload] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        """Return the first text of a name."""
        return next((value for key, value in self.texts if key == name), default)

    def all(self, name: str) -> list[str]:
        """Return every text of a name."""
        return [value for key, value in self.texts if key == name]

    def after(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Iterate the texts whose name begins with a prefix, without it."""
        for key, value in self.texts:
            if key.startswith(prefix):
                yield key.removeprefix(prefix), value


async def read_fields(request: web.Request) -> Fields:
    """Return the fields of a request; an empty file field is none."""
    texts: list[tuple[str, str]] = []
    files: dict[str, Upload] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, str):
            texts.append((name, value))
        elif isinstance(value, web.FileField) and value.filename:
            content = value.file.read()
            files[name] = Upload(filename=value.filename, content=content, content_type=value.content_type)
    return Fields(texts=tuple(texts), files=files)
