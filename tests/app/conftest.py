"""Every test breaks a clinic of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.app.clinic import Clinic, a_clinic


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    """Open a healthy Doorlist."""
    async with a_clinic(tmp_path) as opened:
        yield opened
