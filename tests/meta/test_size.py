"""The caps on the size of files and functions. Alembic's scripts are exempt."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.meta.source import all_files, is_migration, name_of, syntax_of

LINES_IN_A_FILE = 400
LINES_IN_A_FUNCTION = 50


@pytest.mark.parametrize("path", [path for path in all_files() if not is_migration(path)], ids=name_of)
def test_it_stays_below_the_caps(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= LINES_IN_A_FILE, f"{name_of(path)} has {lines} lines"

    functions = [node for node in ast.walk(syntax_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    too_long = [f"{node.name} (line {node.lineno})" for node in functions if _length(node) > LINES_IN_A_FUNCTION]
    assert not too_long, f"{name_of(path)}: longer than {LINES_IN_A_FUNCTION} lines"


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1
