"""How often what a payer bought may go from one Discord account to another (DESIGN 8). What staff do by hand is free.

Every way by which customers connect asks here before it binds: the mailed link, a code, Discord's address, a checkout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from membership.ledgers import Transaction
from membership.model import CustomerId, UserId
from membership.policy import Policy

WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One more switch is one too many. `until` when customers may again, None: never by themselves."""

    until: datetime | None


async def recent(tx: Transaction, customer_id: CustomerId, now: datetime) -> Sequence[datetime]:
    """Return when the account was another than the one before, within the window, oldest first."""
    return await tx.links.switched_at(customer_id, now - WINDOW)


async def refusal(
    tx: Transaction, customer_id: CustomerId, user_id: UserId, *, policy: Policy, now: datetime
) -> Refused | None:
    """Say why a payer may not be bound to this account now; None where it is no switch, or one that is left.

    To take the last account off first is no way around it.
    """
    held = await tx.links.holders(customer_id)
    if not held or held[-1].user_id == user_id:
        return None
    return used_up(await recent(tx, customer_id, now), policy)


def used_up(switches: Sequence[datetime], policy: Policy) -> Refused | None:
    """Judge the switches within the window."""
    most = policy.moves_per_30_days
    if len(switches) < most:
        return None
    return Refused(until=switches[-most] + WINDOW if most else None)
