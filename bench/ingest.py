"""`ingest`: webhooks accepted durably, against the same web application storing nothing, and a commit for each."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from bench.child import Child, child
from bench.ingest_client import Round, requests_for, send_all
from bench.results import last_line, percentile, verdict

SECRET = "whsec_bench"
LOWEST_RATIO = 0.6
WARM_UP = 200
EACH_SHARE = 5  # one commit per request is slow: it gets a fifth of the requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much is sent."""

    rounds: int
    requests: int
    connections: int
    body_bytes: int


@click.command()
@click.option("--rounds", default=9, show_default=True, help="Interleaved rounds; the result is their median.")
@click.option("--requests", default=4000, show_default=True, help="Requests of a round.")
@click.option("--connections", default=64, show_default=True)
@click.option("--body-bytes", default=4096, show_default=True)
def command(rounds: int, requests: int, connections: int, body_bytes: int) -> None:
    """Send signed webhooks to three web applications that differ only in how they store them."""
    load = Load(rounds=rounds, requests=requests, connections=connections, body_bytes=body_bytes)
    with tempfile.TemporaryDirectory(prefix="doorlist-bench-") as folder:
        rounds_by_name, stored = asyncio.run(_measure(load, Path(folder) / "ingest.db"))
    _report(load, rounds_by_name, stored)


async def _measure(load: Load, database: Path) -> tuple[dict[str, list[Round]], int]:
    async with child("bench.ingest_server", str(database), SECRET) as server:
        ports: dict[str, int] = await server.ask("ports")
        for name, port in ports.items():
            await _round(port, f"warm_{name}", WARM_UP, load)
        before = await server.ask("stored")
        rounds: dict[str, list[Round]] = {name: [] for name in ports}
        for number in range(load.rounds):
            for name, port in _rotated(ports, number):
                count = load.requests // EACH_SHARE if name == "each" else load.requests
                rounds[name].append(await _round(port, f"{number}_{name}", count, load))
        return rounds, await _newly_stored(server, before)


async def _round(port: int, name: str, count: int, load: Load) -> Round:
    requests = requests_for(SECRET, name=name, count=count, body_bytes=load.body_bytes)
    return await send_all(port, requests, connections=load.connections)


async def _newly_stored(server: Child, before: int) -> int:
    found: int = await server.ask("stored")
    return found - before


def _rotated(ports: dict[str, int], number: int) -> Sequence[tuple[str, int]]:
    """Let another one go first in every round: who follows whom must not matter."""
    items = list(ports.items())
    start = number % len(items)
    return items[start:] + items[:start]


def _report(load: Load, rounds: dict[str, list[Round]], stored: int) -> None:
    sent = sum(len(one.latencies) for name in ("group", "each") for one in rounds[name])
    click.echo(f"Signed webhooks of {load.body_bytes} bytes over {load.connections} connections, {load.rounds} rounds")
    click.echo("                    requests/s      p50 ms      p99 ms")
    values: dict[str, float] = {}
    for name, words in (("none", "nothing stored"), ("group", "group commit"), ("each", "commit for each")):
        speed = statistics.median(one.per_second for one in rounds[name])
        p50, p99 = (
            statistics.median(1000 * percentile(one.latencies, share) for one in rounds[name]) for share in (0.5, 0.99)
        )
        click.echo(f"  {words:<16} {speed:11.0f} {p50:11.2f} {p99:11.2f}")
        values |= {f"{name}_per_second": speed, f"{name}_p50_ms": p50, f"{name}_p99_ms": p99}
    ratios = {name: _paired(rounds[name], rounds["none"]) for name in ("group", "each")}
    is_met, is_whole = ratios["group"] >= LOWEST_RATIO, sent == stored
    click.echo(verdict(is_met=is_met, text=f"group commit / nothing stored = {ratios['group']:.2f} (≥ {LOWEST_RATIO})"))
    click.echo(f"    commit for each / nothing stored = {ratios['each']:.2f}")
    click.echo(verdict(is_met=is_whole, text=f"{stored} of {sent} acknowledged events are in the database"))
    values |= {"stored": stored, "sent": sent}
    click.echo(last_line("ingest", ratio=ratios["group"], each_ratio=ratios["each"], **values))


def _paired(rounds: list[Round], bound: list[Round]) -> float:
    """Return the median of the ratios within each round."""
    return statistics.median(one.per_second / other.per_second for one, other in zip(rounds, bound, strict=True))
