"""Servers are added with Discord's proof, set up by a checklist, and disconnected without anybody losing anything."""

from __future__ import annotations

import pytest

from membership import server_settings
from membership.model import ChannelId, GuildId, UserId
from membership.ports import Price
from tests.pages.stage import MANAGER, OPERATOR, OUTSIDER, STAFF, PageStage, Shown, Visitor
from tests.usecases.fake_discord import MANAGES_SERVER, FakeGuild
from tests.usecases.world import CHARLIE, EVENT_CHANNEL, GUILD, VIP
from web.admin.setting_words import every_setting

NEW = GuildId(300)


@pytest.fixture
def newcomer(stage: PageStage) -> FakeGuild:
    """Return a server that the bot is about to join, managed by OUTSIDER and OPERATOR."""
    guild = FakeGuild(roles={VIP: 1}, members={OUTSIDER: set(), OPERATOR: set()}, name="New place")
    guild.powers |= {OUTSIDER: MANAGES_SERVER, OPERATOR: MANAGES_SERVER}
    stage.world.discord.guilds[NEW] = guild
    return guild


async def added(stage: PageStage, visitor: Visitor, user_id: UserId, *, hint: str = "") -> Shown:
    """Add the bot at Discord as somebody; return what our page answers on the way back."""
    stage.discord.me = {"id": str(user_id), "username": "somebody"}
    leaving = await visitor.press(await visitor.get("/admin/servers/add"), "Choose a server at Discord")
    assert "scope=bot" in leaving.location
    return await visitor.get(stage.discord.agree(leaving.location) + hint)


async def test_an_operator_adds_a_server_and_it_works_at_once(stage: PageStage, newcomer: FakeGuild) -> None:
    stage.discord.guild = {"id": str(NEW), "name": newcomer.name}
    visitor = await stage.staff_member(OPERATOR)
    answer = await added(stage, visitor, OPERATOR, hint=f"&guild_id={NEW}")
    assert answer.location == f"/admin/{NEW}/setup"
    shown = await visitor.follow(answer.location)
    assert "There is a plan to buy" in shown.words
    async with stage.world.services.store.read() as tx:
        guild = await tx.guilds.get(NEW)
        assert guild is not None
        assert guild.is_active
        assert [account.id for account in await tx.guilds.accounts_of(NEW)] == [stage.world.account_id]


async def test_others_ask_the_operators_and_see_that_they_wait(stage: PageStage, newcomer: FakeGuild) -> None:
    stage.discord.guild = {"id": str(NEW), "name": newcomer.name}
    visitor = await stage.staff_member(OUTSIDER)
    answer = await added(stage, visitor, OUTSIDER)
    shown = await visitor.follow(answer.location)
    assert "Asked: New place waits to be let in" in shown.words
    await stage.world.settle()
    assert (OPERATOR, "server.requested") in stage.world.discord.messages
    assert (await visitor.get(f"/admin/{NEW}/plans")).location == f"/admin/{NEW}/setup"


async def test_the_server_in_the_address_is_worth_nothing(stage: PageStage, newcomer: FakeGuild) -> None:
    visitor = await stage.staff_member(OPERATOR)
    for proof in (None, {"id": "555", "name": "Another"}):
        stage.discord.guild = proof
        answer = await added(stage, visitor, OPERATOR, hint=f"&guild_id={NEW}")
        assert "Discord did not say which server" in answer.words
    async with stage.world.services.store.read() as tx:
        assert await tx.guilds.get(NEW) is None
        assert await tx.guilds.get(GuildId(555)) is None


async def test_nobody_adds_a_server_as_somebody_else(stage: PageStage, newcomer: FakeGuild) -> None:
    stage.discord.guild = {"id": str(NEW), "name": newcomer.name}
    visitor = await stage.staff_member(OPERATOR)
    answer = await added(stage, visitor, OUTSIDER)
    assert "You signed in as somebody else" in answer.words
    async with stage.world.services.store.read() as tx:
        assert await tx.guilds.get(NEW) is None


