"""Discord refuses, stalls, breaks and lies: nobody loses or silently misses anything, and the grant says why."""

from __future__ import annotations

import pytest

from sandbox.discord.faults import Answer, Fault, rate_limited, refused
from sandbox.discord.permissions import BOT_DEFAULT, Permission
from tests.scenarios.stage import Stage

ROLE_CALLS = r"/members/\d+/roles/\d+"


@pytest.mark.parametrize(
    "answer",
    [
        rate_limited(0.1),
        rate_limited(0.1, is_global=True),
        Answer(status=500, text="oops"),
        Answer(status=503, text="<html>busy</html>"),
        Answer(status=520, text="<html>proxy</html>"),
        Answer(status=403, text="<html>proxy</html>"),
        "reset",
        refused(404, 10007, "Unknown Member"),
    ],
    ids=["429", "global 429", "500", "503", "520", "403 of a proxy", "reset", "10007"],
)
@pytest.mark.parametrize("after_effect", [False, True], ids=["before the effect", "after it"])
async def test_passing_trouble_delays_a_role_and_its_end_by_moments(
    s: Stage, answer: Answer | str, after_effect: bool
) -> None:
    def trouble(method: str) -> None:
        fault = Fault(method=method, path=ROLE_CALLS, answer=answer, after_effect=after_effect)  # type: ignore[arg-type]
        s.outside.discord.add_fault(fault)

    trouble("PUT")
    bought = s.buys("ada")
    await s.claims("ada")
    await s.eventually(lambda: s.posts() == ["✅ VIP given to @\u200bAda"], "the post about the role")
    assert (s.roles("ada"), await s.standing("ada")) == ({"VIP"}, ["delivered paid"])
    trouble("DELETE")
    s.stripe.cancel_now(bought.subscription)
    await s.eventually(lambda: s.posts()[1:] == ["⚪ VIP taken back from @\u200bAda"], "the post about the end")
    assert (s.roles("ada"), await s.standing("ada")) == (set(), ["revoked cancelled"])


@pytest.mark.parametrize(
    ("answer", "standing"),
    [
        (refused(403, 50013, "Missing Permissions"), "failed missing_permission"),
        (refused(403, 50001, "Missing Access"), "failed missing_access"),
        (refused(404, 10004, "Unknown Guild"), "failed bot_not_in_server"),
        (refused(404, 10011, "Unknown Role"), "failed role_deleted"),
    ],
    ids=["50013", "50001", "10004", "10011"],
)
async def test_a_lasting_refusal_is_said_once_with_its_reason_and_made_good_when_it_is_over(
    s: Stage, answer: Answer, standing: str
) -> None:
    fault = s.outside.discord.add_fault(Fault(method="PUT|DELETE", path=ROLE_CALLS, answer=answer, times=None))
    bought = await s.is_member("ada")
    await s.advance(minutes=5)
    await s.advance(minutes=5)
    assert (s.roles("ada"), await s.standing("ada")) == (set(), [standing])
    assert s.posts() == ["⚠️ VIP not given to @\u200bAda"]
    s.outside.discord.faults.remove(fault)
    somebody_moves_a_role(s)
    await s.eventually(lambda: s.has("ada", "VIP"), "the role")
    await s.settled()
    assert await s.standing("ada") == ["delivered paid"]

    fault = s.outside.discord.add_fault(fault)
    s.stripe.cancel_now(bought.subscription)
    await s.settled()
    await s.advance(minutes=5)
    assert (s.roles("ada"), await s.standing("ada")) == ({"VIP"}, [standing])
    assert s.posts()[-1] == "⚠️ VIP not taken from @\u200bAda"
    assert "Your VIP membership has ended" not in s.mails("ada")
    s.outside.discord.faults.remove(fault)
    somebody_moves_a_role(s)
    await s.eventually(lambda: not s.has("ada", "VIP"), "the end of the role")
    await s.settled()
    assert await s.standing("ada") == ["revoked cancelled"]
    await s.advance(hours=1)  # an address gets three mails an hour
    assert s.mails("ada")[-1] == "Your VIP membership has ended"


def somebody_moves_a_role(s: Stage) -> None:
    role = s.role("Past due")
    s.outside.discord.people.move_role(s.guild, role, role.position - 1, by=s.person("olga"))


async def test_a_204_that_gave_no_role_is_found_and_put_right_by_the_sweep(s: Stage) -> None:
    await s.calms_down()
    s.outside.discord.add_fault(Fault(method="PUT", path=ROLE_CALLS, answer="lie"))
    await s.is_member("ada")
    assert s.roles("ada") == set()
    await s.advance(minutes=5)
    assert s.roles("ada") == {"VIP"}


async def test_a_204_that_took_no_role_is_found_and_put_right_by_the_sweep(s: Stage) -> None:
    await s.calms_down()
    bought = await s.is_member("ada")
    s.outside.discord.add_fault(Fault(method="DELETE", path=ROLE_CALLS, answer="lie"))
    s.stripe.cancel_now(bought.subscription)
    await s.settled()
    assert s.roles("ada") == {"VIP"}
    await s.advance(minutes=5)
    assert s.roles("ada") == set()


async def test_a_role_above_the_bot_blocks_once_with_the_reason_and_is_given_when_moved_back(s: Stage) -> None:
    s.outside.discord.people.move_role(s.guild, s.role("VIP"), 20, by=s.person("olga"))
    await s.is_member("ada")
    await s.advance(minutes=5)
    await s.advance(minutes=5)
    assert await s.standing("ada") == ["failed role_above_bot"]
    (role, grant) = s.posts()
    assert role.startswith("⚠️ I can no longer give the role of VIP,")
    assert grant == "⚠️ VIP not given to @\u200bAda"
    assert "the role is above my own role" in s.post_text(1)
    assert calls(s, "PUT") == 1
    s.outside.discord.people.move_role(s.guild, s.role("VIP"), 5, by=s.person("olga"))
    await s.eventually(lambda: s.has("ada", "VIP"), "the role")
    await s.settled()
    assert await s.standing("ada") == ["delivered paid"]


async def test_a_bot_without_manage_roles_gives_the_role_as_soon_as_it_may(s: Stage) -> None:
    bot_role = s.outside.discord.bot_role(s.guild)
    people, olga = s.outside.discord.people, s.person("olga")
    people.set_permissions(s.guild, bot_role, BOT_DEFAULT & ~Permission.MANAGE_ROLES, by=olga)
    await s.is_member("ada")
    assert await s.standing("ada") == ["failed missing_permission"]
    people.set_permissions(s.guild, bot_role, BOT_DEFAULT, by=olga)
    await s.eventually(lambda: s.has("ada", "VIP"), "the role")


async def test_a_deleted_role_is_told_and_takes_nothing_else_from_anybody(s: Stage) -> None:
    await s.plan("vip", roles=("VIP", "Gold"))
    await s.is_member("ada")
    s.outside.discord.people.delete_role(s.guild, s.role("VIP"), by=s.person("olga"))
    await s.settled()
    await s.advance(minutes=5)
    await s.advance(minutes=5)
    assert s.roles("ada") == {"Gold"}
    assert await s.standing("ada") == ["failed role_deleted"]
    (_, role, grant) = s.posts()
    assert role.startswith("⚠️ The role of VIP")
    assert grant == "⚠️ VIP not given to @\u200bAda"
    assert "deleted" in s.post_text(-1)


def calls(s: Stage, method: str) -> int:
    """Count the role calls of a method, whatever was answered."""
    return sum(
        count
        for (asked, template), count in s.outside.discord.records.counts.items()
        if asked == method and template.endswith("/roles/{role_id}")
    )
