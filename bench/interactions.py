"""`interactions`: slash commands and suggestions while a sweep runs, with a large server in the database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import click
from sqlalchemy import update

from bench.crowd import copy_served, link_crowd
from bench.probe import Cost, cost
from bench.results import last_line, percentile, verdict
from bench.stage import Stage, stage
from storage.columns import NEVER
from storage.schema import members

SCALE = 0.001
P99_FIRST_MS, P99_TYPING_MS = 100.0, 50.0
SECONDS_ALLOWED = 300.0
PORTION = 500
PAUSE_SECONDS = 1.05
"""Staff may use ten commands in ten seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was measured, in milliseconds."""

    first: list[float]
    full: list[float]
    typing: list[float]
    cost: Cost


@click.command()
@click.option("--members", default=100_000, show_default=True, help="Managed members in one server.")
@click.option("--swept", default=10_000, show_default=True, help="Members that one sweep looks at; it is repeated.")
@click.option("--commands", default=100, show_default=True, help="Commands typed, one after the other.")
@click.option("--typed", default=300, show_default=True, help="Times somebody types into an option.")
def command(members: int, swept: int, commands: int, typed: int) -> None:
    """Type commands and options while everybody is compared with Discord."""
    seen = asyncio.run(_measure(members, swept, commands, typed))
    first, typing = percentile(seen.first, 0.99), percentile(seen.typing, 0.99)
    click.echo(f"{members} managed members; a sweep over {swept} runs again and again meanwhile")
    click.echo(verdict(is_met=first <= P99_FIRST_MS, text=f"command to first answer, p99 {first:.1f} ms (≤ 100)"))
    click.echo(verdict(is_met=typing <= P99_TYPING_MS, text=f"typing to suggestions, p99 {typing:.1f} ms (≤ 50)"))
    full = percentile(seen.full, 0.99)
    click.echo(f"    command to the whole answer: p50 {percentile(seen.full, 0.5):.1f} ms, p99 {full:.1f} ms")
    click.echo(
        last_line(
            "interactions", members=members, swept=swept, first_p50_ms=percentile(seen.first, 0.5), first_p99_ms=first,
            typing_p50_ms=percentile(seen.typing, 0.5), typing_p99_ms=typing, full_p99_ms=full,
            longest_stall_ms=1000 * seen.cost.longest_stall_seconds,
            longest_work_ms=1000 * seen.cost.longest_work_seconds,
        )
    )  # fmt: skip


async def _measure(count: int, swept: int, commands: int, typed: int) -> Seen:
    async with stage(SCALE, sweep_members=swept, reconcile_minutes=600) as both:
        user_ids = await both.world.ask("crowd", count=count, has_role=True)
        await both.world.ask("strip", user_ids=user_ids[:1])
        await link_crowd(both, user_ids[:1], await both.world.ask("subscribe", user_ids=user_ids[:1]))
        await both.world.ask("grant_one_by_one", user_ids=user_ids[:1], pause_seconds=0)
        await both.idle(within_seconds=SECONDS_ALLOWED)
        await copy_served(both, user_ids)
        await _forget(both, user_ids)
        sweeping = asyncio.create_task(_sweep_for_ever(both, user_ids))
        try:
            async with cost() as seen:
                said = await both.world.ask(
                    "types", commands=_commands(user_ids), count=commands, pause_seconds=PAUSE_SECONDS
                )
                typing = await both.world.ask("typing", options=_options(), count=typed, pause_seconds=0.02)
        finally:
            sweeping.cancel()
            await asyncio.wait([sweeping])
    return Seen(
        first=[1000 * each["first"] for each in said],
        full=[1000 * each["full"] for each in said],
        typing=[1000 * each for each in typing],
        cost=seen,
    )


def _commands(user_ids: list[int]) -> list[list[object]]:
    middle = user_ids[len(user_ids) // 2]
    return [
        ["membership", {}],
        ["plan list", {}],
        ["member card", {"member": middle}],
        ["member why", {"member": middle}],
        ["sync status", {}],
    ]


def _options() -> list[list[str]]:
    return [["plan show", "plan", "V"], ["member find", "query", "cus_crowd_5"], ["member find", "query", "bench"]]


async def _sweep_for_ever(both: Stage, user_ids: list[int]) -> None:
    """Sweep until cancelled, each time over those who were looked at longest ago."""
    while True:
        for _ in range(0, len(user_ids), both.process.services.policy.sweep_members):
            await both.process.clocks.five_minutes()
            await both.idle(within_seconds=SECONDS_ALLOWED)
        await _forget(both, user_ids)


async def _forget(both: Stage, user_ids: list[int]) -> None:
    """As if the last look at everybody had been long ago; in portions, which keep nobody waiting."""
    for start in range(0, len(user_ids), PORTION):
        async with both.process.database.write() as tx:
            of_these = members.c.user_id.in_(user_ids[start : start + PORTION])
            await tx.connection.execute(update(members).where(of_these).values(observed_at=NEVER))
        await asyncio.sleep(0)
