"""The provider answers badly or not at all: nobody loses anything, and what really ended ends when it answers again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from sandbox.stripe.faults import Fault
from sandbox.stripe.local import LocalStripe
from tests.scenarios.stage import Stage

CAST = ("ada", "ben", "kim")
TROUBLES: dict[str, Callable[[LocalStripe], object]] = {
    "429": lambda stripe: stripe.faults.rate_limit(),
    "500": lambda stripe: stripe.faults.add(Fault(answer="status", status=500)),
    "401": lambda stripe: stripe.faults.add(Fault(answer="status", status=401)),
    "403": lambda stripe: stripe.faults.add(Fault(answer="status", status=403)),
    "404": lambda stripe: stripe.faults.add(Fault(answer="status", status=404)),
    "empty list": lambda stripe: stripe.faults.add(Fault(answer="empty")),
    "half a list": lambda stripe: stripe.faults.add(Fault(answer="half")),
    "garbage": lambda stripe: stripe.faults.add(Fault(answer="garbage")),
    "broken off": lambda stripe: stripe.faults.add(Fault(answer="truncated")),
    "reset": lambda stripe: stripe.faults.add(Fault(answer="reset")),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_nobody_loses_anything_while_a_resync_is_answered_with(trouble: str, s: Stage) -> None:
    await s.are_members(*CAST)
    TROUBLES[trouble](s.outside.stripe)
    s.outside.stripe.requests.reset()
    await s.advance(days=1)  # polls, lists everything, and sweeps
    assert s.outside.stripe.requests.reads() > 0
    assert [s.roles(name) for name in CAST] == [{"VIP"}] * len(CAST)
    assert [s.role_writes(name) for name in CAST] == [[("PUT", "VIP")]] * len(CAST)
    assert await s.parked() == 0


@pytest.mark.parametrize("trouble", ["429", "500", "401", "garbage"])
async def test_an_end_that_cannot_be_confirmed_waits_until_the_provider_answers(trouble: str, s: Stage) -> None:
    members = await s.are_members("ada", "ben")
    TROUBLES[trouble](s.outside.stripe)
    s.stripe.cancel_now(members["ada"].subscription)
    await s.advance(hours=1)
    assert s.has("ada")
    s.outside.stripe.faults.clear()
    await s.advance(hours=1)
    assert s.roles("ada") == set()
    assert s.roles("ben") == {"VIP"}


async def test_a_provider_that_is_unreachable_for_four_days_costs_nobody_anything(s: Stage) -> None:
    members = await s.are_members(*CAST)
    s.outside.stripe.start_outage()
    s.stripe.cancel_now(members["ada"].subscription)
    for _ in range(4):
        await s.advance(days=1)
        assert [s.roles(name) for name in CAST] == [{"VIP"}] * len(CAST)
    s.outside.stripe.end_outage()
    # Stripe has given up on the webhooks after three days: the hourly poll finds what happened.
    await s.advance(hours=1)
    assert [s.roles(name) for name in CAST] == [set(), {"VIP"}, {"VIP"}]


async def test_renewals_during_an_outage_of_the_webhooks_keep_every_role(s: Stage) -> None:
    await s.are_members("ada")
    s.outside.stripe.deliveries.trouble.drop = lambda _event: True
    await s.advance(days=40)
    assert s.role_writes("ada") == [("PUT", "VIP")]


async def test_a_purchase_whose_webhooks_are_lost_is_found_within_the_hour(s: Stage) -> None:
    s.outside.stripe.deliveries.trouble.drop = lambda _event: True
    s.buys("ada")
    await s.outside.clock.advance(timedelta(hours=1))
    await s.claims("ada")
    await s.settled()
    assert s.roles("ada") == {"VIP"}
