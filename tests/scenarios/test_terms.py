"""Access with a term of its own: passes that expire and stack, trials with a role of their own."""

from __future__ import annotations

from datetime import timedelta

from tests.scenarios.stage import Stage

A_MINUTE = timedelta(minutes=1)
MONTH = timedelta(days=30)


async def test_a_pass_expires_to_the_minute(s: Stage) -> None:
    await s.is_member("ada", "pass")
    bought_at = s.now()
    await s.advance_to(bought_at + MONTH - A_MINUTE)
    assert s.has("ada")
    await s.advance_to(bought_at + MONTH + A_MINUTE)
    assert not s.has("ada")
    assert s.mails("ada")[-1] == "Your 30-day pass membership has ended"


async def test_a_second_pass_begins_where_the_first_one_ends(both_stores: Stage) -> None:
    s = both_stores
    await s.is_member("ada", "pass")
    first_bought_at = s.now()
    await s.advance(days=10)
    await s.is_member("ada", "pass")
    await s.advance_to(first_bought_at + 2 * MONTH - A_MINUTE)
    assert s.has("ada")
    await s.advance_to(first_bought_at + 2 * MONTH + A_MINUTE)
    assert not s.has("ada")
    assert s.role_writes("ada") == [("PUT", "VIP"), ("DELETE", "VIP")]


async def test_a_pass_that_was_bought_after_the_end_of_another_runs_its_full_time(s: Stage) -> None:
    await s.is_member("ada", "pass")
    await s.advance(days=40)
    await s.is_member("ada", "pass")
    bought_at = s.now()
    await s.advance_to(bought_at + MONTH - A_MINUTE)
    assert s.has("ada")
    await s.advance_to(bought_at + MONTH + A_MINUTE)
    assert not s.has("ada")


async def test_a_trial_gives_the_trial_role_until_the_first_payment_gives_the_real_one(s: Stage) -> None:
    await s.plan("vip", trial_role="VIP trial")
    await s.is_member("ada", subscription_data={"trial_period_days": 7})
    assert s.roles("ada") == {"VIP trial"}
    await s.advance(days=7, minutes=1)
    assert s.roles("ada") == {"VIP"}
    assert s.role_writes("ada") == [("PUT", "VIP trial"), ("PUT", "VIP"), ("DELETE", "VIP trial")]


async def test_a_trial_that_is_cancelled_ends_with_the_trial(s: Stage) -> None:
    await s.plan("vip", trial_role="VIP trial")
    bought = await s.is_member("ada", subscription_data={"trial_period_days": 7})
    s.stripe.cancel_at_period_end(bought.subscription)
    await s.advance(days=6, hours=23)
    assert s.roles("ada") == {"VIP trial"}
    await s.advance(hours=1, minutes=1)
    assert s.roles("ada") == set()
    assert ("PUT", "VIP") not in s.role_writes("ada")
