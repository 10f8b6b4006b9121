"""Held removals: who decides, bound to what they saw; and the pause of a server."""

from __future__ import annotations

import pytest

from membership.model import BatchId, GuildId, MemberKey, UserId
from membership.records import Batch, HeldRemoval
from tests.pages.stage import MANAGER, STAFF, PageStage
from tests.usecases.world import CHARLIE, DORA, GUILD, VIP, World

CAUSE = "too_many_removals"


async def hold(world: World, *users: UserId, guild_id: GuildId = GUILD) -> BatchId:
    removals = [HeldRemoval(key=MemberKey(guild_id, user), role_id=VIP) for user in users]
    async with world.services.store.write() as tx:
        return await tx.removals.hold(guild_id, removals, CAUSE, world.clock.now())


async def held(world: World) -> list[Batch]:
    async with world.services.store.read() as tx:
        return list(await tx.removals.open_batches(GUILD))


async def test_nothing_is_held_is_said(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    assert "Nothing is held." in (await manager.get(stage.at("/brake"))).words


async def test_it_shows_whom_it_concerns_and_that_they_keep_access(stage: PageStage) -> None:
    batch_id = await hold(stage.world, CHARLIE, DORA)
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at(f"/brake/{batch_id}"))
    assert "2 removals are held" in shown.words
    assert "keep access" in shown.words
    assert stage.at(f"/members/{CHARLIE}") in shown.links


async def test_a_release_is_asked_twice_and_then_done(stage: PageStage) -> None:
    batch_id = await hold(stage.world, CHARLIE)
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at(f"/brake/{batch_id}"))
    asking = await manager.get(next(link for link in shown.links if "/release?" in link))
    assert len(await held(stage.world)) == 1

    done = await manager.press(asking, "Remove from 1 member")

    assert "Released 1 removal" in done.words
    assert await held(stage.world) == []


async def test_keeping_everybody_s_access_ends_the_batch(stage: PageStage) -> None:
    batch_id = await hold(stage.world, CHARLIE, DORA)
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at(f"/brake/{batch_id}"))
    assert "2 removals will not happen" in (await manager.press(shown, "Keep everybody's access")).words
    assert await held(stage.world) == []


async def test_one_can_be_released_to_see_what_it_does(stage: PageStage) -> None:
    batch_id = await hold(stage.world, CHARLIE, DORA)
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at(f"/brake/{batch_id}"))
    assert "Released one." in (await manager.press(shown, "Release 1 to test")).words
    assert [len(batch.removals) for batch in await held(stage.world)] == [1]


@pytest.mark.parametrize("act", ["release", "release-one", "keep"])
async def test_a_list_that_changed_is_shown_again_and_nothing_is_done(stage: PageStage, act: str) -> None:
    batch_id = await hold(stage.world, CHARLIE)
    seen = (await held(stage.world))[0].set_hash
    await hold(stage.world, DORA)
    manager = await stage.staff_member(MANAGER)

    answer = await manager.post(stage.at(f"/brake/{batch_id}/{act}"), {"set": seen})

    assert answer.status == 409
    assert "The list has changed since you saw it." in answer.words
    assert [len(batch.removals) for batch in await held(stage.world)] == [2]


async def test_the_last_question_is_bound_to_what_was_seen_too(stage: PageStage) -> None:
    batch_id = await hold(stage.world, CHARLIE)
    manager = await stage.staff_member(MANAGER)
    assert (await manager.get(stage.at(f"/brake/{batch_id}/release?set=old"))).status == 409


@pytest.mark.parametrize("act", ["release", "release-one", "keep"])
async def test_another_server_s_batch_is_not_there(stage: PageStage, act: str) -> None:
    other = await hold(stage.world, CHARLIE, guild_id=GuildId(999))
    async with stage.world.services.store.read() as tx:
        batch = (await tx.removals.open_batches(GuildId(999)))[0]
    manager = await stage.staff_member(MANAGER)

    assert (await manager.get(stage.at(f"/brake/{other}"))).status == 404
    assert (await manager.post(stage.at(f"/brake/{other}/{act}"), {"set": batch.set_hash})).status == 404

    async with stage.world.services.store.read() as tx:
        assert await tx.removals.open_batches(GuildId(999)) == [batch]


async def test_support_decides_nothing(stage: PageStage) -> None:
    batch_id = await hold(stage.world, CHARLIE)
    seen = (await held(stage.world))[0].set_hash
    staff = await stage.staff_member(STAFF)
    assert (await staff.get(stage.at(f"/brake/{batch_id}"))).status == 403
    assert (await staff.post(stage.at(f"/brake/{batch_id}/release"), {"set": seen})).status == 403
    assert len(await held(stage.world)) == 1


async def test_a_long_list_has_pages(stage: PageStage) -> None:
    batch_id = await hold(stage.world, *(UserId(number) for number in range(5000, 5090)))
    manager = await stage.staff_member(MANAGER)
    last = await manager.get(stage.at(f"/brake/{batch_id}?page=3"))
    assert "page 3 of 3" in last.words
    assert stage.at("/members/5089") in last.links
    assert (await manager.get(stage.at(f"/brake/{batch_id}?page=99999999999"))).status == 200


async def test_a_pause_is_told_with_its_reason_and_ends_after_a_preview(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    shown = await manager.press(await manager.get(stage.at("/brake")), "Pause role changes", reason="moving <b>house")
    assert "Reason: moving <b>house" in shown.words
    assert (await stage.world.guild()).paused_at is not None

    preview = await manager.get(stage.at("/brake/resume"))
    assert "0 roles would be given" in preview.words
    assert (await stage.world.guild()).paused_at is not None

    assert "Role changes go on." in (await manager.press(preview, "Resume")).words
    assert (await stage.world.guild()).paused_at is None
