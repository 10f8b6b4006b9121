"""`sweep`: the five-minute run over a large server, first with nothing to do, then with some roles lost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import click
from sqlalchemy import text

from bench.crowd import copy_served, link_crowd
from bench.probe import Cost, cost
from bench.results import last_line, verdict
from bench.stage import Stage, stage

SCALE = 0.001  # Discord's own limits out of the way: what is measured is ours
LONGEST_STALL_MS = 50.0
SECONDS_ALLOWED = 300.0
QUERIES_PER_MINUTE_FOR_SWEEPS = 80
MEMBERS_PER_QUERY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One run over everybody: what it cost here and what it asked of Discord."""

    cost: Cost
    queries: int
    role_writes: int


@click.command()
@click.option("--members", default=100_000, show_default=True, help="Managed members in one server.")
@click.option("--drift", default=0.01, show_default=True, help="Share of them that lost their role.")
def command(members: int, drift: float) -> None:
    """Compare every member of a large server with Discord, and put right what differs."""
    lost = round(members * drift)
    quiet, repair = asyncio.run(_measure(members, lost))
    click.echo(f"{members} managed members in one server")
    click.echo(_words("nothing lost", quiet))
    click.echo(_words(f"{lost} roles lost", repair))
    stall = 1000 * quiet.cost.longest_stall_seconds
    click.echo(verdict(is_met=quiet.role_writes == 0, text=f"nothing lost: {quiet.role_writes} role writes (0)"))
    click.echo(verdict(is_met=stall <= LONGEST_STALL_MS, text=f"nothing lost: longest stall {stall:.1f} ms (≤ 50)"))
    click.echo(
        verdict(is_met=repair.role_writes == lost, text=f"{repair.role_writes} role writes for {lost} lost roles")
    )
    floor = members / MEMBERS_PER_QUERY / QUERIES_PER_MINUTE_FOR_SWEEPS
    click.echo(
        f"    Against the real Discord a look at everybody takes {floor:.1f} minutes: {MEMBERS_PER_QUERY} members in "
        f"a query, {QUERIES_PER_MINUTE_FOR_SWEEPS} queries in a minute; a lost role comes back at one in a second."
    )
    click.echo(
        last_line(
            "sweep", members=members, role_writes=quiet.role_writes, longest_stall_ms=stall,
            longest_work_ms=1000 * quiet.cost.longest_work_seconds,
            cpu_seconds=quiet.cost.cpu_seconds, seconds=quiet.cost.seconds, rss_mb=quiet.cost.resident_mb,
            queries=quiet.queries, lost=lost, repairs=repair.role_writes, repair_seconds=repair.cost.seconds,
            repair_cpu_seconds=repair.cost.cpu_seconds, repair_stall_ms=1000 * repair.cost.longest_stall_seconds,
        )
    )  # fmt: skip


async def _measure(members: int, lost: int) -> tuple[Sweep, Sweep]:
    # Twice as many as there are: whoever was just written is looked at again in the same sweep.
    async with stage(SCALE, sweep_members=2 * members, reconcile_minutes=600) as both:
        user_ids = await both.world.ask("crowd", count=members, has_role=True)
        await _serve(both, user_ids)
        quiet = await _sweep(both)
        await both.world.ask("strip", user_ids=user_ids[:: max(1, members // lost)][:lost])
        return quiet, await _sweep(both)


async def _serve(both: Stage, user_ids: list[int]) -> None:
    """Bring the database to where every one of them was served: the first by production code, the rest as copies."""
    await both.world.ask("strip", user_ids=user_ids[:1])
    await link_crowd(both, user_ids[:1], await both.world.ask("subscribe", user_ids=user_ids[:1]))
    await both.world.ask("grant_one_by_one", user_ids=user_ids[:1], pause_seconds=0)
    await both.idle(within_seconds=SECONDS_ALLOWED)
    await copy_served(both, user_ids)


async def _sweep(both: Stage) -> Sweep:
    async with both.process.database.write() as tx:
        # As if the last look at everybody had been long ago.
        await tx.connection.execute(text("UPDATE members SET observed_at = 0"))
    await both.world.ask("forget")
    queries = await both.queries()
    async with cost() as seen:
        await both.process.clocks.five_minutes()
        await both.idle(within_seconds=SECONDS_ALLOWED)
    counts = await both.world.ask("counts")
    return Sweep(cost=seen, queries=await both.queries() - queries, role_writes=counts["roles"])


def _words(what: str, sweep: Sweep) -> str:
    cost_ = sweep.cost
    return (
        f"  {what:<18} {cost_.seconds:7.1f} s  {cost_.cpu_seconds:6.1f} s CPU  {cost_.resident_mb:5.0f} MB  "
        f"{1000 * cost_.longest_stall_seconds:5.1f} ms stall ({1000 * cost_.longest_work_seconds:.1f} ms of it work)  "
        f"{sweep.queries:5} queries  {sweep.role_writes:5} writes"
    )
