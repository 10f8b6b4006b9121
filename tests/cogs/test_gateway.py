"""What the gateway tells membership: joins, leaves, hands on roles, outages, and connections."""

from __future__ import annotations

from membership.model import Lane
from tests.cogs.connected import connected
from tests.sandbox.discord_stage import until


async def test_it_tells_who_joined_and_who_left() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.people.join(stage.guild, stage.dora)
        stage.local.people.leave(stage.guild, stage.charlie)
        await until(lambda: ("left", *here.key(stage.charlie)) in here.heard.log)
        assert ("joined", *here.key(stage.dora)) in here.heard.log


async def test_a_role_changed_by_a_person_is_told() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.people.give_role(stage.guild, stage.charlie, stage.vip, by=stage.bob)
        await until(lambda: ("by_hand", *here.key(stage.charlie)) in here.heard.log)
        (change,) = here.heard.hands
        assert (change.by, change.given, change.taken) == (stage.bob.id, (here.vip_id,), ())


async def test_our_own_role_write_is_not_told_as_a_change_by_hand() -> None:
    async with connected() as here:
        stage = here.stage
        await here.side.port.add_role(here.key(stage.charlie), here.vip_id, lane=Lane.EVENT, why="paid")
        stage.local.people.give_role(stage.guild, stage.alice, stage.vip, by=stage.bob)
        await until(lambda: ("by_hand", *here.key(stage.alice)) in here.heard.log)
        assert ("by_hand", *here.key(stage.charlie)) not in here.heard.log


async def test_a_change_by_hand_is_heard_without_privileged_intents() -> None:
    async with connected(members_intent=False, message_content_intent=False) as here:
        stage = here.stage
        stage.local.people.give_role(stage.guild, stage.charlie, stage.vip, by=stage.bob)
        await until(lambda: ("by_hand", *here.key(stage.charlie)) in here.heard.log)


async def test_an_outage_freezes_the_guild_and_its_end_thaws_it() -> None:
    async with connected() as here:
        stage = here.stage
        await until(lambda: ("available", here.guild_id, "Demo") in here.heard.log)
        here.heard.log.clear()
        stage.local.people.begin_outage(stage.guild)
        await until(lambda: ("frozen", here.guild_id) in here.heard.log)
        assert not here.side.port.is_available(here.guild_id)
        stage.local.people.end_outage(stage.guild)
        await until(lambda: ("available", here.guild_id, "Demo") in here.heard.log)
        assert here.side.port.is_available(here.guild_id)


async def test_being_thrown_out_is_told_and_nothing_is_available_any_more() -> None:
    async with connected() as here:
        here.stage.local.people.remove_bot(here.stage.guild)
        await until(lambda: ("removed", here.guild_id) in here.heard.log)
        assert not here.side.port.is_available(here.guild_id)


async def test_a_guild_that_never_came_after_the_login_is_frozen() -> None:
    async with connected(starts=False) as here:
        here.stage.local.people.begin_outage(here.stage.guild)
        running = here.start()
        await until(lambda: ("frozen", here.guild_id) in here.heard.log)
        await here.supervisor.close()
        await running


async def test_a_moved_role_is_told() -> None:
    async with connected() as here:
        here.stage.local.people.move_role(here.stage.guild, here.stage.vip, 11, by=here.stage.alice)
        await until(lambda: ("role_changed", here.guild_id) in here.heard.log)


async def test_a_deleted_role_is_told() -> None:
    async with connected() as here:
        here.stage.local.people.delete_role(here.stage.guild, here.stage.vip, by=here.stage.alice)
        await until(lambda: ("role_changed", here.guild_id) in here.heard.log)


async def test_a_role_taken_from_the_bot_itself_is_told() -> None:
    async with connected() as here:
        stage = here.stage
        extra = stage.local.create_role(stage.guild, "Extra", position=8)
        stage.local.people.give_role(stage.guild, stage.local.world.bot, extra, by=stage.alice)
        await until(lambda: ("role_changed", here.guild_id) in here.heard.log)


async def test_a_flapping_connection_is_announced_once() -> None:
    async with connected() as here:
        local = here.stage.local
        for _ in range(2):
            local.gateway.drop_connections(4000)
            await until(lambda: not local.gateway.connections)
            await until(lambda: bool(local.gateway.connections))
        await until(lambda: ("connected",) in here.heard.log)
        assert here.heard.log.count(("connected",)) == 1
