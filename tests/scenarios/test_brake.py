"""Five hundred memberships end at once: a few go, the rest waits for a person, who decides about what they saw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from membership import holds
from membership.errors import Reason, UserError
from membership.model import GrantState, GuildId, HoldingState, MemberKey, Proof, RoleId, UserId
from membership.records import Batch
from sandbox.discord.world import User
from tests.scenarios.stage import Stage

CROWD = 500
AT_ONCE = 50  # 10 % of those who pay


async def test_500_ends_at_once_wait_for_a_person_whose_release_applies_exactly_that_set(s: Stage) -> None:
    await s.without_mail()
    users, subscriptions = await _crowd(s, CROWD)
    await s.stripe.bulk_cancel(subscriptions[:-1])
    await s.settled()
    assert len(_holders(s, users)) == CROWD - AT_ONCE
    shown = await _held(s)
    assert {UserId(user.id) for user in _holders(s, users[:-1])} == {removal.key.user_id for removal in shown.removals}

    s.stripe.cancel_now(subscriptions[-1])
    await s.settled()
    with pytest.raises(UserError):
        await holds.release(s.process.services, shown.id, shown.set_hash, "user:1")
    await s.settled()
    assert len(_holders(s, users)) == CROWD - AT_ONCE

    shown = await _held(s)
    await holds.release(s.process.services, shown.id, shown.set_hash, "user:1")
    await s.settled()
    assert _holders(s, users) == []


async def _crowd(s: Stage, size: int) -> tuple[list[User], list[str]]:
    """Make members whose role was delivered long ago: what a year of buying leaves behind.

    The server writes no direct messages, as there are no mails: thousands of them would tell nothing about the brake.
    """
    subscriptions = await s.stripe.bulk_subscriptions(size, s.ware("vip").price_id)
    users = s.outside.discord.create_crowd(s.guild, size, s.role("VIP"))
    owners = dict(zip(subscriptions, users, strict=True))
    services, role_id = s.process.services, RoleId(s.role("VIP").id)
    account = await services.sellers.account("stripe")
    snapshots = [each async for each in services.sellers.by_name["stripe"].purchases() if each.external_id in owners]
    async with services.store.write() as tx:
        plan, guild = await tx.plans.by_slug("vip"), await tx.guilds.get(GuildId(s.guild.id))
        assert plan is not None
        assert guild is not None
        await tx.guilds.replace(replace(guild, dms=False))
        for snapshot in snapshots:
            key = MemberKey(GuildId(s.guild.id), UserId(owners[snapshot.external_id].id))
            customer_id = await tx.customers.record(account.id, snapshot.customer)
            await tx.links.bind(customer_id, key.user_id, Proof.OAUTH, s.now())
            _, purchase = await tx.purchases.record(account.id, customer_id, snapshot)
            grant = await tx.purchases.open_grant(purchase, plan, s.now())
            await tx.purchases.set_grant(replace(grant, state=GrantState.DELIVERED, reason=Reason.PAID))
            await tx.members.own(key, role_id, HoldingState.HELD, s.now())
    return users, subscriptions


def _holders(s: Stage, users: list[User]) -> list[User]:
    return [user for user in users if s.role("VIP").id in s.guild.members[user.id].roles]


async def _held(s: Stage) -> Batch:
    async with s.process.database.read() as tx:
        (batch,) = await tx.removals.open_batches(GuildId(s.guild.id))
    return batch
