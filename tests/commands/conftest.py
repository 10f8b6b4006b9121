"""The stage of the scenarios, for commands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage, stage


@pytest.fixture
async def s(tmp_path: Path) -> AsyncIterator[Stage]:
    """Set the stage on SQLite."""
    async with stage(tmp_path) as both:
        yield both


@pytest.fixture
def olga(s: Stage) -> Keyboard:
    """Olga owns the server."""
    return Keyboard.of(s, "olga")


@pytest.fixture
def ben(s: Stage) -> Keyboard:
    """Ben is a member."""
    return Keyboard.of(s, "ben")
