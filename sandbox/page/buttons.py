"""What the page's buttons do: buying and what follows it, and time. Trouble: trouble.py, the server: talking.py.

Every button answers with a sentence: what happened, and what to watch now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sandbox.buyers import Purchase
from sandbox.page.desk import Button, Desk
from sandbox.page.fields import Fields
from sandbox.tour import steps

TOUR_PAUSE_SECONDS = 0.8
_JUMPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=31)}


async def buy(desk: Desk, fields: Fields) -> str:
    """Go through the real shop and checkout as the person."""
    ware = next((each for each in desk.world.seed.wares if each.slug == fields.get("slug")), None)
    if ware is None:
        raise LookupError("The shop does not sell that.")
    page = await desk.visitor().buy(ware.slug, card=fields.get("card") or "good")
    return f"{desk.name} bought {ware.name}. The shop says “{page.heading}”. Watch the inbox."


async def tour(desk: Desk, _: Fields) -> str:
    """Play all six steps."""
    return desk.start("The tour", "The tour is running: watch the panes.", _play_tour(desk))


async def _play_tour(desk: Desk) -> str:
    async for step in steps(desk.world, desk.person, pause_seconds=TOUR_PAUSE_SECONDS):
        if step.title == "Mail":
            desk.read(desk.world.mailbox.messages_to(desk.address)[-1])
        desk.say(f"{step.title}: {step.detail}.")
    return "Bought, connected, cancelled: the role came and went. Every step went over the wire."


async def cancel_now(desk: Desk, _: Fields) -> str:
    """End the subscription at once."""
    desk.world.stripe.control.cancel_now(_subscription_id(desk))
    return f"{desk.name} cancelled, with effect now. Watch the role go."


async def cancel_later(desk: Desk, _: Fields) -> str:
    """End the subscription with what was paid."""
    desk.world.stripe.control.cancel_at_period_end(_subscription_id(desk))
    return f"{desk.name} cancelled at the end of the period: the role stays until then. Try +1 month."


async def keep(desk: Desk, _: Fields) -> str:
    """Take a planned end back."""
    desk.world.stripe.control.undo_cancel(_subscription_id(desk))
    return f"{desk.name} stays. Nothing ends any more."


async def fail_payment(desk: Desk, _: Fields) -> str:
    """Let the card fail at a renewal."""
    desk.world.stripe.control.fail_payment(_subscription_id(desk))
    return "The card failed. The role stays for three days of grace, with “Past due” beside it. Try +1 day."


async def recover_payment(desk: Desk, _: Fields) -> str:
    """Pay with another card."""
    desk.world.stripe.control.recover_payment(_subscription_id(desk))
    return f"{desk.name} used a working card. “Past due” goes."


async def refund(desk: Desk, _: Fields) -> str:
    """Give the money back."""
    desk.world.stripe.control.refund(_purchase(desk).id)
    return "The last payment was given back in full. Watch the role."


async def dispute(desk: Desk, _: Fields) -> str:
    """Let the bank take the money back."""
    desk.world.stripe.control.dispute(_purchase(desk).id)
    return f"{desk.name}'s bank took the payment back. The role waits until it is settled."


async def win_dispute(desk: Desk, _: Fields) -> str:
    """Settle the dispute for the seller."""
    desk.world.stripe.control.close_dispute(_dispute_id(desk), "won")
    return "The dispute was won. The role comes back."


async def lose_dispute(desk: Desk, _: Fields) -> str:
    """Settle the dispute for the buyer."""
    desk.world.stripe.control.close_dispute(_dispute_id(desk), "lost")
    return "The dispute was lost. The role does not come back."


async def pause(desk: Desk, _: Fields) -> str:
    """Pause the subscription."""
    desk.world.stripe.control.pause(_subscription_id(desk))
    return "The subscription is paused. The role goes until it is resumed."


async def resume(desk: Desk, _: Fields) -> str:
    """Resume the subscription."""
    desk.world.stripe.control.resume(_subscription_id(desk))
    return "The subscription goes on. Watch the role come back."


async def advance(desk: Desk, fields: Fields) -> str:
    """Jump forward in time."""
    unit = fields.get("by", "")
    if unit not in _JUMPS:
        raise LookupError("The clock has no such button.")
    return desk.start("The clock", f"The clock jumps one {unit} ahead.", _advance(desk, _JUMPS[unit]))


async def _advance(desk: Desk, by: timedelta) -> str:
    await desk.world.clock.advance(by)
    return f"It is {desk.world.clock.now():%a %d %b %Y %H:%M} now. What was due in between has happened."


async def join_by_invite(desk: Desk, _: Fields) -> str:
    """Use the invite that was opened."""
    invite, desk.invite = desk.invite, ""
    desk.world.discord.people.join_by_invite(invite, desk.person)
    return f"{desk.name} joined by invite."


def _purchase(desk: Desk) -> Purchase:
    found = desk.purchase
    if found is None:
        raise LookupError(f"{desk.name} has bought nothing yet.")
    return found


def _subscription_id(desk: Desk) -> str:
    subscription = _purchase(desk).subscription
    if subscription is None:
        raise LookupError("That was paid once: there is no subscription to change.")
    return str(subscription["id"])


def _dispute_id(desk: Desk) -> str:
    dispute = _purchase(desk).dispute
    if dispute is None:
        raise LookupError("There is no dispute.")
    return str(dispute["id"])


BUTTONS: Mapping[str, Button] = {
    "buy": buy,
    "tour": tour,
    "cancel-now": cancel_now,
    "cancel-later": cancel_later,
    "keep": keep,
    "fail-payment": fail_payment,
    "recover-payment": recover_payment,
    "refund": refund,
    "dispute": dispute,
    "win-dispute": win_dispute,
    "lose-dispute": lose_dispute,
    "pause": pause,
    "resume": resume,
    "advance": advance,
    "join": join_by_invite,
}
