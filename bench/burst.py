"""`burst`: thousands of purchases at once in one server. Says how much of Discord's bucket is used."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass

import click

from bench.crowd import link_crowd
from bench.results import last_line, verdict
from bench.stage import Stage, stage
from sandbox.discord.buckets import RULES

BUCKET = RULES["member-role"]
LOWEST_USE = 0.95
LONGEST_CLAIM_SECONDS = 2.0
WARM_UP_WINDOWS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What was seen: moments of the role writes in seconds, and seconds for which each person waited."""

    writes: list[float]
    waits: list[float]
    too_many: int


@click.command()
@click.option("--purchases", default=10_000, show_default=True, help="Purchases at once, of members already linked.")
@click.option("--windows", default=11, show_default=True, help="Windows of the role bucket to watch.")
@click.option("--claims", default=5, show_default=True, help="People who type !claim in the middle.")
@click.option("--scale", default=0.5, show_default=True, help="How much shorter than Discord's 10 s a window is.")
def command(purchases: int, windows: int, claims: int, scale: float) -> None:
    """Let Stripe announce all purchases at once and watch Discord's side for some windows."""
    seen = asyncio.run(_measure(purchases, windows, claims, scale))
    writes, seconds = _whole_windows(seen.writes, BUCKET.seconds * scale)
    use = writes / (BUCKET.limit * seconds / (BUCKET.seconds * scale))
    wait = max(seen.waits, default=0.0) / scale
    click.echo(
        f"{purchases} purchases at once in one server; windows of {BUCKET.seconds * scale:g} s, {windows} watched"
    )
    click.echo(verdict(is_met=use >= LOWEST_USE, text=f"{100 * use:.1f} % of the role bucket used (≥ 95 %)"))
    click.echo(verdict(is_met=seen.too_many == 0, text=f"{seen.too_many} answers of 429 (0)"))
    is_met = wait <= LONGEST_CLAIM_SECONDS
    click.echo(verdict(is_met=is_met, text=f"slowest of {claims} !claim: {wait:.2f} s of bucket time (≤ 2)"))
    click.echo(
        f"    Against the real Discord {purchases} roles take {purchases / BUCKET.limit * BUCKET.seconds / 3600:.1f} h."
    )
    click.echo(
        last_line(
            "burst", purchases=purchases, bucket_use=use, too_many=seen.too_many, slowest_claim_seconds=wait,
            writes=len(seen.writes), scale=scale, claims=claims,
        )
    )  # fmt: skip


async def _measure(purchases: int, windows: int, claims: int, scale: float) -> Burst:
    window = BUCKET.seconds * scale
    async with stage(scale, reconcile_minutes=600) as both:
        newcomers = await both.world.ask("newcomers", count=claims)
        user_ids = await both.world.ask("crowd", count=purchases, has_role=False)
        await link_crowd(both, user_ids, await both.world.ask("subscribe", user_ids=user_ids))
        await both.idle(within_seconds=60)
        await both.world.ask("forget")
        await both.world.ask("announce", user_ids=user_ids)
        await asyncio.sleep(WARM_UP_WINDOWS * window)
        waits = await _claims(both, newcomers, window, windows)
        counts = await both.world.ask("counts")
        writes = await both.world.ask("role_writes")
        return Burst(writes=writes, waits=waits, too_many=counts["too_many"])


async def _claims(both: Stage, newcomers: list[int], window: float, windows: int) -> list[float]:
    """Spread the claims over the watched windows, at other moments of a window each time."""
    waits = []
    pause = windows * window / (len(newcomers) + 1)
    for number, user_id in enumerate(newcomers):
        await asyncio.sleep(pause + window * number / len(newcomers))
        waits.append(await both.world.ask("claim", user_id=user_id))
    await asyncio.sleep(pause)
    return waits


def _whole_windows(writes: list[float], window: float) -> tuple[int, float]:
    """Return how many writes there were in how many seconds, between the openings of the first and the last window."""
    opened = [writes[0]]
    for moment in writes:
        if moment >= opened[-1] + window:
            opened.append(moment)
    inside = list(itertools.takewhile(lambda moment: moment < opened[-1], writes))
    return len(inside), opened[-1] - opened[0]
