"""The port over the wire: observing, writing, joining, inviting, speaking, and what it makes of refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from yarl import URL

from membership.errors import Blocked, Gone, Reason, Retry
from membership.model import ChannelId, GuildId, Lane, MessageId, Observation, RoleId, UserId
from membership.ports import JoinOutcome
from sandbox.discord.faults import Fault, refused
from sandbox.discord.gateway import encode
from sandbox.discord.permissions import BOT_DEFAULT, Permission
from sandbox.discord.world import User
from tests.cogs.connected import Connected, connected
from tests.sandbox.discord_stage import REDIRECT, until


async def observe(here: Connected, *users: User, lane: Lane = Lane.EVENT) -> Mapping[UserId, Observation]:
    ids = [UserId(user.id) for user in users]
    return await here.side.port.observe(here.guild_id, ids, lane=lane)


async def test_it_sees_who_is_in_the_server_and_with_which_roles() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.people.give_role(stage.guild, stage.charlie, stage.vip, by=stage.alice)
        answer = await observe(here, stage.charlie, stage.dora)
        assert answer[UserId(stage.dora.id)] is None
        seen = answer[UserId(stage.charlie.id)]
        assert seen is not None
        assert seen.roles == {here.vip_id}


async def test_questions_of_the_same_moment_become_one_query_without_a_rest_call() -> None:
    async with connected() as here:
        stage = here.stage
        people = (stage.alice, stage.bob, stage.charlie, stage.dora)
        before = len(stage.local.records.requests)
        await asyncio.gather(*(observe(here, person) for person in people))
        assert len(stage.local.records.requests) == before
        assert here.side.queries.sent == 1


async def test_it_shows_who_has_not_accepted_the_rules() -> None:
    async with connected() as here:
        stage = here.stage
        stage.guild.members[stage.charlie.id].is_pending = True
        seen = (await observe(here, stage.charlie))[UserId(stage.charlie.id)]
        assert seen is not None
        assert seen.is_pending


async def test_a_server_in_an_outage_answers_nothing_and_nobody_is_gone() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.people.begin_outage(stage.guild)
        await until(lambda: not here.side.port.is_available(here.guild_id))
        with pytest.raises(Retry):
            await observe(here, stage.charlie)
        assert here.side.port.roles(here.guild_id) == {}


async def test_an_unknown_server_is_a_reason_to_wait_not_an_answer() -> None:
    async with connected() as here:
        with pytest.raises(Retry):
            await here.side.port.observe(GuildId(1), [UserId(here.stage.charlie.id)], lane=Lane.EVENT)


async def test_a_person_is_looked_up_over_rest_when_the_gateway_does_not_answer() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.gateway.drop_connections(1006)
        await until(lambda: not stage.local.gateway.connections)
        answer = await observe(here, stage.charlie, stage.dora, lane=Lane.PERSON)
        assert answer[UserId(stage.charlie.id)] is not None
        assert answer[UserId(stage.dora.id)] is None


async def test_discords_limit_on_member_queries_is_heard() -> None:
    async with connected() as here:
        # Nobody answers for a server that does not exist.
        asking = asyncio.create_task(here.side.queries.ask(GuildId(5), [UserId(1)], Lane.BULK))
        await until(lambda: here.side.queries.sent == 1)
        (session,) = here.stage.local.gateway.connections
        meta = {"guild_id": "5", "nonce": "q1"}
        session.dispatch("RATE_LIMITED", encode({"opcode": 8, "retry_after": 12.5, "meta": meta}))
        with pytest.raises(Retry) as failure:
            await asking
        assert failure.value.after == timedelta(seconds=12.5)


async def test_an_account_that_no_longer_exists_is_not_in_the_server() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.add_fault(Fault(method="GET", path="/members/", answer=refused(404, 10013)))
        stage.local.gateway.is_refusing = True
        stage.local.gateway.drop_connections(1006)
        await until(lambda: not stage.local.gateway.connections)
        assert await observe(here, stage.dora, lane=Lane.PERSON) == {UserId(stage.dora.id): None}


async def test_bulk_waits_for_the_gateway_instead_of_using_up_rest() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.gateway.is_refusing = True
        stage.local.gateway.drop_connections(1006)
        await until(lambda: not stage.local.gateway.connections)
        with pytest.raises(Retry):
            await observe(here, stage.charlie, lane=Lane.BULK)
        assert here.requests("GET", "/members/") == []


async def test_it_puts_and_takes_a_role_and_says_why_in_the_audit_log() -> None:
    async with connected() as here:
        stage, port = here.stage, here.side.port
        await port.add_role(here.key(stage.charlie), here.vip_id, lane=Lane.EVENT, why="paid, grant 7")
        assert stage.local.roles_of(stage.guild, stage.charlie) == {"VIP"}
        assert stage.guild.audit_log[-1].reason == "paid, grant 7"
        await port.remove_role(here.key(stage.charlie), here.vip_id, lane=Lane.EVENT, why="ended")
        assert stage.local.roles_of(stage.guild, stage.charlie) == set()


async def test_it_kicks() -> None:
    async with connected() as here:
        stage = here.stage
        await here.side.port.kick(here.key(stage.charlie), lane=Lane.EVENT, why="ended")
        assert stage.charlie.id not in stage.guild.members


async def test_a_role_above_the_bot_is_named_and_asked_for_once() -> None:
    async with connected() as here:
        stage, port = here.stage, here.side.port
        stage.local.people.move_role(stage.guild, stage.vip, 11, by=stage.alice)
        await until(lambda: port.roles(here.guild_id)[here.vip_id].refusal == "above_bot")
        for person in (stage.charlie, stage.bob):
            with pytest.raises(Blocked) as failure:
                await port.add_role(here.key(person), here.vip_id, lane=Lane.EVENT, why="paid")
            assert failure.value.reason is Reason.ROLE_ABOVE_BOT
        assert here.requests("PUT", "/roles/") == [403]


async def test_a_role_that_moved_back_below_the_bot_is_tried_again() -> None:
    async with connected() as here:
        stage, port = here.stage, here.side.port
        stage.local.people.move_role(stage.guild, stage.vip, 11, by=stage.alice)
        with pytest.raises(Blocked):
            await port.add_role(here.key(stage.charlie), here.vip_id, lane=Lane.EVENT, why="paid")
        here.heard.log.clear()
        stage.local.people.move_role(stage.guild, stage.vip, 2, by=stage.alice)
        await until(lambda: ("role_changed", here.guild_id) in here.heard.log)
        await port.add_role(here.key(stage.charlie), here.vip_id, lane=Lane.EVENT, why="paid")
        assert stage.local.roles_of(stage.guild, stage.charlie) == {"VIP"}


async def test_without_manage_roles_the_permission_is_what_is_missing() -> None:
    async with connected() as here:
        stage, port = here.stage, here.side.port
        lacking = BOT_DEFAULT & ~Permission.MANAGE_ROLES
        stage.local.people.set_permissions(stage.guild, stage.local.bot_role(stage.guild), lacking, by=stage.alice)
        await until(lambda: port.roles(here.guild_id)[here.vip_id].refusal == "no_permission")
        with pytest.raises(Blocked) as failure:
            await port.add_role(here.key(stage.charlie), here.vip_id, lane=Lane.EVENT, why="paid")
        assert failure.value.reason is Reason.MISSING_PERMISSION


async def test_a_member_above_the_bot_cannot_be_kicked_and_the_reason_is_told() -> None:
    async with connected() as here:
        with pytest.raises(Blocked) as failure:
            await here.side.port.kick(here.key(here.stage.alice), lane=Lane.EVENT, why="ended")
        assert failure.value.reason is Reason.MISSING_PERMISSION
        assert "Kick Members" in failure.value.detail


async def test_a_deleted_role_is_gone_and_not_asked_for_again() -> None:
    async with connected() as here:
        stage, port = here.stage, here.side.port
        for person in (stage.charlie, stage.bob):
            with pytest.raises(Gone) as failure:
                await port.add_role(here.key(person), RoleId(12345), lane=Lane.EVENT, why="paid")
            assert failure.value.what == "role"
        assert here.requests("PUT", "/roles/") == [404]


async def test_somebody_who_left_is_gone_as_a_member() -> None:
    async with connected() as here:
        with pytest.raises(Gone) as failure:
            await here.side.port.add_role(here.key(here.stage.dora), here.vip_id, lane=Lane.EVENT, why="paid")
        assert failure.value.what == "member"


@pytest.mark.parametrize("status", [503, 507, 520, 530])
async def test_trouble_at_discord_is_an_unknown_outcome(status: int) -> None:
    async with connected() as here:
        here.stage.local.add_fault(Fault(method="PUT", path="/roles/", answer=refused(status, 0)))
        with pytest.raises(Retry):
            await here.side.port.add_role(here.key(here.stage.charlie), here.vip_id, lane=Lane.EVENT, why="paid")


async def test_a_cut_connection_after_the_effect_is_an_unknown_outcome() -> None:
    async with connected() as here:
        fault = Fault(method="PUT", path="/roles/", answer="reset", after_effect=True, times=None)
        here.stage.local.add_fault(fault)
        with pytest.raises(Retry):
            await here.side.port.add_role(here.key(here.stage.charlie), here.vip_id, lane=Lane.EVENT, why="paid")


async def test_three_refused_tokens_stop_all_calls() -> None:
    async with connected() as here:
        here.stage.local.add_fault(Fault(path="/roles/", answer=refused(401, 0), times=None))
        for _ in range(5):
            with pytest.raises(Blocked) as failure:
                await here.side.port.add_role(here.key(here.stage.charlie), here.vip_id, lane=Lane.EVENT, why="paid")
            assert failure.value.reason is Reason.CREDENTIALS_REFUSED
        assert here.requests("PUT", "/roles/") == [401, 401, 401]


# ----------------------------------------------------------------------------------------------------------- joining


def _token(here: Connected, user: User) -> str:
    authorizations, portal = here.stage.local.authorizations, here.stage.local.portal
    asked = {"client_id": portal.client_id, "redirect_uri": REDIRECT, "response_type": "code", "state": "s"}
    wanted = authorizations.read_request(asked | {"scope": "identify guilds.join"})
    code = URL(authorizations.approve(wanted, user)).query["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    return str(authorizations.exchange(form, (portal.client_id, portal.client_secret))["access_token"])


async def test_it_adds_a_buyer_to_the_server_with_their_roles() -> None:
    async with connected() as here:
        stage = here.stage
        outcome = await here.side.port.join(here.key(stage.dora), _token(here, stage.dora), [here.vip_id])
        assert outcome is JoinOutcome.JOINED
        assert stage.local.roles_of(stage.guild, stage.dora) == {"VIP"}


async def test_it_tells_when_the_buyer_was_there_already() -> None:
    async with connected() as here:
        stage = here.stage
        outcome = await here.side.port.join(here.key(stage.charlie), _token(here, stage.charlie), [here.vip_id])
        assert outcome is JoinOutcome.ALREADY_THERE
        assert stage.local.roles_of(stage.guild, stage.charlie) == set()


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (403, 40007, Reason.BANNED),
        (400, 30001, Reason.SERVER_LIMIT),
        (403, 340015, Reason.JOIN_LIMITED),
        (403, 50025, Reason.TOKEN_EXPIRED),
        (403, 50026, Reason.SCOPE_MISSING),
        (403, 50013, Reason.MISSING_PERMISSION),
    ],
)
async def test_every_refusal_of_a_join_has_its_reason(status: int, code: int, reason: Reason) -> None:
    async with connected() as here:
        here.stage.local.add_fault(Fault(method="PUT", path=r"/members/\d+$", answer=refused(status, code)))
        with pytest.raises(Blocked) as failure:
            await here.side.port.join(here.key(here.stage.dora), "token", [])
        assert failure.value.reason is reason


async def test_an_invite_is_for_one_person_and_brings_the_roles() -> None:
    async with connected() as here:
        stage = here.stage
        url = await here.side.port.invite(here.guild_id, ChannelId(stage.channel.id), [here.vip_id])
        stage.local.people.join_by_invite(url.rpartition("/")[2], stage.dora)
        assert stage.local.roles_of(stage.guild, stage.dora) == {"VIP"}
        with pytest.raises(LookupError):
            stage.local.people.join_by_invite(url.rpartition("/")[2], stage.local.create_user("eve"))


async def test_an_invite_is_plain_where_discord_refuses_roles_on_it() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.add_fault(Fault(method="POST", path="/invites", answer=refused(400, 50035)))
        url = await here.side.port.invite(here.guild_id, None, [here.vip_id])
        stage.local.people.join_by_invite(url.rpartition("/")[2], stage.dora)
        assert stage.local.roles_of(stage.guild, stage.dora) == set()


# ---------------------------------------------------------------------------------------------------------- speaking


KICK = {"plan": "VIP", "server": "The Lounge", "kick_at": "2026-12-01T10:00:00+00:00"}


async def test_a_direct_message_arrives() -> None:
    async with connected() as here:
        await here.side.port.direct_message(UserId(here.stage.charlie.id), "kick", KICK, nonce="dm:1")
        said = "".join(here.said_to(here.stage.charlie))
        assert "VIP" in said
        assert "The Lounge" in said


async def test_a_direct_message_is_in_the_language_of_the_member_else_of_the_server() -> None:
    async with connected() as here:
        charlie, port = here.stage.charlie, here.side.port
        here.stage.guild.preferred_locale = "it"
        await here.restart()
        known = KICK | {"guild_id": str(here.guild_id)}
        await port.direct_message(UserId(charlie.id), "kick", known, nonce="dm:3")
        await port.direct_message(UserId(charlie.id), "kick", known | {"language": "en-US"}, nonce="dm:4")
        italian, english = here.said_to(charlie)
        assert "è terminato" in italian
        assert "has ended" in english


async def test_closed_direct_messages_are_named() -> None:
    async with connected() as here:
        here.stage.charlie.accepts_dms = False
        with pytest.raises(Blocked) as failure:
            await here.side.port.direct_message(UserId(here.stage.charlie.id), "kick", KICK, nonce="dm:2")
        assert failure.value.reason is Reason.DMS_CLOSED


async def test_the_same_event_is_posted_once() -> None:
    async with connected() as here:
        stage = here.stage
        facts = {"plan": "VIP", "user_id": str(stage.charlie.id), "number": 1842}
        for _ in range(2):
            await here.side.port.post(ChannelId(stage.channel.id), "grant.delivered", facts, nonce="post:1842")
        (message,) = stage.local.messages(stage.channel)
        assert "VIP given to" in message.embeds[0]["title"]


async def test_people_and_channels_have_names_and_unknown_ones_have_none() -> None:
    async with connected() as here:
        stage, port = here.stage, here.side.port
        assert await port.handle(UserId(stage.charlie.id)) == "@charlie"
        assert await port.handle(UserId(4)) == ""
        assert port.channel_name(ChannelId(stage.channel.id)) == "get-access"
        assert port.channel_name(ChannelId(4)) == ""
        assert port.guild_name(here.guild_id) == "Demo"
        assert port.guild_name(GuildId(4)) == ""


async def test_a_post_into_a_deleted_channel_is_gone() -> None:
    async with connected() as here:
        with pytest.raises(Gone) as failure:
            await here.side.port.post(ChannelId(4), "grant.delivered", {}, nonce="post:1")
        assert failure.value.what == "channel"


async def test_it_reads_what_was_written_since_oldest_first_and_knows_what_people_wrote() -> None:
    async with connected() as here:
        stage = here.stage
        first = stage.local.people.say(stage.channel, stage.bob, "before")
        await here.side.port.post(ChannelId(stage.channel.id), "grant.delivered", {}, nonce="post:5")
        for number in range(5):
            stage.local.people.say(stage.channel, stage.charlie, f"!claim {number}")
        found = await here.side.port.messages_after(ChannelId(stage.channel.id), MessageId(first.id), 4)
        assert [message.is_from_person for message in found] == [False, True, True, True]
        assert [message.text for message in found[1:]] == ["!claim 0", "!claim 1", "!claim 2"]
        assert {message.author_id for message in found[1:]} == {stage.charlie.id}


# ------------------------------------------------------------------------------------------------------------- roles


async def test_roles_that_cannot_be_given_say_why() -> None:
    async with connected() as here:
        stage = here.stage
        tags: dict[str, dict[str, str | None]] = {
            "booster": {"premium_subscriber": None},
            "linked": {"guild_connections": None},
            "for_sale": {"available_for_purchase": None, "subscription_listing_id": "1"},
            "managed": {"bot_id": "5"},
        }
        made = {why: stage.local.create_role(stage.guild, why, tags=tag) for why, tag in tags.items()}
        onboarding = stage.local.create_role(stage.guild, "self")
        onboarding.flags = 1
        stage.local.people.set_permissions(stage.guild, onboarding, 0, by=stage.alice)
        high = stage.local.create_role(stage.guild, "high", position=12)
        await until(lambda: RoleId(high.id) in here.side.port.roles(here.guild_id))
        roles = here.side.port.roles(here.guild_id)
        assert {why: roles[RoleId(role.id)].refusal for why, role in made.items()} == {why: why for why in tags}
        assert roles[RoleId(stage.guild.id)].refusal == "everyone"
        assert roles[RoleId(onboarding.id)].refusal == "self_selectable"
        assert roles[RoleId(high.id)].refusal == "above_bot"
        assert roles[here.vip_id].refusal == ""
