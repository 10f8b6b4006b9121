"""The lock files: hashes for everything, no address of any index, and tests that run on what production runs."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.meta.source import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"^([\w.-]+)==(\S+)( ; [^\\]+)? \\$", re.MULTILINE)


def _pins(name: str) -> dict[str, str]:
    return {match[1]: match[2] for match in PIN.finditer((ROOT / name).read_text("utf-8"))}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert not re.search(r"://|^\s*-", re.sub(r"^    --hash=", "", text, flags=re.MULTILINE), re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    pins = [index for index, line in enumerate(lines) if not line.startswith(" ")]
    assert all(PIN.match(lines[index]) and lines[index + 1].startswith("    --hash=sha256:") for index in pins)


def test_the_tests_run_on_what_production_runs() -> None:
    assert _pins("requirements.lock").items() <= _pins("requirements-dev.lock").items()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [re.split(r"[ \[<>=]", line)[0] for line in project["dependencies"]]
    assert {name.lower().replace(".", "-") for name in wanted} <= {name.lower() for name in _pins("requirements.lock")}
