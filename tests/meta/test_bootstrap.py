"""bot.py sets itself up: the parts that need no network, each in a copy of its own with a tiny lock file.

The whole installation is exercised by .ci/run on a fresh clone.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.meta.source import ROOT

MISSING = "no-such-package-anywhere==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"
PRESENT = f"click=={version('click')} \\\n    --hash=sha256:{'0' * 64}\n"
CLOSED_PORT = "http://127.0.0.1:9/simple"
FAKE_UV = """#!{python}
import pathlib, sys
with open({log!r}, "a") as log:
    print(*sys.argv[1:], file=log)
if sys.argv[1] == "venv":
    python = pathlib.Path(sys.argv[-1], "bin", "python")
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\\necho in the environment: $*\\n")
    python.chmod(0o755)
sys.exit({code})
"""


class Clone:
    """A folder with bot.py, a lock, and a program that only says that it was reached."""

    def __init__(self, folder: Path, lock: str) -> None:
        self.folder, self.tools = folder / "clone", folder / "tools"
        (self.folder / "app").mkdir(parents=True)
        self.tools.mkdir()
        shutil.copy(ROOT / "bot.py", self.folder)
        (self.folder / "app/__init__.py").touch()
        (self.folder / "app/cli.py").write_text("def main():\n    print('reached the program')\n    return 7\n")
        self.lock(lock)

    def lock(self, text: str) -> None:
        (self.folder / "requirements.lock").write_text(text)
        (self.folder / "requirements-dev.lock").write_text(text + "# for tests\n")

    def fake_uv(self, *, code: int = 0) -> Path:
        """Put a uv on PATH that makes a toy environment; return the file it logs its calls to."""
        log, uv = self.tools / "log", self.tools / "uv"
        uv.write_text(FAKE_UV.format(python=sys.executable, log=str(log), code=code))
        uv.chmod(0o755)
        return log

    def start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run bot.py from another working directory."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "DOORLIST_"))}
        return subprocess.run(
            [sys.executable, str(self.folder / "bot.py"), *arguments],
            cwd=self.tools,
            env={**inherited, "PATH": str(self.tools), **(environment or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path, MISSING)


def test_an_old_python_can_read_it_up_to_its_own_error_message() -> None:
    ast.parse((ROOT / "bot.py").read_text("utf-8"), feature_version=(3, 6))


def test_the_bootstrap_stays_small() -> None:
    lines = (ROOT / "bot.py").read_text("utf-8").splitlines()
    assert len([line for line in lines if line.strip() and not line.lstrip().startswith("#")]) <= 90


def test_it_makes_no_environment_when_the_packages_are_there(tmp_path: Path) -> None:
    clone = Clone(tmp_path, PRESENT)
    result = clone.start()
    assert (result.returncode, result.stdout, result.stderr) == (7, "reached the program\n", "")
    assert not (clone.folder / ".venv").exists()


def test_a_package_in_another_version_is_not_there(tmp_path: Path) -> None:
    clone = Clone(tmp_path, PRESENT.replace("==", "==0"))
    clone.fake_uv()
    assert "First run" in clone.start().stderr


def test_it_stays_out_of_the_way_when_told_to(clone: Clone) -> None:
    assert clone.start(environment={"DOORLIST_NO_BOOTSTRAP": "1"}).stdout == "reached the program\n"


def test_the_first_start_installs_with_hashes_and_goes_on_in_there(clone: Clone) -> None:
    log = clone.fake_uv()
    result = clone.start("plan", "list")
    assert result.stdout == f"in the environment: {clone.folder / 'bot.py'} plan list\n"
    assert "First run: making .venv and installing 1 packages" in result.stderr
    assert f"--require-hashes -r {clone.folder / 'requirements.lock'}" in log.read_text()


def test_later_starts_install_nothing(clone: Clone) -> None:
    log = clone.fake_uv()
    clone.start()
    log.unlink()
    assert clone.start().stderr == ""
    assert not log.exists()


def test_a_changed_lock_is_installed_into_the_same_environment(clone: Clone) -> None:
    log = clone.fake_uv()
    clone.start()
    log.unlink()
    clone.lock(MISSING.replace("1.0", "1.1"))
    assert "Bringing .venv up to date" in clone.start().stderr
    assert "venv" not in log.read_text().split()[0]


def test_an_environment_that_was_never_finished_is_made_anew(clone: Clone) -> None:
    clone.fake_uv()
    left_over = clone.folder / ".venv/bin/half"
    left_over.parent.mkdir(parents=True)
    left_over.touch()
    clone.start()
    assert not left_over.exists()
    assert (clone.folder / ".venv/.ready").exists()


def test_a_failed_installation_is_not_taken_for_a_finished_one(clone: Clone) -> None:
    clone.fake_uv(code=1)
    assert clone.start().returncode == 1
    assert not (clone.folder / ".venv/.ready").exists()


def test_tests_get_their_own_packages_and_the_program_keeps_working(clone: Clone) -> None:
    log = clone.fake_uv()
    clone.start("test")
    assert "requirements-dev.lock" in log.read_text()
    log.unlink()
    clone.start()
    clone.start("test")
    assert not log.exists()


def test_no_network_is_one_clear_line(clone: Clone) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PIP_INDEX_URL": CLOSED_PORT,
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": "/dev/null",
    }
    result = clone.start(environment=environment)
    assert result.returncode == 3
    assert result.stderr.splitlines()[1:] == [
        "Cannot reach the package index: check the network (HTTPS_PROXY, PIP_INDEX_URL) and start again."
    ]
