"""The `brake` commands: what is held, and a person's word on it. For a Doorlist that is not running."""

from __future__ import annotations

import click

from app.offline import FINE, answer
from app.settings import Settings
from membership import holds
from membership.model import BatchId
from membership.records import Batch
from membership.services import Services

NEEDS_DECISION = 4
ACTOR = "operator"

_CAUSES = {
    "unevidenced": "no purchase ended: a plan was changed, or what it maps is gone",
    "too_many_removals": "more removals in 24 hours than go through without asking",
    "too_many_kicks": "more kicks in 24 hours than go through without asking",
}


def list_held(settings: Settings) -> int:
    """Print every held batch with the two commands that decide it; 4 when there is one."""
    return answer(settings, _list)


def release(settings: Settings, batch_id: int, set_hash: str) -> int:
    """Let exactly the shown removals go on."""

    async def work(services: Services) -> int:
        batch = await holds.release(services, BatchId(batch_id), set_hash, ACTOR)
        click.echo(f"✓ Released {len(batch.removals)} removals. They go on if Doorlist runs within 30 minutes.")
        return FINE

    return answer(settings, work)


def discard(settings: Settings, batch_id: int, set_hash: str) -> int:
    """Keep the access of everybody in the batch."""

    async def work(services: Services) -> int:
        batch = await holds.discard(services, BatchId(batch_id), set_hash, ACTOR)
        click.echo(f"✓ Discarded {len(batch.removals)} removals: these members keep what they have.")
        return FINE

    return answer(settings, work)


async def _list(services: Services) -> int:
    async with services.store.read() as tx:
        batches = await tx.removals.open_batches()
    if not batches:
        click.echo("Nothing is held.")
        return FINE
    for batch in batches:
        _print(batch)
    return NEEDS_DECISION


def _print(batch: Batch) -> None:
    since = f"{batch.created_at:%Y-%m-%d %H:%M}"
    click.echo(f"Batch {batch.id}: {len(batch.removals)} removals in server {batch.guild_id}, since {since} UTC")
    click.echo(f"  Held because: {_CAUSES.get(batch.cause, batch.cause)}. Everybody keeps access until you decide.")
    for removal in batch.removals:
        what = "kick" if removal.role_id is None else f"role {removal.role_id}"
        click.echo(f"    {what} from user {removal.key.user_id}")
    for verb in ("release", "discard"):
        click.echo(f"  python3 bot.py brake {verb} {batch.id} {batch.set_hash}")
