"""Ends that take more than the plan's roles: kick, remove_all_roles, and a wave of ends that meets the brake."""

from __future__ import annotations

from membership.model import OnEnd, RoleId
from tests.scenarios.stage import Stage


async def test_a_kick_comes_a_day_after_the_end_and_is_announced_first(s: Stage) -> None:
    await s.plan("vip", on_end=OnEnd.KICK)
    bought = await s.is_member("ada")
    s.stripe.cancel_now(bought.subscription)
    await s.settled()
    assert s.roles("ada") == set()
    assert "Demo Server" in s.direct_messages("ada")[-1]
    await s.advance(hours=23, minutes=59)
    assert s.is_inside("ada")
    await s.advance(minutes=2)
    assert not s.is_inside("ada")


async def test_a_kick_spares_whoever_has_another_purchase_alive_in_the_same_server(both_stores: Stage) -> None:
    s = both_stores
    await s.plan("vip", on_end=OnEnd.KICK)
    await s.plan("lifetime", roles=("Gold",))
    bought = await s.is_member("ada", "vip")
    await s.is_member("ada", "lifetime")
    s.stripe.cancel_now(bought.subscription)
    await s.settled()
    await s.advance(days=2)
    assert s.is_inside("ada")
    assert s.roles("ada") == {"Gold"}


async def test_a_purchase_in_time_calls_a_kick_off(s: Stage) -> None:
    await s.plan("vip", on_end=OnEnd.KICK)
    bought = await s.is_member("ada")
    s.stripe.cancel_now(bought.subscription)
    await s.advance(hours=12)
    await s.is_member("ada", "lifetime")
    await s.advance(days=2)
    assert s.is_inside("ada")
    assert s.roles("ada") == {"VIP"}


async def test_remove_all_roles_takes_every_role_once_and_remembers_them_for_an_undo(s: Stage) -> None:
    await s.plan("vip", on_end=OnEnd.REMOVE_ALL_ROLES)
    bought = await s.is_member("ada")
    friend, ada, olga = s.role("Friend"), s.person("ada"), s.person("olga")
    s.outside.discord.people.give_role(s.guild, ada, friend, by=olga)
    s.stripe.cancel_now(bought.subscription)
    await s.settled()
    assert s.roles("ada") == set()
    async with s.process.database.read() as tx:
        entries = [entry for _, _, entry in await tx.audit.recent(50) if entry.event == "roles.stripped"]
    assert [entry.detail for entry in entries] == [{"role_ids": [str(RoleId(friend.id))]}]
    s.outside.discord.people.give_role(s.guild, ada, friend, by=olga)
    await s.advance(days=1)
    assert s.roles("ada") == {"Friend"}
