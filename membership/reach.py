"""What a signed-in person reaches: the payers that are theirs, and how much of each. The one place with this rule.

By a proven address: every payer who has it. By a proven Discord account: every payer linked to it. What belongs to the
payer alone (billing, cancelling, who is connected) is for whoever had the payer's mail in hand (decision 0016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from membership.addresses import same_address
from membership.browsing import ChosenBy, SignIn
from membership.errors import Gone
from membership.ledgers import Transaction
from membership.model import Grant, GrantId, Proof, Purchase, UserId
from membership.records import HOUSE, Account, Customer, Link

MOST_CUSTOMERS = 50
"""How many payers of one person are looked at."""

READS_THE_MAIL = (Proof.OAUTH, Proof.CODE, Proof.EMAIL)
"""Proofs of somebody who had the payer's mail in hand. Whoever started a checkout may have let somebody else pay."""


class Rank(StrEnum):
    """What somebody is to a payer: the payer, or who holds what they paid for."""

    PAYER = "payer"
    HOLDER = "holder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A payer whom somebody reaches. `link` is live, None where no Discord account is connected."""

    customer: Customer
    account: Account
    link: Link | None
    rank: Rank

    @property
    def is_payer(self) -> bool:
        """Say whether they may do what is the payer's alone."""
        return self.rank is Rank.PAYER

    @property
    def is_paid(self) -> bool:
        """Say whether a payment provider stands behind it, and not the staff's gift."""
        return self.account.provider != HOUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedGrant:
    """A grant that somebody reaches, with what carries it."""

    reached: Reached
    purchase: Purchase
    grant: Grant


def rank_of(sign_in: SignIn, customer: Customer, link: Link | None) -> Rank | None:
    """Say what somebody is to a payer, None for a stranger. An erased payer has no address, so nobody proves it."""
    return _rank(sign_in, customer.email, None if link is None else (link.user_id, link.proof))


def has_chosen(sign_in: SignIn, chosen: ChosenBy) -> bool:
    """Say whether what a payer chose is somebody's own choice: they are the payer."""
    tie = None if chosen.linked_to is None or chosen.proof is None else (chosen.linked_to, chosen.proof)
    return _rank(sign_in, chosen.email, tie) is Rank.PAYER


def _rank(sign_in: SignIn, email: str, tie: tuple[UserId, Proof] | None) -> Rank | None:
    """Judge by a payer's address and live link. Discord's word for an address takes nothing from another account.

    It connects what nobody has (verifying.py); a mail does more.
    """
    linked_to, proof = tie or (None, None)
    if same_address(email, sign_in.email):
        is_with_another = sign_in.user_id is not None and linked_to not in (None, sign_in.user_id)
        return None if is_with_another else Rank.PAYER
    if linked_to is None or linked_to != sign_in.user_id:
        return None
    return Rank.PAYER if proof in READS_THE_MAIL else Rank.HOLDER


async def customers(tx: Transaction, sign_in: SignIn) -> Sequence[Reached]:
    """Return every payer that somebody reaches."""
    ids = [] if sign_in.user_id is None else list(await tx.links.customers_of(sign_in.user_id))[:MOST_CUSTOMERS]
    candidates = {customer_id: await tx.customers.get(customer_id) for customer_id in ids}
    if sign_in.email:
        same = await tx.customers.with_email(sign_in.email, MOST_CUSTOMERS)
        candidates |= {customer.id: customer for customer in same}
    found = []
    for customer in candidates.values():
        link = await tx.links.active(customer.id)
        rank = rank_of(sign_in, customer, link)
        if rank is not None:
            account = await tx.accounts.get(customer.account_id)
            found.append(Reached(customer=customer, account=account, link=link, rank=rank))
    return found


async def has_more_by_mail(tx: Transaction, sign_in: SignIn) -> bool:
    """Say whether a sign-in by mail would show more than this one with Discord does."""
    if sign_in.user_id is None or not sign_in.email:
        return False
    for customer in await tx.customers.with_email(sign_in.email, MOST_CUSTOMERS):
        link = await tx.links.active(customer.id)
        if link is not None and link.user_id != sign_in.user_id:
            return True
    return False


async def grant(tx: Transaction, sign_in: SignIn, grant_id: GrantId) -> ReachedGrant:
    """Find a grant among what somebody reaches. Raises Gone("grant") for an id of somebody else's."""
    for reached in await customers(tx, sign_in):
        for purchase in await tx.purchases.of_customer(reached.customer.id):
            for each in await tx.purchases.grants(purchase.id):
                if each.id == grant_id:
                    return ReachedGrant(reached=reached, purchase=purchase, grant=each)
    raise Gone("grant")


async def payer_of(tx: Transaction, sign_in: SignIn, grant_id: GrantId) -> ReachedGrant:
    """Find a grant that somebody reaches as its payer. Raises Gone("grant") for everybody else."""
    found = await grant(tx, sign_in, grant_id)
    if not found.reached.is_payer:
        raise Gone("grant")
    return found


def actor_of(sign_in: SignIn, reached: Reached) -> str:
    """Name who acts as the audit does: a Discord account where one is proven, else the payer."""
    return f"customer:{reached.customer.id}" if sign_in.user_id is None else f"user:{sign_in.user_id}"
