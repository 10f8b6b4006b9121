"""The rules of a plan over time (DESIGN 3): overlaps, changes, ends, failed payments, money back, passes, trials."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from membership.errors import Audience, Blocked, Reason
from membership.model import Dispute, OnEnd, OnPastDue, PurchaseKind, PurchaseStatus, Refund, RoleId
from membership.ports import Reading
from tests.usecases.world import CHARLIE, FRIEND, GOLD, LATE, TRIAL, VIP, World, items


async def test_a_role_with_two_reasons_goes_with_the_last_one(world: World) -> None:
    await world.plan("vip", VIP)
    await world.plan("gold", VIP, GOLD)
    first, second = await world.member("vip"), await world.member("gold")
    await world.changes(second, status=PurchaseStatus.ENDED)
    assert world.roles(CHARLIE) == {VIP}
    await world.changes(first, status=PurchaseStatus.ENDED)
    assert world.roles(CHARLIE) == set()


@pytest.mark.parametrize(("old", "new"), [("vip", "gold"), ("gold", "vip")], ids=["upgrade", "downgrade"])
async def test_a_change_of_plan_gives_the_new_role_before_it_takes_the_old(world: World, old: str, new: str) -> None:
    roles = {"vip": VIP, "gold": GOLD}
    await world.plan("vip", VIP)
    await world.plan("gold", GOLD)
    bought = await world.member(old)
    await world.advance(hours=1)
    await world.changes(bought, items=items(new))
    assert world.roles(CHARLIE) == {roles[new]}
    assert world.discord.faults.of("add_role", "remove_role")[1:] == [
        ("add_role", CHARLIE, roles[new]),
        ("remove_role", CHARLIE, roles[old]),
    ]
    assert [event for event, _ in world.discord.posts] == ["grant.delivered", "grant.changed"]
    assert "ended" not in world.mailer.templates()


async def test_the_old_role_stays_while_the_new_one_is_refused(world: World) -> None:
    await world.plan("vip", VIP)
    await world.plan("gold", GOLD)
    bought = await world.member("vip")
    world.discord.faults.fails("add_role", Blocked(Reason.ROLE_ABOVE_BOT, audience=Audience.OWNER))
    await world.changes(bought, items=items("gold"))
    assert world.roles(CHARLIE) == {VIP}
    await world.five_minutes()
    assert world.roles(CHARLIE) == {GOLD}


async def test_a_cancelled_subscription_ends_at_its_period_s_end_to_the_minute(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, ends_at=world.clock.now() + timedelta(days=10))
    await world.advance(days=9, hours=23, minutes=59)
    assert world.roles(CHARLIE) == {VIP}
    await world.advance(minutes=1)
    assert world.roles(CHARLIE) == set()
    assert await world.standing(bought) == ["revoked cancelled"]
    assert world.mailer.templates().count("ended") == 1


async def test_a_cancellation_that_was_taken_back_ends_nothing(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, ends_at=world.clock.now() + timedelta(days=10))
    world.now_reads(bought, ends_at=None)
    await world.advance(days=10, minutes=1)
    assert world.roles(CHARLIE) == {VIP}


async def test_a_renewal_keeps_the_role_without_any_webhook(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.advance(days=31)
    assert world.roles(CHARLIE) == {VIP}
    assert (await world.purchase(bought)).period_ends_at == world.clock.now() + timedelta(days=29)


async def test_a_failed_payment_keeps_the_role_through_the_grace_and_no_longer(world: World) -> None:
    await world.plan("vip", VIP, grace_days=3)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    assert await world.standing(bought) == ["past_due payment_failed"]
    await world.advance(days=2, hours=23, minutes=59)
    assert world.roles(CHARLIE) == {VIP}
    await world.advance(minutes=1)
    assert world.roles(CHARLIE) == set()
    assert await world.standing(bought) == ["revoked payment_failed"]
    assert world.mailer.templates() == ["connect", "delivered", "past_due", "grace_last_day", "ended"]


async def test_the_grace_counts_from_the_first_sight_and_not_from_the_last(world: World) -> None:
    await world.plan("vip", VIP, grace_days=3)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    for _ in range(3):
        await world.advance(days=1)
        await world.webhook(bought)
        await world.settle()
    assert world.roles(CHARLIE) == set()
    assert world.mailer.templates().count("past_due") == 1


async def test_a_payment_within_the_grace_recovers_the_membership(world: World) -> None:
    await world.plan("vip", VIP, grace_days=3)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    await world.advance(days=2)
    await world.changes(bought, status=PurchaseStatus.ACTIVE)
    await world.advance(days=5)
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]
    assert len(await world.audit("grant.recovered")) == 1
    assert [call[-1] for call in world.discord.faults.of("edit_post")] == ["solved"]


async def test_a_payment_after_the_grace_gives_the_role_again(world: World) -> None:
    await world.plan("vip", VIP, grace_days=3)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    await world.advance(days=4)
    await world.changes(bought, status=PurchaseStatus.ACTIVE)
    assert world.roles(CHARLIE) == {VIP}
    assert (await world.grants(bought))[0].episode == 2


@pytest.mark.parametrize(
    ("mode", "roles"),
    [
        (OnPastDue.KEEP, {VIP}),
        (OnPastDue.KEEP_AND_ROLE, {VIP, LATE}),
        (OnPastDue.SWAP, {LATE}),
        (OnPastDue.REMOVE, set()),
    ],
)
async def test_a_late_payer_holds_what_the_plan_says(world: World, mode: OnPastDue, roles: set[RoleId]) -> None:
    await world.plan("vip", VIP, on_past_due=mode, past_due_role_id=LATE)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    assert world.roles(CHARLIE) == roles
    await world.changes(bought, status=PurchaseStatus.ACTIVE)
    assert world.roles(CHARLIE) == {VIP}


async def test_the_past_due_role_goes_when_the_grace_ends(world: World) -> None:
    await world.plan("vip", VIP, on_past_due=OnPastDue.SWAP, past_due_role_id=LATE)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    await world.advance(days=3)
    assert world.roles(CHARLIE) == set()


MONEY: list[tuple[dict[str, Any], set[RoleId], str]] = [
    ({"refund": Refund.FULL}, set(), "revoked refunded"),
    ({"refund": Refund.PARTIAL}, {VIP}, "delivered paid"),
    ({"dispute": Dispute.INQUIRY}, {VIP}, "delivered paid"),
    ({"dispute": Dispute.OPEN}, set(), "held disputed"),
    ({"dispute": Dispute.LOST}, set(), "revoked dispute_lost"),
    ({"status": PurchaseStatus.PAUSED}, set(), "revoked paused"),
    ({"status": PurchaseStatus.UNPAID}, set(), "revoked unpaid"),
    ({"status": PurchaseStatus.EXPIRED}, set(), "revoked expired"),
]


@pytest.mark.parametrize(("change", "roles", "standing"), MONEY, ids=[case[2] for case in MONEY])
async def test_what_happens_to_the_money_decides_the_access(
    world: World, change: dict[str, Any], roles: set[RoleId], standing: str
) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, **change)
    assert (world.roles(CHARLIE), await world.standing(bought)) == (roles, [standing])


async def test_a_refund_that_failed_gives_the_access_back(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, refund=Refund.FULL)
    await world.changes(bought, refund=Refund.NONE)
    assert world.roles(CHARLIE) == {VIP}


async def test_a_read_that_cannot_know_the_refund_keeps_it_and_asks_by_id_once(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip", kind=PurchaseKind.ONE_TIME)
    await world.changes(bought, refund=Refund.FULL)
    await world.advance(minutes=1)
    blind = replace(world.provider.bought[bought], read_at=world.clock.now(), refund=None, dispute=None)
    world.provider.readings["evt_blind"] = Reading(purchases=(blind,))
    await world.webhook(bought, event_id="evt_blind")
    await world.settle()
    assert world.roles(CHARLIE) == set()
    assert world.provider.faults.of("fetch") == [("fetch", bought)]


async def test_a_won_dispute_restores_the_access(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, dispute=Dispute.OPEN)
    await world.changes(bought, dispute=Dispute.NONE)
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]


async def test_a_refund_may_have_a_rule_of_its_own(world: World) -> None:
    await world.plan("vip", VIP, on_end=OnEnd.REMOVE_ROLES, on_refund=OnEnd.NOTHING)
    bought = await world.member("vip")
    await world.changes(bought, refund=Refund.FULL)
    assert world.roles(CHARLIE) == {VIP}
    assert await world.holdings(CHARLIE) == {}


async def test_a_pause_keeps_the_access_where_the_plan_says_so(world: World) -> None:
    await world.plan("vip", VIP, paused_grants=True)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.PAUSED)
    assert world.roles(CHARLIE) == {VIP}


async def test_a_resumed_subscription_gives_the_role_again(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.PAUSED)
    await world.changes(bought, status=PurchaseStatus.ACTIVE)
    assert world.roles(CHARLIE) == {VIP}


async def test_an_end_that_does_nothing_leaves_the_role_to_the_member(world: World) -> None:
    await world.plan("vip", VIP, on_end=OnEnd.NOTHING)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    assert world.roles(CHARLIE) == {VIP}
    assert await world.holdings(CHARLIE) == {}
    assert await world.standing(bought) == ["revoked cancelled"]


async def test_a_pass_expires_to_the_minute(world: World) -> None:
    await world.plan("day", VIP, duration_days=1)
    bought = await world.member("day", kind=PurchaseKind.ONE_TIME)
    await world.advance(hours=23, minutes=59)
    assert world.roles(CHARLIE) == {VIP}
    await world.advance(minutes=1)
    assert world.roles(CHARLIE) == set()
    assert await world.standing(bought) == ["revoked expired"]


async def test_passes_stack(world: World) -> None:
    await world.plan("day", VIP, duration_days=1)
    await world.member("day", kind=PurchaseKind.ONE_TIME)
    await world.member("day", kind=PurchaseKind.ONE_TIME)
    await world.advance(hours=47, minutes=59)
    assert world.roles(CHARLIE) == {VIP}
    await world.advance(minutes=1)
    assert world.roles(CHARLIE) == set()


async def test_a_refunded_pass_takes_only_its_own_time(world: World) -> None:
    await world.plan("day", VIP, duration_days=1)
    first = await world.member("day", kind=PurchaseKind.ONE_TIME)
    await world.member("day", kind=PurchaseKind.ONE_TIME)
    await world.changes(first, refund=Refund.FULL)
    assert world.roles(CHARLIE) == {VIP}
    await world.advance(days=1)
    assert world.roles(CHARLIE) == set()


async def test_a_one_time_purchase_lasts_for_ever(world: World) -> None:
    await world.plan("life", VIP)
    await world.member("life", kind=PurchaseKind.ONE_TIME)
    await world.advance(days=4000)
    assert world.roles(CHARLIE) == {VIP}


async def test_a_trial_has_its_own_role_until_it_is_paid(world: World) -> None:
    await world.plan("vip", VIP, trial_role_id=TRIAL)
    trial_ends_at = world.clock.now() + timedelta(days=7)
    bought = await world.member("vip", status=PurchaseStatus.TRIALING, trial_ends_at=trial_ends_at)
    assert world.roles(CHARLIE) == {TRIAL}
    assert await world.standing(bought) == ["delivered trial"]
    world.now_reads(bought, status=PurchaseStatus.ACTIVE)
    await world.advance(days=7)
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]


async def test_other_people_s_roles_are_never_touched(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE, FRIEND)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    assert world.roles(CHARLIE) == {FRIEND}
