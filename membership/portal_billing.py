"""A customer's bills, and the way to the provider's own page of them. For the payer alone; we never see a card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from membership import reach
from membership.browsing import SignIn
from membership.errors import Blocked, Gone, Retry
from membership.model import CustomerId, GrantId
from membership.ports import Invoice
from membership.reach import Reached
from membership.records import AuditEntry
from membership.services import Services

MOST_INVOICES = 24
MOST_ASKED = 5
"""How many payers of one person are asked about at the provider for one page."""

TO_CARD = "card"
_GUEST = "guest:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One payer's bills. `is_answered` False: the provider does not tell now. `can_open`: it has a page for them."""

    reached: Reached
    invoices: tuple[Invoice, ...] = ()
    is_answered: bool = True
    can_open: bool = True

    @property
    def customer_id(self) -> CustomerId:
        """Return what names it in addresses."""
        return self.reached.customer.id


async def read(services: Services, sign_in: SignIn) -> Sequence[Account]:
    """Return the bills of every payer that somebody is, read at the provider now."""
    async with services.store.read() as tx:
        payers = [each for each in await reach.customers(tx, sign_in) if each.is_payer and each.is_paid]
    return [await _account(services, each) for each in payers[:MOST_ASKED]]


async def open_account(services: Services, sign_in: SignIn, customer_id: CustomerId) -> str:
    """Return where a payer manages billing. Raises Gone for somebody else's, Retry, Blocked."""
    async with services.store.read() as tx:
        payers = [each for each in await reach.customers(tx, sign_in) if each.is_payer and each.is_paid]
    for each in payers:
        if each.customer.id == customer_id:
            return await _open(services, sign_in, each, "")
    raise Gone("customer")


async def open_for(services: Services, sign_in: SignIn, grant_id: GrantId, task: str = "") -> str:
    """Return where the payer of a grant manages billing; TO_CARD leads straight to the card. Raises as above."""
    async with services.store.read() as tx:
        found = await reach.payer_of(tx, sign_in, grant_id)
    if not found.reached.is_paid:
        raise Gone("customer")
    return await _open(services, sign_in, found.reached, TO_CARD if task == TO_CARD else "")


async def _account(services: Services, each: Reached) -> Account:
    """Ask the provider for a payer's bills; trouble there is said, and spoils nothing else."""
    if each.customer.external_id.startswith(_GUEST):
        return Account(reached=each, can_open=False)
    try:
        provider = await services.sellers.provider(each.account.id)
        if provider is None:
            return Account(reached=each, is_answered=False, can_open=False)
        invoices = await provider.invoices(each.customer.external_id, MOST_INVOICES)
    except Gone:
        return Account(reached=each, can_open=False)
    except (Retry, Blocked):
        return Account(reached=each, is_answered=False)
    return Account(reached=each, invoices=tuple(invoices))


async def _open(services: Services, sign_in: SignIn, each: Reached, task: str) -> str:
    provider = await services.sellers.provider(each.account.id)
    if provider is None or each.customer.external_id.startswith(_GUEST):
        raise Gone("customer")
    url = await provider.portal(each.customer.external_id, f"{services.public_url}/portal/billing", task)
    entry = AuditEntry(
        event="customer.billing",
        actor=reach.actor_of(sign_in, each),
        user_id=sign_in.user_id,
        customer_id=each.customer.id,
    )
    async with services.store.write() as tx:
        await tx.audit.add(entry, services.clock.now())
    return url
