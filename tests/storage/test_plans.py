"""Plans and server settings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from membership.errors import UserError
from membership.model import ChannelId, GuildId, MessageId, OnEnd, PlanId, PlanProduct, RoleId
from membership.records import Guild
from storage.store import Database
from tests.storage.builders import GUILD, a_plan, an_account
from tests.storage.databases import NOON


async def test_a_plan_comes_back_as_it_was(database: Database) -> None:
    async with database.write() as tx:
        account_id = await an_account(tx)
        plan = await a_plan(
            tx,
            roles=(RoleId(3), RoleId(1), RoleId(2)),
            products=(
                PlanProduct(account_id=account_id, product_id="b", price_id="x"),
                PlanProduct(account_id=account_id, product_id="a"),
            ),
            on_refund=OnEnd.KICK,
            duration_days=30,
            trial_role_id=RoleId(7),
        )
        assert await tx.plans.get(plan.id) == plan
        assert await tx.plans.by_slug("vip") == plan
        assert list(await tx.plans.all(GUILD)) == [plan]
        assert list(await tx.plans.all(GuildId(5))) == []
    assert plan.roles == (RoleId(3), RoleId(1), RoleId(2))


async def test_a_taken_slug_is_refused_in_words(database: Database) -> None:
    async with database.write() as tx:
        await a_plan(tx)
        with pytest.raises(UserError, match="vip"):
            await a_plan(tx)


async def test_a_plan_may_not_be_renamed_to_a_taken_slug(database: Database) -> None:
    async with database.write() as tx:
        await a_plan(tx)
        other = await a_plan(tx, "gold")
        with pytest.raises(UserError, match="vip"):
            await tx.plans.replace(replace(other, slug="vip"))


async def test_replacing_a_plan_replaces_its_roles_and_products(database: Database) -> None:
    async with database.write() as tx:
        plan = await a_plan(tx)
        changed = replace(plan, name="Gold", roles=(RoleId(5), RoleId(5)), products=())
        await tx.plans.replace(changed)
        assert await tx.plans.get(plan.id) == replace(changed, roles=(RoleId(5),))


async def test_an_archived_plan_is_not_unlocked(database: Database) -> None:
    async with database.write() as tx:
        account_id = await an_account(tx)
        live = await a_plan(tx)
        await a_plan(tx, "old", is_archived=True)
        assert list(await tx.plans.unlocked_by(account_id, ["prod_1", "prod_9"])) == [live]
        assert list(await tx.plans.unlocked_by(account_id, ["prod_9"])) == []


async def test_an_unknown_plan_is_a_key_error(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(KeyError):
            await tx.plans.get(PlanId(9))


async def test_a_guild_keeps_its_settings_when_it_is_seen_again(database: Database) -> None:
    async with database.write() as tx:
        await tx.guilds.ensure(GUILD, "Old name")
        settings = Guild(id=GUILD, name="Old name", claim_channel_id=ChannelId(5), invite_url="https://discord.gg/x")
        await tx.guilds.replace(settings)
        assert await tx.guilds.ensure(GUILD, "New name") == replace(settings, name="New name")
        assert await tx.guilds.get(GUILD) == replace(settings, name="New name")
        assert list(await tx.guilds.all()) == [replace(settings, name="New name")]


async def test_the_claim_cursor_only_moves_forward(database: Database) -> None:
    async with database.write() as tx:
        guild = await tx.guilds.ensure(GUILD, "Club")
        for message in (5, 9, 7):
            await tx.guilds.set_claim_cursor(GUILD, MessageId(message))
        await tx.guilds.replace(guild)
        found = await tx.guilds.get(GUILD)
    assert found is not None
    assert found.claim_cursor == 9


async def test_an_answered_message_is_remembered(database: Database) -> None:
    async with database.write() as tx:
        assert not await tx.guilds.is_message_handled(MessageId(1))
        await tx.guilds.mark_message_handled(MessageId(1), NOON)
        await tx.guilds.mark_message_handled(MessageId(1), NOON)
        assert await tx.guilds.is_message_handled(MessageId(1))
