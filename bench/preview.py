"""`preview`: `/plan preview` of a plan with a crowd of members: when its first page is there, what counting costs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

import click

from bench.crowd import copy_served, link_crowd
from bench.probe import Cost, cost
from bench.results import last_line, verdict
from bench.stage import Stage, stage
from cogs.preview_cards import counting_card
from membership import preview
from membership.actors import Actor
from membership.model import OnPastDue, Plan, UserId
from membership.plan_effects import Tally

SCALE = 0.001
FIRST_PAGE_SECONDS, LONGEST_STALL_MS = 2.0, 50.0
SECONDS_ALLOWED = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One preview: when the first page was there, what the whole cost, and what it came to."""

    first_page_seconds: float
    cost: Cost
    tally: Tally


@click.command()
@click.option("--members", default=100_000, show_default=True, help="Managed members on the plan.")
def command(members: int) -> None:
    """Preview a plan as it is, and with its roles changed for everybody."""
    same, changed = asyncio.run(_measure(members))
    click.echo(f"{members} managed members on one plan")
    for what, counted in (("as it is", same), ("everybody moves", changed)):
        click.echo(
            f"  {what:<18} first page {counted.first_page_seconds:5.2f} s, complete {counted.cost.seconds:6.1f} s  "
            f"{counted.cost.cpu_seconds:6.1f} s CPU  {counted.cost.resident_mb:5.0f} MB  "
            f"{1000 * counted.cost.longest_stall_seconds:5.1f} ms stall "
            f"({1000 * counted.cost.longest_work_seconds:.1f} ms of it work)  {counted.tally.touched} touched"
        )
    first = max(same.first_page_seconds, changed.first_page_seconds)
    stall = 1000 * max(same.cost.longest_stall_seconds, changed.cost.longest_stall_seconds)
    click.echo(verdict(is_met=first <= FIRST_PAGE_SECONDS, text=f"first page after {first:.2f} s (≤ 2)"))
    click.echo(verdict(is_met=stall <= LONGEST_STALL_MS, text=f"longest stall {stall:.1f} ms (≤ 50)"))
    click.echo(verdict(is_met=changed.tally.touched == members, text=f"{changed.tally.touched} of {members} move"))
    click.echo(
        last_line(
            "preview", members=members, first_page_seconds=first, longest_stall_ms=stall,
            longest_work_ms=1000 * max(same.cost.longest_work_seconds, changed.cost.longest_work_seconds),
            seconds=same.cost.seconds, changed_seconds=changed.cost.seconds, touched=changed.tally.touched,
            rss_mb=changed.cost.resident_mb,
        )
    )  # fmt: skip


async def _measure(members: int) -> tuple[Counted, Counted]:
    async with stage(SCALE, sweep_members=1, reconcile_minutes=600) as both:
        user_ids = await both.world.ask("crowd", count=members, has_role=True)
        await both.world.ask("strip", user_ids=user_ids[:1])
        await link_crowd(both, user_ids[:1], await both.world.ask("subscribe", user_ids=user_ids[:1]))
        await both.world.ask("grant_one_by_one", user_ids=user_ids[:1], pause_seconds=0)
        await both.idle(within_seconds=SECONDS_ALLOWED)
        await copy_served(both, user_ids)
        async with both.process.database.read() as tx:
            (plan,) = await tx.plans.all(both.guild_id)
        trial = both.process.services.discord.roles(both.guild_id)
        other = next(role for role in sorted(trial) if role != both.role_id and not trial[role].refusal)
        return await _count(both, plan), await _count(both, replace(plan, roles=(other,), on_past_due=OnPastDue.KEEP))


async def _count(both: Stage, plan: Plan) -> Counted:
    """Do what the command does, up to the card that is sent: count, draw, and keep the preview."""
    services = both.process.services
    started, first_page_seconds, tally = time.perf_counter(), 0.0, Tally()
    async with cost() as seen:
        async for tally in preview.count(services, plan):
            if not first_page_seconds:
                counting_card(plan, tally)
                first_page_seconds = time.perf_counter() - started
        await preview.keep(services, Actor(guild_id=both.guild_id, user_id=UserId(1), can_manage=True), plan, tally)
    return Counted(first_page_seconds=first_page_seconds, cost=seen, tally=tally)
