"""What the doctor finds at Discord, driven over the local one: each check with its cause, and its repair."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from pydantic import SecretStr

from membership.checks import Outcome
from membership.model import ChannelId, GuildId, OnEnd, RoleId
from sandbox.discord.faults import Answer, Fault
from sandbox.discord.permissions import BOT_DEFAULT, Permission
from sandbox.discord.world import Overwrite
from tests.app.clinic import Clinic

Break = Callable[[Clinic], Awaitable[None]]
BROKEN: dict[str, tuple[str, Outcome, str, Break]] = {}


def broken(number: str, outcome: Outcome, cause: str) -> Callable[[Break], Break]:
    """Register what breaks a check, and words of the cause that it then gives."""

    def register(cause_of: Break) -> Break:
        BROKEN[f"{number} {cause_of.__name__}"] = (number, outcome, cause, cause_of)
        return cause_of

    return register


@broken("D01", Outcome.FAIL, "refuses the bot's token (401)")
async def token_was_reset(clinic: Clinic) -> None:
    clinic.outside.discord.portal.token = "another"


@broken("D02", Outcome.FAIL, "refuses the client secret")
async def client_secret_was_reset(clinic: Clinic) -> None:
    clinic.outside.discord.portal.client_secret = "another"


@broken("D02", Outcome.FAIL, "is not set")
async def client_id_is_missing(clinic: Clinic) -> None:
    clinic.set("discord", client_id="")


@broken("D03", Outcome.FAIL, "Server Members intent is off")
async def members_intent_is_off(clinic: Clinic) -> None:
    clinic.outside.discord.portal.has_members_intent = False


@broken("D04", Outcome.WARN, "!claim in channels does not work")
async def content_intent_is_off(clinic: Clinic) -> None:
    clinic.outside.discord.portal.has_message_content_intent = False


@broken("D05", Outcome.FAIL, "https://old.example/interactions")
async def interactions_go_elsewhere(clinic: Clinic) -> None:
    clinic.outside.discord.portal.interactions_url = "https://old.example/interactions"


@broken("D06", Outcome.FAIL, "/oauth/discord/callback is not registered")
async def redirect_is_missing(clinic: Clinic) -> None:
    clinic.outside.discord.portal.redirect_uris.clear()


@broken("D07", Outcome.FAIL, 'not in "Demo Server" any more')
async def bot_was_kicked(clinic: Clinic) -> None:
    clinic.outside.seed.server.guild.leave(clinic.outside.discord.world.bot.id)


@broken("D08", Outcome.FAIL, "VIP (position 20) is above Doorlist (position 10)")
async def role_was_dragged_up(clinic: Clinic) -> None:
    clinic.outside.seed.server.vip.position = 20


@broken("D09", Outcome.FAIL, "Missing: Manage Roles, Create Invite")
async def permissions_were_taken(clinic: Clinic) -> None:
    bot_permissions(clinic, without=Permission.MANAGE_ROLES | Permission.CREATE_INSTANT_INVITE)


@broken("D09", Outcome.FAIL, "Missing: Kick Members")
async def kick_is_used_and_not_granted(clinic: Clinic) -> None:
    bot_permissions(clinic, without=Permission.KICK_MEMBERS)
    await clinic.plan(on_end=OnEnd.KICK)


@broken("D10", Outcome.HINT, "does not need it")
async def bot_is_administrator(clinic: Clinic) -> None:
    discord, guild = clinic.outside.discord, clinic.outside.seed.server.guild
    discord.bot_role(guild).permissions |= Permission.ADMINISTRATOR


@broken("D11", Outcome.FAIL, "A role of the plan VIP was deleted")
async def role_was_deleted(clinic: Clinic) -> None:
    await clinic.plan(roles=(RoleId(4711),))


@broken("D11", Outcome.FAIL, "belongs to another bot")
async def role_is_managed(clinic: Clinic) -> None:
    guild = clinic.outside.seed.server.guild
    role = clinic.outside.discord.create_role(guild, "Other bot", tags={"bot_id": "99"})
    await clinic.plan(roles=(RoleId(role.id),))


@broken("D12", Outcome.WARN, "has Manage Messages, Kick Members")
async def role_has_staff_power(clinic: Clinic) -> None:
    clinic.outside.seed.server.vip.permissions = Permission.KICK_MEMBERS | Permission.MANAGE_MESSAGES


@broken("D13", Outcome.WARN, "@everyone can see #vip-lounge")
async def paid_channel_is_open(clinic: Clinic) -> None:
    server = clinic.outside.seed.server
    server.lounge.overwrites[server.guild.id] = Overwrite(kind=0)


@broken("D13", Outcome.HINT, "VIP opens no channel")
async def role_opens_nothing(clinic: Clinic) -> None:
    server = clinic.outside.seed.server
    for channel in server.guild.channels.values():
        channel.overwrites.pop(server.vip.id, None)


@broken("D14", Outcome.WARN, "The event log was deleted")
async def log_was_deleted(clinic: Clinic) -> None:
    await clinic.guild(event_channel_id=ChannelId(4711))


@broken("D14", Outcome.WARN, "@everyone can read #membership-log")
async def log_is_public(clinic: Clinic) -> None:
    clinic.outside.seed.server.log.overwrites.clear()


@broken("D14", Outcome.WARN, "#get-access cannot be written")
async def claim_channel_is_closed(clinic: Clinic) -> None:
    server = clinic.outside.seed.server
    server.get_access.overwrites[server.guild.id] = Overwrite(kind=0, deny=Permission.SEND_MESSAGES)


@broken("D15", Outcome.WARN, "1 differ from this version: claim")
async def command_was_changed(clinic: Clinic) -> None:
    for command in clinic.outside.discord.world.commands.values():
        if command["name"] == "claim":
            command["description"] = "Something older"


@broken("D16", Outcome.HINT, "1 hold VIP without a purchase")
async def somebody_has_the_role(clinic: Clinic) -> None:
    server, ben = clinic.outside.seed.server, clinic.outside.seed.cast.ben
    server.guild.set_roles(server.guild.members[ben.id], frozenset({server.vip.id}))


@broken("D17", Outcome.WARN, "asks its moderators for two-factor")
async def owner_has_no_two_factor(clinic: Clinic) -> None:
    clinic.outside.seed.server.guild.mfa_level = 1
    clinic.outside.discord.portal.has_owner_two_factor = False


def bot_permissions(clinic: Clinic, *, without: int) -> None:
    """Take permissions from the bot, and from everybody."""
    guild = clinic.outside.seed.server.guild
    clinic.outside.discord.bot_role(guild).permissions = BOT_DEFAULT & ~without
    guild.roles[guild.id].permissions &= ~without


@pytest.mark.parametrize("name", BROKEN)
async def test_it_finds_the_cause_and_says_what_to_do(clinic: Clinic, name: str) -> None:
    number, outcome, cause, cause_of = BROKEN[name]
    await cause_of(clinic)
    found = await clinic.only(number)
    assert (found.outcome, cause in found.cause, bool(found.fix)) == (outcome, True, True), found


@pytest.mark.parametrize(
    "name",
    [
        "D03 members_intent_is_off",
        "D04 content_intent_is_off",
        "D05 interactions_go_elsewhere",
        "D11 role_was_deleted",
        "D15 command_was_changed",
    ],
)
async def test_a_repair_puts_it_right(clinic: Clinic, name: str) -> None:
    number, _, _, cause_of = BROKEN[name]
    await cause_of(clinic)
    await clinic.look(number, repairs=True)
    assert await clinic.outcome(number) is Outcome.OK


async def test_a_role_that_was_made_again_is_the_plans_and_gives_nothing_else(clinic: Clinic) -> None:
    await clinic.plan(roles=(RoleId(4711),))
    await clinic.look("D11", repairs=True)
    async with clinic.services.store.read() as tx:
        (plan,) = await tx.plans.all()
    made = clinic.outside.seed.server.guild.roles[plan.roles[0]]
    assert (made.name, made.permissions) == ("VIP", 0)


async def test_without_a_token_everything_at_discord_is_skipped_but_the_token(clinic: Clinic) -> None:
    clinic.set("discord", token=SecretStr("wrong"))
    found = await clinic.look(*(f"D{number:02}" for number in range(1, 18)))
    assert [result.id for result in found if result.outcome is Outcome.FAIL] == ["D01"]
    assert {result.outcome for result in found if result.id != "D01"} == {Outcome.SKIP}


async def test_an_outage_of_discord_is_no_failure(clinic: Clinic) -> None:
    clinic.outside.discord.go_down()
    found = await clinic.look("D01", "D08", "E03")
    assert {(result.outcome, result.is_unreachable) for result in found} == {(Outcome.SKIP, True)}


async def test_it_counts_who_waits_for_the_role_order(clinic: Clinic) -> None:
    clinic.outside.seed.server.vip.position = 20
    await clinic.fails_to_deliver()
    assert (await clinic.only("D08")).affects == "1 waiting member"


async def test_what_discord_does_not_count_is_unknown_and_hides_nothing_else(clinic: Clinic) -> None:
    refusal = Answer(status=403, body={"code": 50013, "message": "Missing Permissions"})
    clinic.outside.discord.add_fault(Fault(answer=refusal, path="member-counts", times=None))
    assert {result.id: result.outcome for result in await clinic.look("D08", "D16")} == {
        "D08": Outcome.OK,
        "D16": Outcome.SKIP,
    }


async def test_a_server_that_the_bot_left_hides_no_other(clinic: Clinic) -> None:
    async with clinic.services.store.write() as tx:
        left = await tx.guilds.ensure(GuildId(4711), "Left behind")
        await tx.guilds.replace(replace(left, is_active=True))
    clinic.outside.seed.server.vip.position = 20
    found = await clinic.look("D07", "D08")
    assert [(result.id, result.outcome) for result in found] == [
        ("D07", Outcome.FAIL),
        ("D08", Outcome.SKIP),
        ("D08", Outcome.FAIL),
    ]
    assert "Left behind" in found[0].cause
    assert found[1].cause == "could not check: the bot is not in this server"


async def test_a_server_that_was_never_set_up_is_none_of_our_business(clinic: Clinic) -> None:
    async with clinic.services.store.write() as tx:
        await tx.guilds.ensure(GuildId(4711), "A stranger's")
    assert await clinic.outcome("D07") is Outcome.OK
