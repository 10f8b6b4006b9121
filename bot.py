"""Start here: `python3 bot.py`. Makes .venv beside this file when it must, then hands over to app/cli.py.

Standard library only, and readable by every Python 3: an old one has to get as far as its own error message.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / ".ready"  # the hash of each installed lock; there is none while an install runs
RULES = {"PIP_NO_CACHE_DIR": "1", "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_NO_CACHE": "1"}
OFFLINE = r"(Connect\w*|Proxy|SSL)Error|(Connect|Read)Timeout|name resolution|dns error|Failed to fetch|versions: none"
GET_PIP = {"apt": "sudo apt install python3-venv", "dnf": "sudo dnf install python3-pip", "brew": "brew install python"}


def stop(code: int, text: str) -> NoReturn:
    """Leave with one message."""
    print(text, file=sys.stderr)
    sys.exit(code)


if sys.version_info < (3, 11):
    ADVICE = "Debian/Ubuntu: apt install python3.11 · macOS: brew install python · any: https://docs.astral.sh/uv"
    stop(2, "Python 3.11 or newer is needed; this is {}.{}.{}. {}".format(*sys.version_info[:3], ADVICE))

from importlib.metadata import PackageNotFoundError, version


def bootstrap(lock: Path) -> None:
    """Return if this Python has every package of the lock; else see to .venv and start again in there."""
    # A pin with a marker is for some machines only: pip judges it, this check leaves it out.
    pins = re.findall(r"^([\w.-]+)==(\S+) \\$", lock.read_text("utf-8"), re.MULTILINE)
    if all(has_package(name, pin) for name, pin in pins):
        return
    stamp = STAMP.read_text("ascii").split() if STAMP.exists() and VENV_PYTHON.exists() else []
    if digest(lock) not in stamp or Path(sys.prefix) == VENV:
        doing = "Bringing .venv up to date: installing" if stamp else "First run: making .venv and installing"
        by_hand = f"To do it yourself: pip install -r {lock.name} and set DOORLIST_NO_BOOTSTRAP=1"
        print(f"{doing} {len(pins)} packages (about 20 s). {by_hand}", file=sys.stderr, flush=True)
        install(lock, is_new=not stamp)
        # The development lock holds the other one as well.
        STAMP.write_text(" ".join({digest(lock), digest(ROOT / "requirements.lock")}), "ascii")
    command = [str(VENV_PYTHON), str(ROOT / "bot.py"), *sys.argv[1:]]
    if os.name == "nt":  # execv would give the terminal back at once there
        sys.exit(subprocess.call(command))
    os.execv(VENV_PYTHON, command)


def digest(lock: Path) -> str:
    """Return what the stamp says once this lock is installed."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def has_package(name: str, pin: str) -> bool:
    """Tell whether this Python has the package in exactly this version."""
    try:
        return version(name) == pin
    except PackageNotFoundError:
        return False


def install(lock: Path, *, is_new: bool) -> None:
    """Put the lock's packages into .venv; a new one starts from nothing, whatever was left there half-made."""
    uv, python = shutil.which("uv"), str(getattr(sys, "_base_executable", sys.executable))  # the Python outside .venv
    if is_new:
        shutil.rmtree(VENV, ignore_errors=True)
        if uv:
            run(uv, "venv", "--python", python, str(VENV))
        elif run(python, "-m", "venv", str(VENV)).returncode:  # Debian's python3 comes without ensurepip
            run(python, "-m", "venv", "--clear", "--without-pip", str(VENV))
    STAMP.unlink(missing_ok=True)
    pips = [[str(VENV_PYTHON), "-m", "pip"], [python, "-m", "pip", "--python", str(VENV_PYTHON)]]
    works = [pip for pip in pips if VENV_PYTHON.exists() and run(*pip, "--version").returncode == 0]
    if not uv and not works:
        hint = next((hint for tool, hint in GET_PIP.items() if shutil.which(tool)), "see https://docs.astral.sh/uv")
        stop(2, f"Python's venv or pip is missing. Install it and start again: {hint}")
    pip = [uv, "pip", "install", "--python", str(VENV_PYTHON)] if uv else [*works[0], "install"]
    result = run(*pip, "--require-hashes", "-r", str(lock))
    if result.returncode and re.search(OFFLINE, result.stdout):
        stop(3, "Cannot reach the package index: check the network (HTTPS_PROXY, PIP_INDEX_URL) and start again.")
    if result.returncode:
        tail = "\n".join(result.stdout.strip().splitlines()[-8:])
        stop(1, f"{tail}\nThe packages could not be installed, see above. Put that right and start again.")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run quietly, within the rules; both outputs end up in `stdout`."""
    environment, pipe = {**os.environ, **RULES}, subprocess.PIPE
    return subprocess.run(command, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=environment, check=False)


if __name__ == "__main__":
    if os.environ.get("DOORLIST_NO_BOOTSTRAP") != "1":
        try:
            bootstrap(ROOT / ("requirements-dev.lock" if sys.argv[1:2] == ["test"] else "requirements.lock"))
        except KeyboardInterrupt:
            stop(130, "\nInterrupted; the next start begins the installation again.")
    from app.cli import main

    sys.exit(main())
