"""Import rules that import-linter cannot say, because they are about parts of a library or names of files."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.meta.source import ROOT, all_files, imports_of, name_of, production_files, syntax_of

AIOHTTP_SERVER_HOMES = {"web", "sandbox", "bench"}
SHARED_BY_PROVIDERS = {"base", "config", "registry", "signatures"}


@pytest.mark.parametrize("path", production_files(), ids=name_of)
def test_only_web_and_the_sandbox_serve_http(path: Path) -> None:
    if path.relative_to(ROOT).parts[0] in AIOHTTP_SERVER_HOMES:
        return
    assert not [name for name in imports_of(path) if name.startswith("aiohttp.web")]


@pytest.mark.parametrize("path", sorted((ROOT / "providers").glob("*.py")), ids=name_of)
def test_a_provider_knows_no_other_provider(path: Path) -> None:
    own = _platform(path.stem)
    if path.stem == "registry":
        return
    modules = {name.split(".")[1] for name in imports_of(path) if name.startswith("providers.")}
    assert {_platform(module) for module in modules - SHARED_BY_PROVIDERS} <= {own}


@pytest.mark.parametrize("path", all_files(), ids=name_of)
def test_every_module_says_what_lives_in_it(path: Path) -> None:
    assert ast.get_docstring(syntax_of(path)), f"{name_of(path)} opens without a docstring"


def _platform(module: str) -> str:
    """Return the payment platform of a module: stripe of stripe_events."""
    return module.partition("_")[0]
