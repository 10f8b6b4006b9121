"""The system's Chromium for browser tests: where it is, how it is started, a tab with patience."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--disable-quic"),
]
PATIENCE_MILLISECONDS = 15_000


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    """Run the system's Chromium."""
    async with async_playwright() as tool:
        started = await tool.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        await started.close()


@asynccontextmanager
async def a_tab(browser: Browser, *, has_script: bool = True) -> AsyncIterator[Page]:
    """Open a tab of a desktop's size."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, java_script_enabled=has_script)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield await context.new_page()
    await context.close()
