"""Questions about one person of the cast that can be answered from outside: what they bought, what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.discord.world import User
from sandbox.parts import Outside
from sandbox.seed import Ware
from sandbox.stripe.errors import Refusal
from sandbox.stripe.shapes import Object

_OVER = ("canceled", "incomplete_expired")


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A paid checkout; `subscription` is None for what is paid once. `dispute` is the newest one, if any."""

    session: Object
    ware: Ware | None
    subscription: Object | None
    charge: Object | None
    dispute: Object | None

    @property
    def id(self) -> str:
        """Return the checkout's id."""
        found: str = self.session["id"]
        return found

    @property
    def bought_at(self) -> datetime:
        """Return when the checkout was opened."""
        return datetime.fromtimestamp(self.session["created"], UTC)

    @property
    def status(self) -> str:
        """Return Stripe's word for how it stands: a subscription's status, or paid and refunded."""
        if self.subscription is None:
            return "refunded" if self.is_refunded else "paid"
        return str(self.subscription["status"])

    @property
    def is_refunded(self) -> bool:
        """Say whether the last payment was given back in full."""
        return bool(self.charge and self.charge["refunded"])

    @property
    def is_over(self) -> bool:
        """Say whether nothing of it can be changed any more."""
        return self.subscription["status"] in _OVER if self.subscription else self.is_refunded

    @property
    def ends_at(self) -> datetime | None:
        """Return when a cancelled subscription will end."""
        end = self.subscription["cancel_at"] if self.subscription else None
        return datetime.fromtimestamp(end, UTC) if end else None


def latest_purchase(world: Outside, email: str) -> Purchase | None:
    """Return what was last paid from an address, None when nothing was."""
    for session in reversed(world.stripe.world.rows("checkout.session")):
        if session["status"] == "complete" and _email(session) == email.casefold():
            return _purchase(world, session)
    return None


def has_role(world: Outside, user: User) -> bool:
    """Say whether somebody holds the VIP role now."""
    member = world.seed.server.guild.members.get(user.id)
    return member is not None and world.seed.server.vip.id in member.roles


def _email(session: Object) -> str:
    details = session["customer_details"] or {}
    return str(details.get("email") or session["customer_email"] or "").casefold()


def _purchase(world: Outside, session: Object) -> Purchase:
    stripe = world.stripe.world
    prices = {line["price"]["id"] for line in stripe.secrets_of(session["id"])["lines"]}
    intent = _payment(world, session)
    charge = stripe.find("charge", intent["latest_charge"]) if intent else None
    disputes = [row for row in stripe.rows("dispute") if charge and row["charge"] == charge["id"]]
    return Purchase(
        session=session,
        ware=next((each for each in world.seed.wares if each.price_id in prices), None),
        subscription=stripe.find("subscription", session["subscription"]),
        charge=charge,
        dispute=disputes[-1] if disputes else None,
    )


def _payment(world: Outside, session: Object) -> Object | None:
    """Return the newest payment of a checkout, None for a free one."""
    if session["subscription"] is None and session["payment_intent"] is None:
        return None
    try:
        return world.stripe.control.payment_of(session["id"])
    except Refusal:
        return None
