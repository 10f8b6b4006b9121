"""The trouble buttons: what goes wrong in real life, one press each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sandbox.discord.faults import Answer, Fault, rate_limited
from sandbox.discord.world import User
from sandbox.page.desk import Button, Desk
from sandbox.page.fields import Fields
from sandbox.page.wave import wave
from sandbox.stripe.shapes import Object
from sandbox.visitor import LostError

OUTAGE = timedelta(hours=1)

_ROLE_WRITES = r"/members/\d+/roles/"


async def same_webhook(desk: Desk, _: Fields) -> str:
    """Deliver the last event once more."""
    event = _last_event(desk)
    desk.world.stripe.deliveries.resend(event)
    return f"Stripe sent {event['type']} a second time, as it does. Nothing happens twice."


async def out_of_order(desk: Desk, _: Fields) -> str:
    """Buy while Stripe's events are held back, then deliver them last first."""
    deliveries, ware = desk.world.stripe.deliveries, desk.world.seed.wares[0]
    deliveries.trouble.is_held = True
    try:
        await desk.visitor().buy(ware.slug)
    finally:
        count = len(deliveries.held)
        deliveries.release(lambda events: events[::-1])
    return f"{desk.name} bought {ware.name}, and its {count} webhooks came in last first. It ends the same."


async def stripe_down(desk: Desk, _: Fields) -> str:
    """Make Stripe unreachable for an hour of sandbox time."""
    desk.world.stripe.start_outage()
    desk.outage_ends_at = desk.world.clock.now() + OUTAGE
    return "Stripe is down for an hour: nobody loses anything. Cancel now and watch, then press +1 hour."


async def stripe_up(desk: Desk, _: Fields) -> str:
    """End the outage early."""
    desk.outage_ends_at = None
    desk.world.stripe.end_outage()
    return "Stripe answers again. Missed webhooks are retried within the hour: press +1 hour."


async def move_vip_up(desk: Desk, _: Fields) -> str:
    """Put the VIP role above the bot's own, so that Discord refuses."""
    server = desk.world.seed.server
    above = desk.world.discord.bot_role(server.guild).position + 1
    desk.world.discord.people.move_role(server.guild, server.vip, above, by=desk.world.seed.cast.olga)
    return "Olga moved VIP above the bot. Discord refuses to give or take it: buy or cancel, and read the log."


async def move_vip_down(desk: Desk, _: Fields) -> str:
    """Put the VIP role back."""
    server = desk.world.seed.server
    below = desk.world.discord.bot_role(server.guild).position - 5
    desk.world.discord.people.move_role(server.guild, server.vip, below, by=desk.world.seed.cast.olga)
    return "Olga moved VIP back below the bot. What was waiting is done by itself."


async def discord_busy(desk: Desk, _: Fields) -> str:
    """Answer the next role changes with 429 and 503."""
    discord = desk.world.discord
    discord.add_fault(Fault(path=_ROLE_WRITES, answer=rate_limited(1.0), times=2))
    discord.add_fault(Fault(path=_ROLE_WRITES, answer=Answer(status=503, text="upstream connect error"), times=2))
    return "Discord answers the next four role changes with 429 and 503. Buy or cancel: it takes longer, and arrives."


async def give_by_hand(desk: Desk, _: Fields) -> str:
    """Let the owner give the role."""
    server, olga = desk.world.seed.server, desk.world.seed.cast.olga
    desk.world.discord.people.give_role(server.guild, _insider(desk), server.vip, by=olga)
    return f"Olga gave {desk.name} VIP by hand. Doorlist leaves it alone: it never takes what it did not give."


async def take_by_hand(desk: Desk, _: Fields) -> str:
    """Let the owner take the role."""
    server, olga = desk.world.seed.server, desk.world.seed.cast.olga
    desk.world.discord.people.take_role(server.guild, _insider(desk), server.vip, by=olga)
    return f"Olga took VIP from {desk.name} by hand. Whoever has paid gets it back."


async def leave(desk: Desk, _: Fields) -> str:
    """Leave the server."""
    desk.world.discord.people.leave(desk.world.seed.server.guild, _insider(desk))
    return f"{desk.name} left the server. The purchase goes on; try “Join again”."


async def rejoin(desk: Desk, _: Fields) -> str:
    """Join the server."""
    desk.world.discord.people.join(desk.world.seed.server.guild, desk.person)
    return f"{desk.name} joined the server. Whoever has paid gets the role at once."


async def card_declined(desk: Desk, _: Fields) -> str:
    """Try to buy with a card that is declined."""
    ware = desk.world.seed.wares[0]
    try:
        await desk.visitor().buy(ware.slug, card="declined")
    except LostError:
        if desk.obstacle:
            raise
        return "The card was declined at the checkout: no purchase, no mail, no role."
    raise LostError("the declined card was taken")


def _insider(desk: Desk) -> User:
    if desk.person.id not in desk.world.seed.server.guild.members:
        raise PermissionError(f"{desk.name} is not in the server.")
    return desk.person


def _last_event(desk: Desk) -> Object:
    events = desk.world.stripe.world.rows("event")
    if not events:
        raise LookupError("Nothing was sent yet. Buy something first.")
    return events[-1]


TROUBLE: Mapping[str, Button] = {
    "same-webhook": same_webhook,
    "out-of-order": out_of_order,
    "stripe-down": stripe_down,
    "stripe-up": stripe_up,
    "move-vip-up": move_vip_up,
    "move-vip-down": move_vip_down,
    "discord-busy": discord_busy,
    "give-by-hand": give_by_hand,
    "take-by-hand": take_by_hand,
    "leave": leave,
    "rejoin": rejoin,
    "card-declined": card_declined,
    "wave": wave,
}
