"""The machine: Python, packages, clock, folder, room (E01 to E07)."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.checks.making import BEFORE_START, ONLY_CLI, check, fail, hint, listed, warn
from app.checks.patient import Patient
from app.settings import ROOT
from membership.checks import Area, Check, Finding
from storage.examination import database_file

OLDEST_PYTHON = (3, 11)
LEAST_DISK_BYTES = 500 * 1024**2
LEAST_MEMORY_BYTES = 150 * 1024**2
MOST_DRIFT = timedelta(seconds=120)
_MEMORY = Path("/proc/meminfo")
_SAMPLE_ZONE = "Europe/Rome"


def checks(patient: Patient) -> list[Check]:
    """Return the checks of this area."""
    folder = data_folder(patient)

    async def python() -> Sequence[Finding]:
        return judge_python(sys.version_info[:2])

    async def packages() -> Sequence[Finding]:
        return judge_packages((ROOT / "requirements.lock").read_text("utf-8"), version_of)

    async def drift() -> Sequence[Finding]:
        return judge_clock(datetime.now(UTC), await patient.examiner.server_time())

    async def writable() -> Sequence[Finding]:
        return judge_folder(folder)

    async def room() -> Sequence[Finding]:
        return judge_room(folder, memory_bytes(_MEMORY))

    async def zones() -> Sequence[Finding]:
        return judge_zones(_SAMPLE_ZONE)

    area = Area.ENVIRONMENT
    return [
        check("E01", area, "Python is new enough", python, where=BEFORE_START),
        check("E02", area, "The packages are those of the lock", packages, where=ONLY_CLI),
        check("E03", area, "The clock is right", drift, where=ONLY_CLI),
        check("E04", area, "The data folder can be written", writable, where=BEFORE_START),
        check("E05", area, "There is room on the disk and in memory", room, where=ONLY_CLI),
        check("E07", area, "Time zones are known", zones, where=ONLY_CLI),
    ]


def data_folder(patient: Patient) -> Path:
    """Return where our files are."""
    file = database_file(patient.settings.database)
    return file.parent if file else ROOT / "data"


def judge_python(found: tuple[int, ...]) -> list[Finding]:
    """Look at the version of Python."""
    if found >= OLDEST_PYTHON:
        return []
    shown = ".".join(map(str, found))
    return [fail("Python version", f"Python {shown} is too old.", "Install Python 3.11 or newer, or use the image.")]


def judge_packages(lock: str, version_of: Callable[[str], str]) -> list[Finding]:
    """Compare what is installed with the lock. A pin with a marker is for some machines only and is left out."""
    pins = re.findall(r"^([\w.-]+)==(\S+) \\$", lock, re.MULTILINE)
    found = {name: version_of(name) for name, _ in pins}
    wrong = [f"{name} is {found[name] or 'missing'}, the lock says {pin}" for name, pin in pins if found[name] != pin]
    if not wrong:
        return []
    fix = "Leave DOORLIST_NO_BOOTSTRAP unset and start again, or: pip install -r requirements.lock"
    return [warn("Packages", f"{listed(wrong)}. Only the locked ones are tested together.", fix)]


def version_of(package: str) -> str:
    """Return the installed version of a package, "" when it is missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def judge_clock(ours: datetime, theirs: datetime) -> list[Finding]:
    """Compare our time with the world's: signatures are refused when they differ by minutes."""
    drift = ours - theirs
    if abs(drift) <= MOST_DRIFT:
        return []
    minutes = round(abs(drift).total_seconds() / 60)
    side = "ahead of" if drift > timedelta() else "behind"
    cause = f"The clock is {minutes} min {side} Discord's. Webhooks look forged or too old then, and are refused."
    return [fail("The clock", cause, "Turn on network time: timedatectl set-ntp true")]


def judge_folder(folder: Path) -> list[Finding]:
    """Look whether the process may write its folder, and whether others' files are in it."""
    if not folder.exists():
        parent = next(each for each in folder.parents if each.exists())
        if os.access(parent, os.W_OK):
            return []
        return [fail("The data folder", f"{parent} cannot be written.", f"mkdir -p {folder}, as this user.")]
    if not os.access(folder, os.W_OK | os.X_OK):
        cause = f"{folder} belongs to user {folder.stat().st_uid}, and this process is user {os.geteuid()}."
        return [fail("The data folder", cause, f"chown -R {os.geteuid()} {folder}")]
    foreign = [path.name for path in folder.iterdir() if path.is_file() and not os.access(path, os.W_OK)]
    if not foreign:
        return []
    cause = f"These files cannot be written: {listed(foreign)}. Perhaps Doorlist once ran as another user."
    return [fail("The data folder", cause, f"chown -R {os.geteuid()} {folder}")]


def judge_room(folder: Path, free_memory: int | None) -> list[Finding]:
    """Look at the free disk and memory; None where the machine does not tell."""
    place = folder if folder.exists() else ROOT
    free_disk = shutil.disk_usage(place).free
    findings = []
    if free_disk < LEAST_DISK_BYTES:
        cause = f"{free_disk // 1024**2} MB are left at {place}. On a full disk webhooks can no longer be stored."
        findings.append(warn("Disk", cause, "Free space, or move the data."))
    if free_memory is not None and free_memory < LEAST_MEMORY_BYTES:
        cause = f"{free_memory // 1024**2} MB of memory are free. The system ends the process when none is left."
        findings.append(warn("Memory", cause, "Stop something else, or take a larger machine."))
    return findings


def memory_bytes(file: Path) -> int | None:
    """Return the available memory as Linux tells it, None elsewhere."""
    if not file.exists():
        return None
    found = re.search(r"^MemAvailable:\s+(\d+) kB", file.read_text("ascii"), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def judge_zones(zone: str) -> list[Finding]:
    """Look whether this machine knows time zones, which the daily digest is timed by."""
    try:
        ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        return [hint("Time zones", f"{zone} is unknown here.", "Install the time-zone data: pip install tzdata")]
    return []
