"""`pages`: the portal and the members list over 100,000 members, quiet and while webhooks arrive; the list as CSV."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import click

from bench.child import child
from bench.ingest_client import HOST, requests_for
from bench.probe import resident_mb
from bench.results import last_line, percentile, verdict

SECRET = "whsec_bench"
P99_MS = 100.0
MOST_EXTRA_MB = 30.0
BODY_BYTES = 4096
CONNECTIONS = 16
LOOK_SECONDS = 0.02
PAGES_OF_A_FILTER = 5

FILTERS: Mapping[str, str] = {
    "everybody": "",
    "a plan": "plan=1",
    "connected": "linked=yes",
    "not connected": "linked=no",
    "needs attention": "state=problem",
    "cancelled, still running": "state=ending",
    "in trial": "state=trialing",
    "a plan, failed": "plan=2&state=failed",
    "a plan, needs attention": "plan=3&state=problem",
    "nobody stands there": "plan=2&state=paused",
    "search: one e-mail": "q=buyer77",
    "search: too wide": "q=b",
    "search: Discord name": "q=member5",
    "search: an id": "q=sub_500",
    "search: nobody": "q=zzz",
    "search and state": "q=buyer9&state=past_due",
}


@dataclass(slots=True)
class Timed:
    """How long each request to one address took, in milliseconds, and how large the page was as it was sent."""

    quiet: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    kilobytes: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Everything that was seen. `webhooks` is how many were accepted in a second."""

    pages: Mapping[str, Timed]
    webhooks: float
    rows: int
    export_seconds: float
    extra_mb: float


@click.command()
@click.option("--members", default=100_000, show_default=True)
@click.option("--requests", default=100, show_default=True, help="Requests for each page, quiet and busy.")
@click.option("--webhooks", default=200, show_default=True, help="Webhooks in a second meanwhile.")
def command(members: int, requests: int, webhooks: int) -> None:
    """Open pages one after the other, in turns quiet and busy, then download the list."""
    with tempfile.TemporaryDirectory(prefix="doorlist-bench-") as folder:
        seen = asyncio.run(_measure(Path(folder) / "pages.db", members, requests, webhooks))
    click.echo(f"{members:,} members; each page {requests} times, quiet and while {webhooks} webhooks a second arrive")
    click.echo("                              quiet p50     p99   busy p50     p99 ms    KB")
    for name, timed in seen.pages.items():
        numbers = [percentile(times, share) for times in (timed.quiet, timed.busy) for share in (0.5, 0.99)]
        cells = f"{numbers[0]:10.1f} {numbers[1]:7.1f} {numbers[2]:10.1f} {numbers[3]:7.1f}"
        click.echo(f"  {name:<26} {cells} {timed.kilobytes:7.1f}")
    worst = {name: percentile(timed.busy, 0.99) for name, timed in seen.pages.items()}
    slowest = max(worst, key=lambda name: worst[name])
    portal, listed = worst["portal"], max(worst[name] for name in FILTERS)
    text = f"portal p99 {portal:.0f} ms, members list p99 {listed:.0f} ms ({slowest}) (≤ {P99_MS:.0f})"
    click.echo(verdict(is_met=max(portal, listed) <= P99_MS, text=text))
    is_kept_up = seen.webhooks >= 0.95 * webhooks
    click.echo(verdict(is_met=is_kept_up, text=f"{seen.webhooks:.0f} webhooks a second were accepted meanwhile"))
    cost = f"{seen.export_seconds:.1f} s, {seen.extra_mb:.1f} MB more (≤ {MOST_EXTRA_MB:.0f})"
    text = f"export of {seen.rows:,} rows in {cost}"
    click.echo(verdict(is_met=seen.extra_mb <= MOST_EXTRA_MB, text=text))
    click.echo(
        last_line(
            "pages", portal_p99_ms=portal, list_p99_ms=listed, webhooks_per_second=seen.webhooks, rows=seen.rows,
            export_seconds=seen.export_seconds, extra_mb=seen.extra_mb,
        )
    )  # fmt: skip


