"""One hook for all tests: where nothing may be left out (.ci/run), a skipped test is a failed one."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure if DOORLIST_REQUIRE_ALL_TESTS=1."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("DOORLIST_REQUIRE_ALL_TESTS") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"{item.nodeid} was left out, and nothing may be: {reason}"
    return report
