"""Everything stored that bears on one member of one guild, read in one transaction, with what the rules make of it.

Shared by the use-cases that show a member to staff or to themselves. What Discord says is asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from membership.desk import Exemption
from membership.entitlements import Decision, decide
from membership.ledgers import Transaction
from membership.model import AccountId, CustomerId, GrantId, MemberFacts, MemberKey, RoleId
from membership.records import Account, Customer, Guild, Link, MemberRow
from membership.shown import ShownGrant, shown

NOTE = "member.note"
"""The audit event of what staff write down about a member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """Who paid for some of a member's grants. `link` is live, or None when it is over."""

    customer: Customer
    account: Account
    link: Link | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One member at one moment. `row`: what was last wanted and seen of them; grants are the newest first."""

    guild: Guild
    facts: MemberFacts
    decision: Decision
    grants: tuple[ShownGrant, ...]
    payers: Mapping[CustomerId, Payer]
    row: MemberRow | None
    exemption: Exemption | None

    @property
    def key(self) -> MemberKey:
        """Return whose it is."""
        return self.facts.key

    @property
    def is_empty(self) -> bool:
        """Say whether nothing is known about this person here."""
        return not self.facts.claims and not self.facts.holdings and self.exemption is None

    def grant(self, grant_id: GrantId) -> ShownGrant | None:
        """Return one of the member's grants, None when it is not theirs."""
        return next((each for each in self.grants if each.grant.id == grant_id), None)

    def behind(self, role_id: RoleId) -> Sequence[ShownGrant]:
        """Return the grants that give a role, or else those whose plan would."""
        giving = [each for each in self.grants if role_id in each.roles]
        return giving or [each for each in self.grants if role_id in each.plan.all_roles]


async def read(tx: Transaction, key: MemberKey, now: datetime) -> Dossier:
    """Read a member's dossier; somebody unknown has an empty one."""
    facts = await tx.members.facts(key)
    decision = decide(facts, now=now)
    grants = sorted((shown(outcome) for outcome in decision.outcomes), key=_newest_first)
    guild = await tx.guilds.get(key.guild_id)
    return Dossier(
        guild=guild or Guild(id=key.guild_id, name=""),
        facts=facts,
        decision=decision,
        grants=tuple(grants),
        payers=await _payers(tx, [claim.purchase.customer_id for claim in facts.claims]),
        row=await tx.members.get(key),
        exemption=await tx.exemptions.get(key, now),
    )


def _newest_first(grant: ShownGrant) -> tuple[bool, float]:
    return grant.is_over, -grant.grant.opened_at.timestamp()


async def _payers(tx: Transaction, customer_ids: Sequence[CustomerId]) -> dict[CustomerId, Payer]:
    accounts: dict[AccountId, Account] = {}
    payers: dict[CustomerId, Payer] = {}
    for customer_id in dict.fromkeys(customer_ids):
        customer = await tx.customers.get(customer_id)
        if customer.account_id not in accounts:
            accounts[customer.account_id] = await tx.accounts.get(customer.account_id)
        link = await tx.links.active(customer_id)
        payers[customer_id] = Payer(customer=customer, account=accounts[customer.account_id], link=link)
    return payers
