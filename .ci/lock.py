"""Write requirements.lock and requirements-dev.lock from pyproject.toml and .ci/platforms.lock.

Needs pip-tools on Python 3.11: `python3 .ci/lock.py [--upgrade]`. The files name no index: whoever installs decides
where packages come from, and the hashes decide whether they are the right ones.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Made by `python3 .ci/lock.py` from pyproject.toml: Python 3.11 to 3.13 on Linux, macOS and Windows.\n"
STYLE = ["--quiet", "--no-header", "--no-annotate", "--generate-hashes", "--strip-extras"]
NO_INDEX = ["--no-emit-options", "--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links"]


def main() -> None:
    """Compile both locks; the second one holds the first, so that tests run on what production runs."""
    compile_lock("requirements.lock", [])
    compile_lock("requirements-dev.lock", ["--extra=dev", "--constraint=requirements.lock"])


def compile_lock(name: str, extra: list[str]) -> None:
    """Run pip-compile, which keeps the versions that the file already pins, and add what other machines need."""
    command = [sys.executable, "-m", "piptools", "compile", *STYLE, *NO_INDEX, *extra, *sys.argv[1:]]
    subprocess.run([*command, f"--output-file={name}", "pyproject.toml"], cwd=ROOT, check=True)
    lock, elsewhere = ROOT / name, ROOT / ".ci/platforms.lock"
    lock.write_text(HEADER + lock.read_text() + elsewhere.read_text())


if __name__ == "__main__":
    main()
