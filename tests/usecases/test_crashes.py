"""The process dies at every commit and around every outside call of a story; started again, it converges (law 4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from membership import invariants
from membership.model import PurchaseStatus
from tests.usecases.conftest import Builder
from tests.usecases.faults import CrashNow
from tests.usecases.world import CHARLIE, FRIEND, VIP, World

Story = Callable[[World], Awaitable[None]]


async def buying(world: World) -> None:
    """Let a webhook come, the mail go out, the buyer connect, the role arrive."""
    await world.webhook("sub_1", event_id="evt_1")
    await world.settle()
    await world.links("sub_1", CHARLIE)


async def cancelling(world: World) -> None:
    """Let the end come by webhook, the role go, the last mail go out."""
    await world.webhook("sub_1", event_id="evt_end")
    await world.settle()


async def before_buying(world: World) -> None:
    quiet = replace(await world.guild(), event_channel_id=None)  # fewer steps, and none of them a matter of access
    async with world.services.store.write() as tx:
        await tx.guilds.replace(quiet)
    await world.plan("vip", VIP)
    world.joins(CHARLIE, FRIEND)
    world.pays("vip")


async def before_cancelling(world: World) -> None:
    await before_buying(world)
    await buying(world)
    world.now_reads("sub_1", status=PurchaseStatus.ENDED)


async def play(world: World, story: Story, crash_at: int | None) -> list[str]:
    """Play a story, killed at one step if asked; then start again, let the outside repeat itself, and come to rest."""
    world.fuse.steps.clear()
    world.fuse.blows_at = crash_at
    try:
        await story(world)
    except CrashNow:
        await world.restart()
        # The provider repeats an event that was not answered; the person presses the button again.
        await story(world)
    steps = list(world.fuse.steps)
    await world.advance(minutes=1)
    await world.five_minutes()
    return steps


async def steps_of(new_world: Builder, prepare: Story, story: Story) -> list[str]:
    world = await new_world()
    await prepare(world)
    return await play(world, story, None)


def ends_of_life(steps: list[str]) -> list[int]:
    """Return the steps to die at: before anything, and after every effect.

    To die before an effect leaves the same world behind as to die after the effect before it.
    """
    return [0, *(place for place, step in enumerate(steps) if step.startswith("after "))]


async def check_rest(world: World, mails: list[str], roles: set[object], standing: str) -> None:
    assert world.roles(CHARLIE) == roles
    assert await world.standing("sub_1") == [standing]
    assert len({mail.message_id for mail in world.mailer.sent}) == len(mails)
    assert sorted(set(world.mailer.templates())) == sorted(mails)
    assert (await world.jobs())["parked"] == 0
    assert await invariants.check(world.services) == 0
    touched = {call[2] for call in world.discord.faults.of("add_role", "remove_role")}
    assert touched <= {VIP}


async def test_a_purchase_survives_a_crash_at_every_step(new_world: Builder) -> None:
    steps = await steps_of(new_world, before_buying, buying)
    assert {"before add_role", "after add_role", "after send", "before commit", "after commit"} <= set(steps)
    for crash_at in ends_of_life(steps):
        world = await new_world()
        await before_buying(world)
        await play(world, buying, crash_at)
        await check_rest(world, ["connect", "delivered"], {VIP, FRIEND}, "delivered paid")


async def test_an_end_survives_a_crash_at_every_step(new_world: Builder) -> None:
    steps = await steps_of(new_world, before_cancelling, cancelling)
    assert {"before remove_role", "after remove_role"} <= set(steps)
    for crash_at in ends_of_life(steps):
        world = await new_world()
        await before_cancelling(world)
        await play(world, cancelling, crash_at)
        await check_rest(world, ["connect", "delivered", "ended"], {FRIEND}, "revoked cancelled")
