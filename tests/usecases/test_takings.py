"""What is written down of money, so that reports need not ask the provider."""

from __future__ import annotations

from datetime import timedelta

from membership.desk import Payment
from membership.model import Dispute, PurchaseStatus, Refund
from tests.usecases.world import VIP, World

MONTH = timedelta(days=31)


async def payments(world: World, bought: str) -> list[Payment]:
    async with world.services.store.read() as tx:
        return list(await tx.payments.of_purchase((await tx.purchases.find(world.account_id, bought)).id))  # type: ignore[union-attr]


async def kinds(world: World, bought: str) -> list[str]:
    return [f"{payment.kind} {payment.amount}" for payment in await payments(world, bought)]


async def test_a_purchase_is_paid_once_however_often_it_is_told(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    for _ in range(2):
        await world.webhook(bought)
        await world.settle()
    assert await kinds(world, bought) == ["new 1000"]


async def test_every_renewal_is_a_payment_at_its_moment(world: World) -> None:
    bought = await world.buys("vip")
    first_end = (await world.purchase(bought)).period_ends_at
    assert first_end is not None
    world.clock.move(timedelta(days=40))
    for end in (first_end + MONTH, first_end + MONTH, first_end + 2 * MONTH):
        await world.changes(bought, period_ends_at=end)
    renewals = [payment for payment in await payments(world, bought) if payment.kind == "renewal"]
    assert renewals[0].at == first_end
    assert len(renewals) == 2


async def test_a_trial_is_paid_when_it_is_over(world: World) -> None:
    bought = await world.buys("vip", status=PurchaseStatus.TRIALING)
    assert await kinds(world, bought) == []
    await world.changes(bought, status=PurchaseStatus.ACTIVE)
    assert await kinds(world, bought) == ["new 1000"]


async def test_a_failed_payment_that_is_made_good_is_a_failure_and_a_renewal(world: World) -> None:
    bought = await world.buys("vip")
    end = (await world.purchase(bought)).period_ends_at
    assert end is not None
    world.clock.move(timedelta(hours=1))
    await world.changes(bought, status=PurchaseStatus.PAST_DUE, period_ends_at=end + MONTH)
    await world.changes(bought)
    world.clock.move(timedelta(hours=1))
    await world.changes(bought, status=PurchaseStatus.ACTIVE)
    assert await kinds(world, bought) == ["new 1000", "failed 1000", "renewal 1000"]


async def test_a_full_refund_goes_back_whole_and_a_part_is_of_unknown_size(world: World) -> None:
    bought = await world.buys("vip")
    await world.changes(bought, refund=Refund.PARTIAL)
    await world.changes(bought, refund=Refund.FULL)
    await world.changes(bought)
    assert await kinds(world, bought) == ["new 1000", "refund 0", "refund 1000"]


async def test_a_lost_dispute_is_money_back_once(world: World) -> None:
    bought = await world.buys("vip")
    await world.changes(bought, dispute=Dispute.OPEN)
    await world.changes(bought, dispute=Dispute.LOST)
    await world.changes(bought)
    assert await kinds(world, bought) == ["new 1000", "refund 1000"]