async def test_it_waits_while_the_bot_is_on_its_way(stage: PageStage, newcomer: FakeGuild) -> None:
    newcomer.is_available = False
    stage.discord.guild = {"id": str(NEW), "name": newcomer.name}
    visitor = await stage.staff_member(OPERATOR)
    answer = await added(stage, visitor, OPERATOR)
    waiting = await visitor.follow(answer.location)
    assert "The bot is joining New place" in waiting.words
    assert 'http-equiv="refresh"' in waiting.text
    newcomer.is_available = True
    done = await visitor.press(await visitor.get(waiting.url), "Go on with the set-up")
    assert done.url == f"/admin/{NEW}/setup"


async def test_only_who_added_a_server_sees_that_it_is_on_its_way(stage: PageStage, newcomer: FakeGuild) -> None:
    newcomer.is_available = False
    stage.discord.guild = {"id": str(NEW), "name": newcomer.name}
    answer = await added(stage, await stage.staff_member(OPERATOR), OPERATOR)
    stranger = await stage.staff_member(STAFF)
    assert (await stranger.get(answer.location)).status == 404
    assert (await stranger.post(answer.location)).status == 404


async def test_pressing_cancel_at_discord_adds_nothing(stage: PageStage) -> None:
    visitor = await stage.staff_member(OPERATOR)
    leaving = await visitor.press(await visitor.get("/admin/servers/add"), "Choose a server at Discord")
    shown = await visitor.get(stage.discord.deny(leaving.location))
    assert "You pressed Cancel at Discord" in shown.words


async def test_the_checklist_names_each_fix(stage: PageStage) -> None:
    stage.world.discord.guilds[GUILD].permissions = frozenset({"manage_roles"})
    visitor = await stage.staff_member(MANAGER)
    shown = await visitor.get(stage.at("/setup"))
    for words in ("Missing: Create Invite", "may not sell in this server yet", "Make your first one: 30 seconds"):
        assert words in shown.words
    leaving = await visitor.press(shown, "Add the permissions")
    assert f"guild_id={GUILD}" in leaving.location


async def test_everything_done_says_so(stage: PageStage) -> None:
    price = Price(external_id="price_1", product_id="prod_vip", product_name="VIP", amount=900, currency="eur")
    guild = stage.world.discord.guilds[GUILD]
    names = ("manage_roles", "create_instant_invite", "read_messages", "send_messages", "embed_links", "attach_files")
    guild.permissions = frozenset(names)
    guild.channels = {EVENT_CHANNEL: "log"}
    async with stage.world.services.store.write() as tx:
        await tx.accounts.record_prices(stage.world.account_id, [price])
        await tx.guilds.allow_account(GUILD, stage.world.account_id)
    await stage.world.plan("vip", VIP)
    visitor = await stage.staff_member(MANAGER)
    shown = await visitor.get(stage.at("/setup"))
    assert "Everything is ready." in shown.words
    assert "It works: https://discord.example/invite/1" in (await visitor.press(shown, "Try an invite")).words


async def test_support_staff_see_the_checklist_and_change_nothing(stage: PageStage) -> None:
    visitor = await stage.staff_member(STAFF)
    shown = await visitor.get(stage.at("/setup"))
    assert shown.status == 200
    assert [form.action for form in shown.forms if "setup" in form.action] == []
    assert (await visitor.post(stage.at("/setup/invite"))).status == 403


