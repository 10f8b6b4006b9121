"""A server from the invite to the first delivered sale, and to its end, by what people press and type alone."""

from __future__ import annotations

from sandbox.discord.permissions import BOT_DEFAULT, Permission
from sandbox.discord.screen import controls, visible_text
from sandbox.discord.world import Message
from tests.commands.keyboard import Keyboard
from tests.commands.newcomers import NewServer, add_bot, operator
from tests.scenarios.stage import Stage


def channel_named(new: NewServer, name: str) -> int:
    """Return the id of a channel."""
    return next(each.id for each in new.guild.channels.values() if each.name == name)


def posts_in(s: Stage, new: NewServer, name: str) -> list[Message]:
    """Return what stands in a channel."""
    return s.outside.discord.messages(new.guild.channels[channel_named(new, name)])


async def pays(s: Stage, url: str, name: str) -> None:
    """Pay at a personal link with a good card."""
    async with s.visitor(name) as visitor:
        details = {"email": f"{name}@example.com", "name": name.title(), "pay_with": "good"}
        await visitor.submit(await visitor.open(url), details)


async def set_up_by_buttons(s: Stage, new: NewServer) -> None:
    """Put every row of the checklist right with its own button."""
    discord, olga = s.outside.discord, new.owner
    welcome = discord.messages(new.general)[0]
    listed = await olga.presses_on(welcome, "Open set-up")
    assert listed.is_private
    assert "I am missing Manage Roles" in listed.text
    assert "Add permission" in listed.labels
    bot_role = discord.bot_role(new.guild)
    discord.people.set_permissions(new.guild, bot_role, BOT_DEFAULT | Permission.MANAGE_CHANNELS, by=olga.user)
    await s.eventually(lambda: "manage_channels" in s.process.services.discord.permissions(new.guild.id))  # type: ignore[arg-type]
    listed = await listed.presses("Check again")
    assert "✅ **Permissions**" in listed.text

    form = await listed.presses("New plan")
    product = next(value for value, label in form.offered("Product") if label.startswith("Backstage"))
    preview = await form.fills(name="Backstage", products=[product])
    made = await preview.presses("Create plan")
    assert "**Backstage** is saved" in made.text

    listed = await olga.types("doorlist setup")
    listed = await (await listed.presses("Choose a channel")).presses("Make #get-access")
    assert "The panel stands in" in listed.text
    listed = await (await listed.presses("Choose a channel")).presses("Make #membership-log")
    assert "7 of 7 done" in listed.text, listed.text
    await s.eventually(lambda: welcome not in discord.messages(new.general), "the joining message goes")


async def test_a_fresh_server_goes_from_the_invite_to_the_first_sale_and_its_end(s: Stage) -> None:
    owner, discord = operator(s), s.outside.discord
    new = add_bot(s, owner, permissions=int(BOT_DEFAULT & ~Permission.MANAGE_ROLES))
    await s.eventually(lambda: discord.messages(new.general), "the joining message")
    await s.settled()
    assert len(discord.messages(new.general)) == 1
    assert not discord.direct_messages(owner), "whoever runs Doorlist need not be asked"
    await set_up_by_buttons(s, new)
    role = next(each for each in new.guild.roles.values() if each.name == "Backstage")
    assert new.guild.channels[channel_named(new, "membership-log")].overwrites, "it names payers: only staff see it"

    zoe = Keyboard(stage=s, user=s.person("zoe"), channel=new.guild.channels[channel_named(new, "get-access")])
    discord.people.join(new.guild, zoe.user)
    panel = posts_in(s, new, "get-access")[-1]
    shelf = await zoe.presses_on(panel, "Buy a plan")
    assert "**Backstage** — 25.00 € / month" in shelf.text
    assert "VIP" not in shelf.text, "the plans of other servers are not for sale here"
    paying = await shelf.presses("Buy 25.00 €")
    await pays(s, next(each.url for each in controls(paying.message.components) if each.url), "zoe")
    await s.settled_until(lambda: role.id in new.guild.members[zoe.user.id].roles, "the role")
    await s.eventually(lambda: paying.text.startswith("✅ You are Backstage"), "the answer")

    await s.eventually(lambda: posts_in(s, new, "membership-log"), "the post")
    told = "\n".join(map(visible_text, posts_in(s, new, "membership-log")))
    assert f"<@{zoe.user.id}>" in told
    assert "Backstage" in told
    assert not [post for post in s.posts() if "Backstage" in post], "nothing of it in another server"

    why = await new.owner.types("member why", member=zoe.user.id)
    assert f"<@&{role.id}>: has it, should have it ✅" in why.text
    s.stripe.cancel_now(s.outside.stripe.world.rows("subscription")[-1]["id"])
    await s.settled_until(lambda: role.id not in new.guild.members[zoe.user.id].roles, "the end")
    why = await new.owner.types("member why", member=zoe.user.id)
    assert f"<@&{role.id}>: does not have it, should not ✅" in why.text
    assert "cancelled" in why.text.lower()


async def test_a_stranger_sees_nothing_until_the_operator_lets_them_in(s: Stage) -> None:
    discord, boss = s.outside.discord, operator(s)
    await s.is_member("ben")
    new = add_bot(s, s.person("rita"))
    manager = discord.create_role(new.guild, "Manager", permissions=Permission.MANAGE_GUILD)
    discord.create_member(new.guild, s.person("mia"), manager)
    mia = Keyboard(stage=s, user=s.person("mia"), channel=new.general)
    discord.people.join(new.guild, s.person("ben"))
    await s.eventually(lambda: discord.messages(new.general), "the joining message")

    for command, options in (
        ("plan list", {}),
        ("member card", {"member": s.person("ben").id}),
        ("member find", {"query": "ben"}),
        ("doorlist settings", {}),
    ):
        answer = (await mia.types(command, is_forged=True, **options)).text
        assert "not set up in this server yet" in answer, command
    assert await mia.suggestions("plan show", "plan", "") == []
    assert await mia.suggestions("plan create", "product", "", name="x") == []
    waiting = await mia.presses_on(discord.messages(new.general)[0], "Open set-up")
    assert "has to let this server in" in waiting.text
    await s.settled()
    asked = discord.direct_messages(boss)
    assert len(asked) == 1

    at_boss = Keyboard(stage=s, user=boss, channel=discord.world.dm_with(boss))
    await at_boss.presses_on(asked[0], "Approve “Rita's place” for Mia")
    await s.settled()
    assert "was approved" in visible_text(discord.direct_messages(mia.user)[-1])
    listed = await waiting.presses("Look again")
    assert "Set-up · " in listed.text
    found = await mia.types("member find", is_forged=True, query="ben@example.com")
    assert "VIP" not in found.text
    assert "b••" not in found.text, "who paid elsewhere is nobody here"
    assert "Ben" in found.text or "Nobody" in found.text or "nothing" in found.text.lower()
    assert "No plan" in (await mia.types("plan list")).text
