"""`latency`: from the accepted webhook to the role on the local Discord, for a linked member on an idle Doorlist."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from bench.crowd import link_crowd
from bench.results import last_line, percentile, verdict
from bench.stage import Stage, stage

SCALE = 0.01  # windows of a tenth of a second: grants one after the other never fill one
P50_MS, P99_MS = 100.0, 500.0


@click.command()
@click.option("--grants", default=200, show_default=True, help="Purchases, one after the other.")
@click.option("--pause", default=0.02, show_default=True, help="Seconds of rest between two of them.")
def command(grants: int, pause: float) -> None:
    """Buy for linked members, one after the other, and watch the role arrive."""
    seen, calls = asyncio.run(_measure(grants, pause))
    milliseconds = [1000 * (one["seen_at"] - one["accepted_at"]) for one in seen]
    p50, p99 = percentile(milliseconds, 0.5), percentile(milliseconds, 0.99)
    queries, roles, others = (calls[name] / grants for name in ("queries", "roles", "others"))
    click.echo(f"{grants} purchases of linked members, one after the other, on an idle Doorlist")
    click.echo(verdict(is_met=p50 <= P50_MS, text=f"webhook accepted to role, p50 {p50:.1f} ms (≤ {P50_MS:.0f})"))
    click.echo(verdict(is_met=p99 <= P99_MS, text=f"webhook accepted to role, p99 {p99:.1f} ms (≤ {P99_MS:.0f})"))
    is_met = queries == roles == 1 and others == 0
    click.echo(
        verdict(is_met=is_met, text=f"{queries:g} member queries, {roles:g} role writes, {others:g} others each")
    )
    click.echo(
        last_line(
            "latency", p50_ms=p50, p99_ms=p99, worst_ms=max(milliseconds), grants=grants,
            queries_each=queries, role_writes_each=roles, other_calls_each=others,
        )
    )  # fmt: skip


async def _measure(grants: int, pause: float) -> tuple[list[dict[str, float]], dict[str, int]]:
    async with stage(SCALE) as both:
        user_ids = await both.world.ask("crowd", count=grants + 1, has_role=False)
        await link_crowd(both, user_ids, await both.world.ask("subscribe", user_ids=user_ids))
        # The first grant opens connections and fills caches.
        await _grant(both, user_ids[:1], pause)
        await both.world.ask("forget")
        before = await both.queries()
        seen = await _grant(both, user_ids[1:], pause)
        counts = await both.world.ask("counts")
        return seen, {**counts, "queries": await both.queries() - before}


async def _grant(both: Stage, user_ids: list[int], pause: float) -> Any:
    found = await both.world.ask("grant_one_by_one", user_ids=user_ids, pause_seconds=pause)
    await both.idle(within_seconds=10)
    return found
