"""The source files as the other meta tests look at them. No tests here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "bench", "cogs", "locales", "membership", "providers", "sandbox", "storage", "web")


def production_files() -> list[Path]:
    """Return bot.py and every Python file of the packages."""
    return [ROOT / "bot.py", *(path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))]


def all_files() -> list[Path]:
    """Return the production files and the tests."""
    return [*production_files(), *sorted((ROOT / "tests").rglob("*.py"))]


def name_of(path: Path) -> str:
    """Return the path as people write it: web/config.py."""
    return path.relative_to(ROOT).as_posix()


def is_migration(path: Path) -> bool:
    """Tell whether this is one of Alembic's scripts, which are long lists by nature."""
    return "migrations" in path.parts


def syntax_of(path: Path) -> ast.Module:
    """Parse the file."""
    return ast.parse(path.read_text("utf-8"), str(path))


def imports_of(path: Path) -> Iterator[str]:
    """Yield each imported module, and for `from a import b` also a.b."""
    for node in ast.walk(syntax_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
