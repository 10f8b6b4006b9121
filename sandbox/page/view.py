"""Everything that the template shows, gathered from the world at one moment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sandbox.buyers import Purchase, has_role
from sandbox.discord.world import User
from sandbox.mailbox import Mail
from sandbox.page.at_the_door import JOIN_SCOPE
from sandbox.page.desk import Desk
from sandbox.page.messages import Drawing
from sandbox.page.moments import distance
from sandbox.page.progress import is_invitation, next_target, tour
from sandbox.page.server import server_pane
from sandbox.page.talking import LANGUAGES
from sandbox.page.wave import WAVE

MAILS_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRow:
    """A line of the inbox; `number` is its place among the person's mails, from 0."""

    number: int
    mail: Mail
    is_read: bool
    is_open: bool
    is_invitation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """Somebody you can be, and how they stand with the server now."""

    name: str
    handle: str
    face: str
    standing: str
    is_you: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseLine:
    """How the last purchase stands, and which of its buttons make sense."""

    name: str
    status: str
    tone: str
    text: str
    is_subscription: bool
    is_over: bool
    is_ending: bool
    is_past_due: bool
    is_paused: bool
    can_refund: bool
    is_disputed: bool


def context(desk: Desk) -> dict[str, object]:
    """Return the template's variables."""
    world, steps = desk.world, tour(desk)
    purchase = desk.purchase
    return {
        "desk": desk,
        "cast": world.seed.cast,
        "people": [_person(desk, user) for user in desk.people],
        "wave": WAVE,
        "held": sum(has_role(world, user) for user in desk.held_by_brake),
        "speed": round(1 / world.discord.buckets.time_scale),
        "now": world.clock.now(),
        "steps": steps,
        "target": next_target(steps),
        "wares": world.seed.wares,
        "doorlist_url": world.doorlist_url,
        "purchase": purchase_line(purchase, world.clock.now()) if purchase else None,
        "server": server_pane(desk),
        "draw": Drawing(desk),
        "languages": LANGUAGES,
        "mails": list(mail_rows(desk)),
        "is_stripe_down": world.stripe.deliveries.trouble.is_outage,
        "is_discord_down": world.discord.is_down,
        "is_banned": desk.person.id in world.seed.server.guild.bans,
        "is_join_withheld": JOIN_SCOPE in world.discord.authorizations.withheld,
        "alerts": list(alerts(desk)),
        "version": version(desk),
    }


def _person(desk: Desk, user: User) -> PersonRow:
    seed = desk.world.seed
    guild = seed.server.guild
    if user.id == guild.owner_id:
        standing = "owns the server"
    elif user is seed.cast.nora:
        standing = f"owns {seed.neighbour.guild.name}"
    elif user is seed.cast.sam:
        standing = "staff"
    elif user.id not in guild.members:
        standing = "not in the server"
    else:
        standing = "has VIP" if has_role(desk.world, user) else "member"
    return PersonRow(
        name=user.global_name or user.username,
        handle=user.username,
        face=desk.face(user),
        standing=standing,
        is_you=user is desk.person,
    )


def alerts(desk: Desk) -> Iterator[str]:
    """Say what is wrong with the world for longer than a moment."""
    if desk.world.stripe.deliveries.trouble.is_outage:
        until = f" until {desk.outage_ends_at:%H:%M}" if desk.outage_ends_at else ""
        yield f"Stripe is down{until}"
    if desk.is_vip_above_bot:
        yield "VIP is above the bot"
    if desk.world.discord.is_down:
        yield "Discord is down"
    if desk.join_refusal is not None:
        yield "Discord lets the bot add nobody"
    if JOIN_SCOPE in desk.world.discord.authorizations.withheld:
        yield "Nobody lets Doorlist add them to servers"


def purchase_line(purchase: Purchase, now: datetime) -> PurchaseLine:
    """Word how a purchase stands."""
    status = purchase.status
    is_disputed = bool(purchase.dispute and purchase.dispute["status"] == "needs_response")
    text = ""
    if purchase.ends_at and not purchase.is_over:
        text = f"ends on {purchase.ends_at:%d %b %Y} ({distance(purchase.ends_at, now)})"
    elif purchase.is_refunded:
        text = "the money was given back"
    elif is_disputed:
        text = "the payment is disputed"
    return PurchaseLine(
        name=purchase.ware.name if purchase.ware else "Purchase",
        status="cancelled" if status == "canceled" else status.replace("_", " "),
        tone=_TONES.get(status, "off"),
        text=text,
        is_subscription=purchase.subscription is not None,
        is_over=purchase.is_over,
        is_ending=purchase.ends_at is not None,
        is_past_due=status == "past_due",
        is_paused=status == "paused",
        can_refund=purchase.charge is not None and not purchase.is_refunded,
        is_disputed=is_disputed,
    )


def mail_rows(desk: Desk) -> Iterator[MailRow]:
    """Return the person's newest mails, newest first."""
    mails = desk.world.mailbox.messages_to(desk.address)
    for number in reversed(range(max(0, len(mails) - MAILS_SHOWN), len(mails))):
        mail = mails[number]
        yield MailRow(
            number=number,
            mail=mail,
            is_read=desk.is_read(mail),
            is_open=mail is desk.mail,
            is_invitation=is_invitation(mail),
        )


def version(desk: Desk) -> str:
    """Return a fingerprint of what the page shows: it changes when there is something new to see."""
    world, guild = desk.world, desk.world.seed.server.guild
    deliveries, purchase = world.stripe.deliveries, desk.purchase
    seen = (
        desk.revision,
        desk.person.id,
        desk.under_way,
        int(world.clock.now().timestamp()) // 60,
        len(world.mailbox.mails),
        len(deliveries.log),
        len(deliveries.held),
        deliveries.log[-1].event_id if deliveries.log else "",
        guild.audit_log[-1].id if guild.audit_log else 0,
        len(guild.members),
        sorted(guild.role_counts.items()),
        world.discord.world.messages_changed,
        len(world.discord.world.commands),
        (purchase.id, purchase.status, purchase.ends_at) if purchase else None,
    )
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


_TONES = {
    "active": "ok",
    "trialing": "ok",
    "paid": "ok",
    "past_due": "warn",
    "paused": "warn",
    "unpaid": "bad",
    "incomplete": "warn",
}
