"""What a benchmark changes for its whole process is put back: others in it read the log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def loud_again() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)
