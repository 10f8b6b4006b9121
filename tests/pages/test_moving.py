"""Plans are carried to another server of the same person, from the choice of the server to the last click."""

from __future__ import annotations

import pytest

from membership import servers
from membership.model import GuildId
from tests.pages.stage import MANAGER, PageStage
from tests.usecases.fake_discord import MANAGES_ROLES, MANAGES_SERVER, FakeGuild
from tests.usecases.world import CHARLIE, DORA, GUILD, VIP

THERE = GuildId(200)


@pytest.fixture
async def there(stage: PageStage) -> FakeGuild:
    """Return a second connected server of MANAGER's, where Charlie is and Dora is not."""
    guild = FakeGuild(roles={VIP: 10}, members={CHARLIE: set(), MANAGER: set()}, name="New place")
    guild.powers[MANAGER] = MANAGES_SERVER
    stage.world.discord.guilds[THERE] = guild
    async with stage.world.services.store.write() as tx:
        await tx.guilds.ensure(THERE, guild.name)
        await tx.guilds.allow_account(GUILD, stage.world.account_id)
    await servers.approve(stage.world.services, THERE, "operator")
    return guild


async def test_plans_are_carried_over_after_a_look_at_who_gets_them(stage: PageStage, there: FakeGuild) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.member("vip", CHARLIE)
    await stage.world.member("vip", DORA)
    visitor = await stage.staff_member(MANAGER)
    chosen = await visitor.get(stage.at("/move"))
    assert "New place" in chosen.words
    form = await visitor.get(next(link for link in chosen.links if "target=" in link))
    assert "@role 11 becomes" in form.words
    seen = await visitor.press(form, "Preview")
    assert "not in the server" in seen.words
    assert there.members[CHARLIE] == set()
    done = await visitor.press(seen, "Carry over 1 plan")
    assert "Nobody in the old server was touched" in done.words
    assert done.url.startswith(f"/admin/{THERE}/plans")
    await stage.world.settle()
    assert there.members[CHARLIE] == {VIP}
    assert stage.world.roles(DORA) == {VIP}


async def test_no_plan_chosen_is_said_on_the_form(stage: PageStage, there: FakeGuild) -> None:
    await stage.world.plan("vip", VIP)
    visitor = await stage.staff_member(MANAGER)
    answer = await visitor.post(stage.at("/move"), {"target": str(THERE)})
    assert (answer.status, "at least one plan" in answer.words) == (422, True)


async def test_a_server_that_somebody_does_not_manage_is_not_found(stage: PageStage, there: FakeGuild) -> None:
    there.powers[MANAGER] = MANAGES_ROLES
    visitor = await stage.staff_member(MANAGER)
    assert "There is no other server yet" in (await visitor.get(stage.at("/move"))).words
    for target in (THERE, GUILD, 4711):
        assert (await visitor.get(stage.at(f"/move?target={target}"))).status == 404
        assert (await visitor.post(stage.at("/move"), {"target": str(target)})).status == 404
    assert (await visitor.get(stage.at("/move/abc"))).status == 404
