"""From an invite to a set-up server: letting it in, the checklist and its buttons, the panel."""

from __future__ import annotations

from sandbox.discord.world import Channel, Guild, Message, User
from tests.commands.keyboard import Keyboard, Screen
from tests.scenarios.stage import Stage


def _new_server(s: Stage, owner: User) -> tuple[Guild, Channel]:
    """Let somebody add the bot to a server of their own that has a channel."""
    discord = s.outside.discord
    guild = discord.create_guild("Rita's place", owner=owner)
    role = discord.bot_role(guild)
    discord.people.remove_bot(guild)
    channel = discord.create_channel(guild, "general")
    discord.people.add_bot(guild, frozenset({role.id}))
    return guild, channel


def _operator(s: Stage) -> User:
    """Return the application's owner, who is in the demo server, so that the bot may write to them."""
    owner = s.outside.discord.portal.owner
    s.outside.discord.world.users[owner.id] = owner
    s.outside.discord.people.join(s.guild, owner)
    return owner


def _labels(message: Message) -> str:
    return str(message.components)


async def test_a_strangers_server_is_let_in_by_the_operator_and_set_up_by_buttons(s: Stage) -> None:
    rita, operator = s.person("rita"), _operator(s)
    guild, general = _new_server(s, rita)
    discord = s.outside.discord
    await s.eventually(lambda: s.outside.discord.messages(general), "the joining message")
    welcome = s.outside.discord.messages(general)[0]
    at_rita = Keyboard(stage=s, user=rita, channel=general)

    waiting = await at_rita.presses_on(welcome, "Open set-up")
    assert "has to let this server in" in waiting.text
    assert waiting.is_private
    await s.settled()
    asked = s.outside.discord.direct_messages(operator)
    assert len(asked) == 1, "the operator is asked once"

    at_operator = Keyboard(stage=s, user=operator, channel=s.outside.discord.world.dm_with(operator))
    approved = await at_operator.presses_on(asked[0], "Approve “Rita's place” for Rita")
    assert "is let in" in approved.text
    await s.settled()
    assert "was approved" in _labels(s.outside.discord.direct_messages(rita)[-1])
    listed = await at_rita.presses_on(welcome, "Open set-up")
    assert "Set-up · " in listed.text

    offered = await at_rita.offered("plan create", "product", "backst", name="Backstage")
    preview = await at_rita.types("plan create", name="Backstage", product=offered[0][1])
    await preview.presses("Create plan")
    listed = await at_rita.types("doorlist setup")
    assert "Backstage → " in listed.text

    chosen = await (await listed.presses("Choose a channel")).picks(general.id)
    assert "The panel stands in" in chosen.text
    assert general.id in guild.channels
    log = discord.create_channel(guild, "staff-log", visible_to=[discord.bot_role(guild)])
    done = await (await chosen.presses("Choose a channel")).picks(log.id)
    assert "7 of 7 done" in done.text, done.text
    await s.eventually(lambda: welcome not in discord.messages(general), "the joining message goes")


async def test_only_an_operator_lets_a_server_in(s: Stage) -> None:
    rita, operator = s.person("rita"), _operator(s)
    guild, general = _new_server(s, rita)
    at_rita = Keyboard(stage=s, user=rita, channel=general)
    await s.eventually(lambda: s.outside.discord.messages(general), "the joining message")
    await at_rita.types("doorlist setup")
    await s.settled()

    assert len(s.outside.discord.direct_messages(operator)) == 1
    welcome = s.outside.discord.messages(general)[0]
    refused = await at_rita.forges(welcome, f"door:server-approve:{guild.id}")
    assert "may not" in refused.text or "not allowed" in refused.text, refused.text
    assert "has to let this server in" in (await at_rita.types("doorlist setup")).text
    assert "is not set up in this server yet" in (await at_rita.types("doorlist panel", channel=general.id)).text


async def _checklist(keyboard: Keyboard) -> Screen:
    return await keyboard.types("doorlist setup")


async def test_the_checklist_repairs_itself_row_by_row(s: Stage, olga: Keyboard) -> None:
    vip, world = s.role("VIP"), s.outside
    world.discord.people.move_role(s.guild, vip, 12, by=s.person("olga"))
    await s.settled()
    found = await _checklist(olga)
    assert "is above me" in found.text
    assert "Stripe, test mode" in found.text

    world.discord.people.move_role(s.guild, vip, 5, by=s.person("olga"))
    await s.settled()
    found = await found.presses("I moved it, check again")
    assert "is above me" not in found.text

    found = await found.presses("Post in #get-access")
    assert "The panel stands in" in found.text
    panel = world.discord.messages(world.seed.server.get_access)[-1]
    assert "Verify purchase" in _labels(panel)

    again = await olga.types("doorlist panel", channel=world.seed.server.get_access.id, language="it")
    assert "updated" in again.text
    panels = [each for each in world.discord.messages(world.seed.server.get_access) if "door:verify" in _labels(each)]
    assert len(panels) == 1, "it is edited, not posted twice"

    world.discord.people.delete_message(panels[0])
    assert "it was deleted" in (await _checklist(olga)).text
