"""The tour bar: which of the six steps are true for the person you are, read from the world, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sandbox import buyers
from sandbox.mailbox import Mail
from sandbox.page.desk import Desk
from sandbox.page.messages import embed_tone
from sandbox.visitor import connect_link

State = Literal["done", "next", "later"]
Target = Literal["buy", "mail", "connect", "role", "cancel", "gone", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class TourStep:
    """One step of the bar; `target` is what it outlines while it is next, in the section `pane`."""

    number: int
    title: str
    hint: str
    target: Target
    pane: str
    state: State


def tour(desk: Desk) -> tuple[TourStep, ...]:
    """Return the six steps as they stand: the first that is not true is next."""
    truths = _truths(desk)
    first_open = truths.index(False) if False in truths else len(truths)
    return tuple(
        TourStep(
            number=index + 1,
            title=title,
            hint=hint.format(name=desk.name),
            target=target,
            pane=pane,
            state="done" if index < first_open else "next" if index == first_open else "later",
        )
        for index, (title, target, pane, hint) in enumerate(_STEPS)
    )


def next_target(steps: tuple[TourStep, ...]) -> Target:
    """Return what is outlined now, "" when the tour is over."""
    return next((step.target for step in steps if step.state == "next"), "")


def is_invitation(mail: Mail) -> bool:
    """Say whether a mail asks to connect Discord."""
    return connect_link(mail.text) is not None


def _truths(desk: Desk) -> tuple[bool, ...]:
    """Say for each step whether it is true. A later truth implies the earlier ones: there are several ways.

    A role counts once Doorlist gave it, or the person has signed in: what Olga gives by hand is no step of the tour.
    """
    purchase = desk.purchase
    if purchase is None:
        return (False,) * len(_STEPS)
    delivered_at = _delivered_at(desk)
    authorized_at = desk.world.discord.authorizations.authorized_at(desk.person)
    is_delivered = delivered_at is not None and delivered_at >= purchase.bought_at
    is_connected = is_delivered or (authorized_at is not None and authorized_at >= purchase.bought_at)
    had_role = is_delivered or (is_connected and buyers.has_role(desk.world, desk.person))
    mails = [mail for mail in desk.world.mailbox.messages_to(desk.address) if mail.at >= purchase.bought_at]
    is_read = is_connected or any(is_invitation(mail) and desk.is_read(mail) for mail in mails)
    is_cancelled = purchase.is_over or purchase.ends_at is not None
    is_gone = is_cancelled and had_role and not buyers.has_role(desk.world, desk.person)
    return True, is_read, is_connected, had_role, had_role and is_cancelled, is_gone


def _delivered_at(desk: Desk) -> datetime | None:
    """Return when the membership log last had good news of the person.

    The log, since a role that came with signing in is in no audit log.
    """
    for message in desk.world.seed.server.log.newest_first():
        for embed in message.embeds if message.author.is_bot else ():
            if embed_tone(embed) == "ok" and f"<@{desk.person.id}>" in (embed.get("description") or ""):
                return message.timestamp
    return None


_STEPS: tuple[tuple[str, Target, str, str], ...] = (
    ("Buy", "buy", "shop", "In the shop, press “Buy with test card”."),
    ("Open mail", "mail", "inbox", "{name} has mail. Open it in the inbox."),
    ("Connect", "connect", "inbox", "In the mail, press “Connect Discord”, sign in as {name} and say yes."),
    ("See role", "role", "discord", "The role is on its way. Watch the members and the locked channel."),
    ("Cancel", "cancel", "after", "After buying, there is “Cancel now”. Press it."),
    ("Role gone", "gone", "discord", "Stripe tells Doorlist, and the role goes. Watch the members."),
)
