"""Members and their Discord accounts: where they are when they connect, and whose hands else touch their roles."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.discord.faults import Fault, refused
from sandbox.discord.world import User
from sandbox.visitor import Page
from tests.scenarios.browsing import connects_without_joining, link_of, signs_in
from tests.scenarios.stage import Bought, Stage


async def test_a_buyer_who_is_in_the_server_already_gets_the_role_where_they_are(s: Stage) -> None:
    s.joins("ada")
    s.buys("ada")
    page = await s.connects("ada")
    assert page.heading == "VIP is yours"
    assert s.roles("ada") == {"VIP"}
    assert s.role_writes("ada") == [("PUT", "VIP")]


async def test_a_buyer_who_connects_before_joining_gets_the_role_when_they_join(s: Stage) -> None:
    s.buys("ada")
    await connects_without_joining(s, "ada")
    assert await s.standing("ada") == ["pending not_in_server"]
    s.joins("ada")
    await s.eventually(lambda: s.has("ada", "VIP"), "the role on join")
    await s.settled()
    assert await s.standing("ada") == ["delivered paid"]


async def test_a_member_who_leaves_and_comes_back_has_the_role_again(s: Stage) -> None:
    await s.is_member("ada")
    await s.leaves("ada")
    s.joins("ada")
    await s.settled_at("ada", "delivered paid")
    assert s.roles("ada") == {"VIP"}
    assert s.posts() == ["✅ VIP given to @\u200bAda"] * 2
    assert s.mails("ada") == ["You're in — connect Discord to unlock VIP", "VIP is active on Demo Server"]


async def test_somebody_who_never_bought_costs_no_call_when_they_come_and_go(s: Stage) -> None:
    asked = len(s.outside.discord.records.requests)
    s.joins("stranger")
    s.outside.discord.people.leave(s.guild, s.person("stranger"))
    await s.settled()
    assert len(s.outside.discord.records.requests) == asked


# --- hands --------------------------------------------------------------------------------------------------------


async def test_a_role_that_was_given_by_hand_stays_when_the_purchase_ends(s: Stage) -> None:
    s.joins("ada")
    s.outside.discord.people.give_role(s.guild, s.person("ada"), s.role("VIP"), by=s.person("olga"))
    bought = await s.is_member("ada")
    assert await s.standing("ada") == ["delivered paid"]
    s.stripe.cancel_now(bought.subscription)
    await s.settled()
    assert await s.standing("ada") == ["revoked cancelled"]
    assert s.roles("ada") == {"VIP"}
    assert s.role_writes("ada") == []


async def test_a_role_that_is_taken_by_hand_is_put_back_three_times_a_day_and_then_held(s: Stage) -> None:
    await s.is_member("ada")
    for _ in range(3):
        await takes_the_role_by_hand(s, "ada")
        await s.eventually(lambda: s.has("ada", "VIP"), "the role put back")
        await s.advance(minutes=5)
    await takes_the_role_by_hand(s, "ada")
    await s.advance(minutes=5)
    await s.advance(minutes=5)
    assert s.roles("ada") == set()
    assert await s.standing("ada") == ["held hand_removed"]
    assert s.role_writes("ada") == [("PUT", "VIP")] * 4
    assert s.posts().count("🔵 Role put right for @\u200bAda") == 3
    assert s.posts()[-1] == "🛑 VIP left as it is for @\u200bAda"


async def takes_the_role_by_hand(s: Stage, name: str) -> None:
    s.outside.discord.people.take_role(s.guild, s.person(name), s.role("VIP"), by=s.person("olga"))
    await s.settled()


# --- accounts -----------------------------------------------------------------------------------------------------


async def test_a_purchase_that_moves_to_another_account_leaves_the_old_one_in_the_same_pass(s: Stage) -> None:
    s.buys("ada")
    page = await two_accounts_confirm_one_link(s, "ada", "kim")
    assert page.heading == "VIP is yours"
    # No further wait: when the page is there, both accounts are right.
    assert (s.roles("ada"), s.roles("kim")) == (set(), {"VIP"})
    await s.settled()
    assert s.mails("ada")[-1] == "VIP was moved to @kim"


async def test_the_payer_takes_a_moved_purchase_back_and_then_it_stays(s: Stage) -> None:
    s.buys("ada")
    await two_accounts_confirm_one_link(s, "ada", "kim")
    await s.settled_until(lambda: s.mails("ada")[-1] == "VIP was moved to @kim", "the mail about the move")
    assert (await s.connects("ada")).heading == "VIP is yours"
    assert (s.roles("ada"), s.roles("kim")) == ({"VIP"}, set())
    await s.advance(hours=2)  # an address gets three mails an hour
    await s.settled_until(lambda: s.mails("ada")[-1] == "VIP was moved to @ada", "the mail about the second move")
    assert (await s.connects("ada", as_person="kim")).heading == "Moved too often"
    assert (s.roles("ada"), s.roles("kim")) == ({"VIP"}, set())


async def two_accounts_confirm_one_link(s: Stage, first: str, second: str) -> Page:
    """Bring two people with the same mailed link to the last question; one says yes, then the other."""
    link = await link_of(s, first)
    async with s.visitor(first) as one, s.visitor(second) as other:
        question, same_question = await signs_in(s, one, link, first), await signs_in(s, other, link, second)
        assert (await one.submit(question, {"choice": "connect"})).heading == "VIP is yours"
        move = await other.submit(same_question, {"choice": "connect"})
        assert s.roles(first) == {"VIP"}
        return await other.submit(move, {"choice": "move"})


# --- those who cannot be added ------------------------------------------------------------------------------------


async def test_a_buyer_who_declines_to_be_added_gets_an_invite_and_the_role_on_joining_by_it(s: Stage) -> None:
    bought = s.buys("ada")
    page = await connects_without_joining(s, "ada")
    assert not s.is_inside("ada")
    await joins_by_the_invite_on(page, s, "ada", bought)


def _at_the_server_limit(user: User) -> None:
    user.is_at_guild_cap = True


def _limited_by_discord(user: User) -> None:
    user.is_limited_from_joining = True


@pytest.mark.parametrize(
    ("trouble", "standing"),
    [(_at_the_server_limit, "failed server_limit"), (_limited_by_discord, "failed join_limited")],
)
async def test_a_buyer_whom_discord_does_not_let_in_gets_an_invite(s: Stage, trouble: object, standing: str) -> None:
    assert callable(trouble)
    trouble(s.person("ada"))
    bought = s.buys("ada")
    page = await s.connects("ada")
    assert await s.standing("ada") == [standing]
    await joins_by_the_invite_on(page, s, "ada", bought)


async def test_a_buyer_whom_the_bot_may_not_add_gets_the_servers_own_way_in(s: Stage) -> None:
    s.outside.discord.add_fault(Fault(method="PUT", path=r"/members/\d+$", answer=refused(403, 50013), times=None))
    bought = s.buys("ada")
    page = await s.connects("ada")
    assert await s.standing("ada") == ["failed missing_permission"]
    await joins_by_the_invite_on(page, s, "ada", bought)


async def test_a_banned_buyer_is_told_so_and_gets_no_invite(s: Stage) -> None:
    s.outside.discord.people.ban(s.guild, s.person("ada"), by=s.person("olga"))
    s.buys("ada")
    page = await s.connects("ada")
    assert "banned" in page.html
    assert not s.outside.discord.world.invites
    assert await s.standing("ada") == ["failed banned"]
    await s.advance(minutes=10)
    assert await s.standing("ada") == ["failed banned"]
    s.outside.discord.people.unban(s.guild, s.person("ada"), by=s.person("olga"))
    s.joins("ada")
    await s.eventually(lambda: s.has("ada", "VIP"), "the role after the ban")


async def joins_by_the_invite_on(page: Page, s: Stage, name: str, bought: Bought) -> None:
    code = page.link("/invite/").rpartition("/")[2]
    assert s.outside.discord.world.invites[code].max_uses == 1
    assert s.outside.discord.world.invites[code].max_age_seconds == timedelta(days=7).total_seconds()
    s.outside.discord.people.join_by_invite(code, s.person(name))
    await s.settled_at(name, "delivered paid")
    assert s.roles(name) == {"VIP"}
    # One post: that it was given, or, edited, that what kept it from being given is over.
    assert (s.posts() == [f"✅ VIP given to @\u200b{name.title()}"]) or "✅ solved" in s.post_text(-1)
    assert len(s.posts()) == 1
    # The invite may have put the role: it is ours all the same, and goes with the purchase.
    s.stripe.cancel_now(bought.subscription)
    await s.settled()
    assert s.roles(name) == set()
