"""The wave: many made-up members buy, redeem their codes, and all cancel at once, so that the brake shows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sandbox import buyers
from sandbox.discord.world import User
from sandbox.page.desk import Desk
from sandbox.page.fields import Fields
from sandbox.visitor import claim_code

WAVE = 50
"""What an ordinary machine takes in within about 20 seconds: each one is a dozen webhooks, a mail and a code."""

WAVE_SECONDS = 120.0

_LOOK_SECONDS = 0.1
_CALM_LOOKS = 20


async def wave(desk: Desk, fields: Fields) -> str:
    """Let as many as the form says, at most WAVE, buy and come in, and then all cancel."""
    if desk.obstacle:
        raise LookupError(f"Not now: {desk.obstacle}")
    given = fields.get("members", "")
    size = min(int(given), WAVE) if given.isdigit() else WAVE
    what = f"{size} people buy and redeem their codes; then all of them cancel. This takes about twenty seconds."
    return desk.start("The wave", what, _wave(desk, size))


async def _wave(desk: Desk, size: int) -> str:
    people = _newcomers(desk, size)
    async with asyncio.timeout(WAVE_SECONDS):
        subscriptions = await _buy(desk, people)
        await _redeem(desk, people)
        await desk.world.stripe.control.bulk_cancel(subscriptions)
        desk.say(f"All {size} have cancelled within a second. Watch the log.")
        held = await _held(desk, people)
    desk.held_by_brake = (*desk.held_by_brake, *held)
    return f"{size} members cancelled within a second. {size - len(held)} lost the role, the brake holds {len(held)}."


def _newcomers(desk: Desk, size: int) -> list[User]:
    discord, guild = desk.world.discord, desk.world.seed.server.guild
    first = len(discord.world.users)
    people = [
        discord.create_user(f"guest{number}", email=f"guest{number}@example.com", global_name=f"Guest {number}")
        for number in range(first, first + size)
    ]
    for person in people:
        discord.people.join(guild, person)
    return people


async def _buy(desk: Desk, people: Sequence[User]) -> list[str]:
    """Let everybody pay at Stripe; return the subscriptions."""
    stripe, price_id = desk.world.stripe, desk.world.seed.wares[0].price_id
    bought = []
    for person in people:
        session = stripe.control.buy(price_id, person.email or "", name=person.global_name)
        bought.append(str(session["subscription"]))
        await asyncio.sleep(0)
    return bought


async def _redeem(desk: Desk, people: Sequence[User]) -> None:
    """Let everybody write the code from their mail as soon as it is there, until all have the role."""
    world, waiting = desk.world, {person.email: person for person in people}
    arrived = 0
    while arrived < len(people):
        for mail in list(world.mailbox.mails):
            code = claim_code(mail.text)
            person = waiting.pop(mail.to[0], None) if code else None
            if person is not None:
                world.discord.people.say(world.seed.server.get_access, person, f"!claim {code}")
        await asyncio.sleep(_LOOK_SECONDS)
        before, arrived = arrived, sum(buyers.has_role(world, person) for person in people)
        if arrived != before:
            desk.say(f"{arrived} of {len(people)} have bought, redeemed their code and got VIP. Then all cancel.")


async def _held(desk: Desk, people: Sequence[User]) -> list[User]:
    """Return who still has the role once nothing has moved for a while, at Stripe, at Discord or in the mail."""
    world, calm = desk.world, 0
    seen: tuple[int, ...] = ()
    while calm < _CALM_LOOKS:
        await asyncio.sleep(_LOOK_SECONDS)
        log, vip = world.seed.server.log, world.seed.server.vip
        before = seen
        seen = (
            len(world.stripe.deliveries.log),
            len(world.mailbox.mails),
            len(log.messages),
            world.seed.server.guild.role_counts[vip.id],
        )
        calm = calm + 1 if seen == before else 0
    return [person for person in people if buyers.has_role(world, person)]
