"""How access ends: cancelled, unpaid, refunded, disputed, paused. And how it comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.stripe.shapes import Object
from tests.scenarios.stage import Bought, Stage

A_MINUTE = timedelta(minutes=1)
ENDED_MAIL = "Your VIP membership has ended"


async def test_a_membership_cancelled_at_period_end_lasts_to_the_minute(both_stores: Stage) -> None:
    s = both_stores
    bought = await s.is_member("ada")
    ends_at = _end_of(s.stripe.cancel_at_period_end(bought.subscription))
    await s.advance_to(ends_at - A_MINUTE)
    assert s.has("ada")
    await s.advance_to(ends_at + A_MINUTE)
    assert not s.has("ada")
    assert s.mails("ada")[-1] == ENDED_MAIL


async def test_an_end_whose_webhooks_are_lost_is_still_found_to_the_minute(s: Stage) -> None:
    bought = await s.is_member("ada")
    ends_at = _end_of(s.stripe.cancel_at_period_end(bought.subscription))
    await s.settled()
    s.outside.stripe.deliveries.trouble.drop = _everything
    await s.advance_to(ends_at - A_MINUTE)
    assert s.has("ada")
    await s.advance_to(ends_at + A_MINUTE)
    assert not s.has("ada")


async def test_a_cancellation_that_is_taken_back_changes_nothing(s: Stage) -> None:
    bought = await s.is_member("ada")
    ends_at = _end_of(s.stripe.cancel_at_period_end(bought.subscription))
    s.stripe.undo_cancel(bought.subscription)
    await s.advance_to(ends_at + timedelta(days=1))
    assert s.role_writes("ada") == [("PUT", "VIP")]


async def test_a_card_that_fails_and_recovers_in_grace_never_costs_the_role(s: Stage) -> None:
    bought = await s.is_member("ada")
    s.stripe.fail_payment(bought.subscription)
    await s.settled()
    assert s.roles("ada") == {"VIP", "Past due"}
    await s.advance(days=2, hours=23)
    s.stripe.recover_payment(bought.subscription)
    await s.settled()
    assert s.roles("ada") == {"VIP"}
    assert ("DELETE", "VIP") not in s.role_writes("ada")


async def test_a_card_that_keeps_failing_ends_the_membership_with_the_grace(s: Stage) -> None:
    bought = await s.is_member("ada")
    s.stripe.fail_payment(bought.subscription)
    await s.settled()
    failed_at = s.now()
    await s.advance_to(failed_at + timedelta(days=3) - A_MINUTE)
    assert s.has("ada")
    await s.advance_to(failed_at + timedelta(days=3) + A_MINUTE)
    assert s.roles("ada") == set()
    assert s.mails("ada")[-1] == ENDED_MAIL


async def test_a_full_refund_takes_the_role(s: Stage) -> None:
    bought = await s.is_member("ada", "lifetime")
    s.stripe.refund(bought.id)
    await s.settled()
    assert s.roles("ada") == set()


async def test_a_full_refund_of_a_subscription_takes_the_role(s: Stage) -> None:
    bought = await s.is_member("ada")
    s.stripe.refund(bought.id)
    await s.settled()
    assert s.roles("ada") == set()


async def test_a_partial_refund_changes_nothing(s: Stage) -> None:
    bought = await s.is_member("ada", "lifetime")
    s.stripe.refund(bought.id, amount=500)
    await s.advance(days=1)
    assert s.role_writes("ada") == [("PUT", "VIP")]


async def test_partial_refunds_that_add_up_to_everything_take_the_role(s: Stage) -> None:
    bought = await s.is_member("ada", "lifetime")
    s.stripe.refund(bought.id, amount=9900)
    s.stripe.refund(bought.id)
    await s.settled()
    assert s.roles("ada") == set()


async def test_a_refund_that_fails_leaves_the_member_with_the_role(s: Stage) -> None:
    bought = await s.is_member("ada", "lifetime")
    refund = s.stripe.refund(bought.id, status="pending")
    await s.settled()
    s.stripe.settle_refund(refund["id"], succeeded=False)
    await s.settled()
    assert s.roles("ada") == {"VIP"}


async def test_an_open_dispute_suspends_the_role_and_a_won_one_brings_it_back(s: Stage) -> None:
    bought = await s.is_member("ada", "lifetime")
    dispute = s.stripe.dispute(bought.id)
    await s.settled()
    assert s.roles("ada") == set()
    s.stripe.close_dispute(dispute["id"], "won")
    await s.settled()
    assert s.roles("ada") == {"VIP"}
    assert ENDED_MAIL not in s.mails("ada")


async def test_a_lost_dispute_ends_the_membership(s: Stage) -> None:
    bought = await s.is_member("ada", "lifetime")
    dispute = s.stripe.dispute(bought.id)
    await s.settled()
    s.stripe.close_dispute(dispute["id"], "lost")
    await s.settled()
    assert s.roles("ada") == set()
    assert s.mails("ada")[-1] == "Your Lifetime membership has ended"


async def test_an_inquiry_leaves_the_role(s: Stage) -> None:
    bought = await s.is_member("ada", "lifetime")
    dispute = s.stripe.dispute(bought.id, is_inquiry=True)
    await s.settled()
    s.stripe.close_dispute(dispute["id"], "warning_closed")
    await s.settled()
    assert s.role_writes("ada") == [("PUT", "VIP")]


async def test_a_pause_takes_the_role_and_resuming_gives_it_back(s: Stage) -> None:
    bought = await s.is_member("ada")
    s.stripe.pause(bought.subscription)
    await s.settled()
    assert s.roles("ada") == set()
    s.stripe.resume(bought.subscription)
    await s.settled()
    assert s.roles("ada") == {"VIP"}


async def test_a_plan_that_grants_while_paused_keeps_the_role(s: Stage) -> None:
    await s.plan("vip", paused_grants=True)
    bought = await s.is_member("ada")
    s.stripe.pause(bought.subscription)
    await s.settled()
    s.stripe.resume(bought.subscription)
    await s.settled()
    assert s.role_writes("ada") == [("PUT", "VIP")]


async def test_a_membership_that_ended_can_be_bought_again(s: Stage) -> None:
    bought: Bought = await s.is_member("ada")
    s.stripe.cancel_now(bought.subscription)
    await s.settled()
    await s.advance(hours=1)  # an address gets three mails an hour
    await s.is_member("ada")
    assert s.roles("ada") == {"VIP"}


def _end_of(subscription: Object) -> datetime:
    return datetime.fromtimestamp(subscription["cancel_at"], UTC)


def _everything(_: dict[str, Any]) -> bool:
    return True