async def _measure(database: Path, members: int, requests: int, per_second: int) -> Measured:
    async with child("bench.pages_server", str(database), SECRET, str(members)) as server:
        about: dict[str, Any] = await server.ask("about")
        port = int(about["port"])
        cookies = {name: about[name] for name in ("doorlist-staff", "doorlist-portal")}
        async with aiohttp.ClientSession(f"http://{HOST}:{port}", cookies=cookies) as browser:
            # First: later there would be memory that pages have left free.
            export = await _export(browser, int(about["guild_id"]), int(about["process"]))
            addresses = await _addresses(browser, int(about["guild_id"]))
            pages = {name: Timed() for name in addresses}
            await _round(browser, addresses, 2)  # the first request of each compiles its template and statements
            for name, times in (await _round(browser, addresses, requests)).items():
                pages[name].quiet += times
            async with _webhooks(port, per_second) as accepted:
                started = time.perf_counter()
                for name, times in (await _round(browser, addresses, requests)).items():
                    pages[name].busy += times
                webhooks = len(accepted) / (time.perf_counter() - started)
            for name, paths in addresses.items():
                async with browser.get(paths[0]) as response:
                    pages[name].kilobytes = int(response.headers["Content-Length"]) / 1000
        return Measured(pages=pages, webhooks=webhooks, **export)


async def _addresses(browser: aiohttp.ClientSession, guild_id: int) -> dict[str, Sequence[str]]:
    """Return what to open: for each filter its first pages, as somebody would turn them."""
    found: dict[str, Sequence[str]] = {"(a page without a list)": ["/sign-in"], "portal": ["/portal"]}
    for name, query in FILTERS.items():
        path = f"/admin/{guild_id}/members?{query}"
        paths = [path]
        for _ in range(PAGES_OF_A_FILTER - 1):
            async with browser.get(paths[-1]) as response:
                text = await response.text()
            before, is_more, _ = text.partition('rel="next"')
            if not is_more:
                break
            paths.append(before.rpartition('href="')[2].partition('"')[0].replace("&amp;", "&"))
        found[name] = paths
    return found


async def _round(
    browser: aiohttp.ClientSession, addresses: Mapping[str, Sequence[str]], requests: int
) -> dict[str, list[float]]:
    """Open every page so many times, each after the other, in turns; return the milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in addresses}
    for number in range(requests):
        for name, paths in addresses.items():
            started = time.perf_counter()
            async with browser.get(paths[number % len(paths)], allow_redirects=False) as response:
                await response.read()
                if response.status != 200:
                    raise RuntimeError(f"{name}: {response.status}")
            times[name].append(1000 * (time.perf_counter() - started))
    return times


@asynccontextmanager
async def _webhooks(port: int, per_second: int) -> AsyncIterator[list[float]]:
    """Send signed webhooks at a rate while the block runs; the list holds when each was accepted."""
    accepted: list[float] = []
    async with asyncio.TaskGroup() as group:
        senders = [group.create_task(_send(port, number, per_second, accepted)) for number in range(CONNECTIONS)]
        try:
            yield accepted
        finally:
            for sender in senders:
                sender.cancel()


async def _send(port: int, number: int, per_second: int, accepted: list[float]) -> None:
    """Send this connection's share, one at a time and on the beat, until cancelled."""
    reader, writer = await asyncio.open_connection(HOST, port)
    pause, loop = CONNECTIONS / per_second, asyncio.get_running_loop()
    due, portion = loop.time() + pause * number / CONNECTIONS, 0
    try:
        while True:
            for request in requests_for(SECRET, name=f"{number}_{portion}", count=20, body_bytes=BODY_BYTES):
                await asyncio.sleep(due - loop.time())
                due += pause
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(f"refused: {head[:80]!r}")
                accepted.append(loop.time())
            portion += 1
    finally:
        writer.close()


async def _export(browser: aiohttp.ClientSession, guild_id: int, process: int) -> dict[str, Any]:
    """Download the whole list and watch how much memory the server takes meanwhile."""
    before = highest = resident_mb(process)
    rows, started = -1, time.perf_counter()  # the headings are no row
    looked_at = started
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
    async with browser.post(f"/admin/{guild_id}/members/export", data=b"", headers=headers) as response:
        async for portion in response.content.iter_any():
            rows += portion.count(b"\n")
            if time.perf_counter() - looked_at > LOOK_SECONDS:
                highest, looked_at = max(highest, resident_mb(process)), time.perf_counter()
    return {"rows": rows, "export_seconds": time.perf_counter() - started, "extra_mb": highest - before}
