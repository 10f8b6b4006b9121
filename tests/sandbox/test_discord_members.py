"""Members and roles over REST: the hierarchy, the codes, guilds.join."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.discord.permissions import BOT_DEFAULT, Permission
from tests.sandbox.discord_stage import REDIRECT, Stage, a_stage


async def test_a_role_is_given_and_taken_one_by_one() -> None:
    async with a_stage() as stage:
        assert await stage.api("PUT", stage.role_path(stage.charlie)) == (204, None)
        assert stage.local.roles_of(stage.guild, stage.charlie) == {"VIP"}
        assert await stage.api("DELETE", stage.role_path(stage.charlie)) == (204, None)
        assert stage.local.roles_of(stage.guild, stage.charlie) == set()


async def test_giving_a_role_twice_is_no_error_and_one_audit_entry() -> None:
    async with a_stage() as stage:
        for _ in range(2):
            assert await stage.api("PUT", stage.role_path(stage.charlie)) == (204, None)
        assert [entry.action for entry in stage.guild.audit_log].count(25) == 1


async def test_a_role_above_the_bots_own_cannot_be_given() -> None:
    async with a_stage() as stage:
        stage.local.people.move_role(stage.guild, stage.vip, 11, by=stage.alice)
        status, body = await stage.api("PUT", stage.role_path(stage.charlie))
        assert (status, body["code"]) == (403, 50013)


async def test_among_equal_positions_the_older_role_is_the_higher_one() -> None:
    async with a_stage() as stage:
        stage.local.people.move_role(stage.guild, stage.vip, 10, by=stage.alice)
        assert (await stage.api("PUT", stage.role_path(stage.charlie)))[0] == 204


async def test_administrator_does_not_lift_the_bot_above_a_higher_role() -> None:
    async with a_stage() as stage:
        bot_role = stage.local.bot_role(stage.guild)
        stage.local.people.set_permissions(stage.guild, bot_role, Permission.ADMINISTRATOR, by=stage.alice)
        stage.local.people.move_role(stage.guild, stage.vip, 11, by=stage.alice)
        status, body = await stage.api("PUT", stage.role_path(stage.charlie))
        assert (status, body["code"]) == (403, 50013)


async def test_a_managed_role_cannot_be_given() -> None:
    async with a_stage() as stage:
        booster = stage.local.create_role(stage.guild, "Booster", tags={"premium_subscriber": None})
        status, body = await stage.api("PUT", stage.role_path(stage.charlie, booster))
        assert (status, body["code"]) == (403, 50013)


async def test_without_manage_roles_no_role_is_given() -> None:
    async with a_stage() as stage:
        without = BOT_DEFAULT & ~Permission.MANAGE_ROLES
        stage.local.people.set_permissions(stage.guild, stage.local.bot_role(stage.guild), without, by=stage.alice)
        status, body = await stage.api("PUT", stage.role_path(stage.charlie))
        assert (status, body["code"]) == (403, 50013)


async def test_what_is_unknown_is_told_apart() -> None:
    async with a_stage() as stage:
        guild, charlie, vip = stage.guild.id, stage.charlie.id, stage.vip.id
        other = stage.local.create_guild("Elsewhere", owner=stage.alice)
        stage.local.people.remove_bot(other)
        paths = {
            f"/guilds/1/members/{charlie}/roles/{vip}": (404, 10004),
            f"/guilds/{other.id}/members/{charlie}/roles/{vip}": (403, 50001),
            f"/guilds/{guild}/members/{stage.dora.id}/roles/{vip}": (404, 10007),
            f"/guilds/{guild}/members/1/roles/{vip}": (404, 10013),
            f"/guilds/{guild}/members/{charlie}/roles/1": (404, 10011),
            f"/guilds/{guild}/members/{charlie}/roles/{guild}": (400, 50028),
        }
        for path, expected in paths.items():
            status, body = await stage.api("PUT", path)
            assert (status, body["code"]) == expected, path


async def test_a_wrong_token_is_401_and_counts_as_invalid() -> None:
    async with a_stage() as stage:
        assert (await stage.api("GET", "/users/@me", token="Bot wrong"))[0] == 401
        assert stage.local.buckets.invalid_requests == 1


async def test_an_unknown_path_is_404() -> None:
    async with a_stage() as stage:
        assert await stage.api("GET", "/nothing") == (404, {"message": "404: Not Found", "code": 0})


async def test_a_whole_roles_list_replaces_what_somebody_else_gave() -> None:
    async with a_stage() as stage:
        other = stage.local.create_role(stage.guild, "Other")
        stage.local.people.give_role(stage.guild, stage.charlie, other, by=stage.bob)
        body = {"roles": [str(stage.vip.id)]}
        assert (await stage.api("PATCH", stage.member_path(stage.charlie), body))[0] == 200
        assert stage.local.roles_of(stage.guild, stage.charlie) == {"VIP"}


async def test_a_whole_roles_list_may_keep_a_role_above_the_bot() -> None:
    async with a_stage() as stage:
        above = stage.local.create_role(stage.guild, "Above", position=20)
        stage.local.people.give_role(stage.guild, stage.charlie, above, by=stage.alice)
        kept = {"roles": [str(above.id), str(stage.vip.id)]}
        assert (await stage.api("PATCH", stage.member_path(stage.charlie), kept))[0] == 200
        status, body = await stage.api("PATCH", stage.member_path(stage.charlie), {"roles": []})
        assert (status, body["code"]) == (403, 50013)


async def test_the_owner_cannot_be_kicked() -> None:
    async with a_stage() as stage:
        status, body = await stage.api("DELETE", stage.member_path(stage.alice))
        assert (status, body["code"]) == (403, 50013)
        assert await stage.api("DELETE", stage.member_path(stage.charlie)) == (204, None)
        assert stage.charlie.id not in stage.guild.members


async def test_members_are_counted_by_role() -> None:
    async with a_stage() as stage:
        stage.local.people.give_role(stage.guild, stage.charlie, stage.vip, by=stage.bob)
        stage.local.people.give_role(stage.guild, stage.bob, stage.vip, by=stage.alice)
        stage.local.people.leave(stage.guild, stage.bob)
        _, counts = await stage.api("GET", f"/guilds/{stage.guild.id}/roles/member-counts")
        assert counts[str(stage.vip.id)] == 1


async def test_the_member_list_needs_the_intent_in_the_portal() -> None:
    async with a_stage() as stage:
        path = f"/guilds/{stage.guild.id}/members?limit=2"
        _, page = await stage.api("GET", path)
        _, rest = await stage.api("GET", f"{path}&after={page[-1]['user']['id']}")
        names = [each["user"]["username"] for each in page + rest]
        assert sorted(names) == ["alice", "bob", "charlie", "doorlist"]
        stage.local.portal.has_members_intent = False
        assert (await stage.api("GET", path))[1]["code"] == 50001


async def test_a_deleted_role_leaves_its_holders() -> None:
    async with a_stage() as stage:
        stage.local.people.give_role(stage.guild, stage.charlie, stage.vip, by=stage.bob)
        assert await stage.api("DELETE", f"/guilds/{stage.guild.id}/roles/{stage.vip.id}") == (204, None)
        assert stage.local.roles_of(stage.guild, stage.charlie) == set()


async def test_a_guild_has_at_most_250_roles() -> None:
    async with a_stage() as stage:
        for number in range(250 - len(stage.guild.roles)):
            stage.local.create_role(stage.guild, f"role {number}")
        status, body = await stage.api("POST", f"/guilds/{stage.guild.id}/roles", {"name": "one more"})
        assert (status, body["code"]) == (400, 30005)


async def a_token(stage: Stage, scope: str = "identify guilds.join") -> str:
    request = {"client_id": stage.local.portal.client_id, "redirect_uri": REDIRECT, "response_type": "code"}
    wanted = stage.local.authorizations.read_request(request | {"scope": scope})
    code = stage.local.authorizations.approve(wanted, stage.dora).partition("code=")[2]
    login = (stage.local.portal.client_id, stage.local.portal.client_secret)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    return str(stage.local.authorizations.exchange(form, login)["access_token"])


async def test_a_user_is_put_in_with_roles_and_the_second_time_roles_are_ignored() -> None:
    async with a_stage() as stage:
        body = {"access_token": await a_token(stage), "roles": [str(stage.vip.id)]}
        assert (await stage.api("PUT", stage.member_path(stage.dora), body))[0] == 201
        assert stage.local.roles_of(stage.guild, stage.dora) == {"VIP"}
        stage.local.people.take_role(stage.guild, stage.dora, stage.vip, by=stage.bob)
        assert await stage.api("PUT", stage.member_path(stage.dora), body) == (204, None)
        assert stage.local.roles_of(stage.guild, stage.dora) == set()


@pytest.mark.parametrize(
    ("flag", "expected"), [("is_at_guild_cap", (400, 30001)), ("is_limited_from_joining", (403, 340015))]
)
async def test_a_user_who_may_join_nothing_is_refused(flag: str, expected: tuple[int, int]) -> None:
    async with a_stage() as stage:
        setattr(stage.dora, flag, True)
        body = {"access_token": await a_token(stage)}
        status, answer = await stage.api("PUT", stage.member_path(stage.dora), body)
        assert (status, answer["code"]) == expected
        stage.local.people.join(stage.guild, stage.dora)
        assert (await stage.api("PUT", stage.member_path(stage.dora), body))[0] == 204


async def test_a_banned_user_cannot_be_put_in() -> None:
    async with a_stage() as stage:
        stage.local.people.ban(stage.guild, stage.dora, by=stage.alice)
        status, answer = await stage.api("PUT", stage.member_path(stage.dora), {"access_token": await a_token(stage)})
        assert (status, answer["code"]) == (403, 40007)


async def test_a_token_must_be_alive_the_users_own_and_carry_the_scope() -> None:
    async with a_stage() as stage:
        join = stage.member_path(stage.dora)
        own = await a_token(stage)
        assert (await stage.api("PUT", join, {"access_token": "invented"}))[1]["code"] == 50025
        other = stage.local.create_user("erin")
        assert (await stage.api("PUT", stage.member_path(other), {"access_token": own}))[1]["code"] == 50025
        poor = await a_token(stage, "identify")
        assert (await stage.api("PUT", join, {"access_token": poor}))[1]["code"] == 50026
        await stage.clock.advance(timedelta(days=7))
        assert (await stage.api("PUT", join, {"access_token": own}))[1]["code"] == 50025