async def test_disconnecting_takes_nothing_from_anybody_and_can_be_undone(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.member("vip", CHARLIE)
    visitor = await stage.staff_member(MANAGER)
    asked = await visitor.get(stage.at("/disconnect"))
    assert "Members keep every role they have" in asked.words
    await visitor.press(asked, "Disconnect Ada's server")
    await stage.world.five_minutes()
    assert stage.world.roles(CHARLIE) == {VIP}
    waiting = await visitor.follow(stage.at())
    assert "Ada's server is not connected" in waiting.words
    assert "Asked: Ada's server waits" in (await visitor.press(waiting, "Ask them")).words


async def test_an_operator_disconnects_a_server_they_are_not_in(stage: PageStage) -> None:
    visitor = await stage.staff_member(OPERATOR)
    assert (await visitor.post("/admin/servers/disconnect/4711")).status == 404
    await visitor.post(f"/admin/servers/disconnect/{GUILD}")
    assert not (await stage.world.guild()).is_active
    stranger = await stage.staff_member(OUTSIDER)
    assert (await stranger.post(f"/admin/servers/disconnect/{GUILD}")).status == 404


# -------------------------------------------------------------------------------------------------------- settings


async def test_settings_are_saved_and_taken_back(stage: PageStage) -> None:
    stage.world.discord.guilds[GUILD].channels = {EVENT_CHANNEL: "log", ChannelId(77): "members"}
    visitor = await stage.staff_member(MANAGER)
    form = await visitor.get(stage.at("/settings"))
    saved = await visitor.press(form, "Save", accent="#AA3355", time_zone="Europe/Rome", membership_channel_id="77")
    assert "Saved." in saved.words
    guild = await stage.world.guild()
    assert (guild.accent, guild.time_zone, guild.membership_channel_id) == ("aa3355", "Europe/Rome", 77)
    assert guild.event_channel_id == EVENT_CHANNEL
    await visitor.press(saved, "Undo")
    assert (await stage.world.guild()).time_zone == "UTC"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("accent", "ffee00", "cannot be read on white"),
        ("accent", "red", "six digits"),
        ("support_address", "a@b.example, c@d.example", "one mail address"),
        ("time_zone", "Mars/Olympus", "There is no time zone"),
        ("digest_hour", "25", "0 to 23"),
        ("invite_url", "javascript:alert(1)", "begins with https://"),
    ],
)
async def test_what_cannot_be_is_said_and_stays_typed(stage: PageStage, name: str, value: str, says: str) -> None:
    visitor = await stage.staff_member(MANAGER)
    before = await stage.world.guild()
    shown = await visitor.press(await visitor.get(stage.at("/settings")), "Save", imprint="Ada, Rome", **{name: value})
    assert shown.status == 422
    assert says in shown.words
    fields = dict(shown.form("Save").fields)
    assert (fields["imprint"], fields[name]) == ("Ada, Rome", value)
    assert await stage.world.guild() == before


@pytest.mark.parametrize(("name", "value"), [("event_channel_id", "4711"), ("language", "xx"), ("digest", "hourly")])
async def test_what_is_on_no_list_is_refused(stage: PageStage, name: str, value: str) -> None:
    visitor = await stage.staff_member(MANAGER)
    before = await stage.world.guild()
    shown = await visitor.press(await visitor.get(stage.at("/settings")), "Save", **{name: value})
    assert shown.status == 422
    assert await stage.world.guild() == before


def test_every_setting_of_a_server_is_on_the_page_once() -> None:
    names = [setting.name for setting in every_setting()]
    assert sorted(names) == sorted(server_settings.SETTABLE)


async def test_the_rules_of_the_installation_are_for_operators_to_see(stage: PageStage) -> None:
    shown = await (await stage.staff_member(MANAGER)).get(stage.at("/settings"))
    assert "policy.code_days" not in shown.text
    stage.world.services.operators.add([MANAGER])
    shown = await (await stage.staff_member(MANAGER)).get(stage.at("/settings"))
    assert "policy.code_days 30 default" in shown.words


async def test_no_change_of_another_server_is_taken_back(stage: PageStage) -> None:
    visitor = await stage.staff_member(MANAGER)
    assert (await visitor.post(stage.at("/undo/4711"))).status == 404
