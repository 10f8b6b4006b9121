"""For all tests: in .ci/run a skipped test is a failed one, and no heartbeat outlives its test."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator, Iterator

import pytest

LEFT_BEHIND: list[threading.Thread] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure if DOORLIST_REQUIRE_ALL_TESTS=1."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("DOORLIST_REQUIRE_ALL_TESTS") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"{item.nodeid} was left out, and nothing may be: {reason}"
    return report


@pytest.fixture(autouse=True)
def heartbeats_end_with_their_test() -> Iterator[None]:
    """Stop the heartbeat threads that discord.py leaves behind when it is cancelled while it identifies.

    Such a thread would raise in the middle of some later test, whose loop it does not know. It is kept, because with it
    goes a socket that discord.py forgot to close, and the warning about that would fail a test that is innocent.
    """
    yield
    gateway = sys.modules.get("discord.gateway")
    if gateway is None:
        return
    for thread in threading.enumerate():
        if isinstance(thread, gateway.KeepAliveHandler):
            thread.stop()
            thread.join(timeout=1)
            LEFT_BEHIND.append(thread)
