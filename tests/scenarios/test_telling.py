"""Who is told what: the event log of the server, the reminders, and all of it without mail or without a log."""

from __future__ import annotations

from pathlib import Path

from membership.policy import Policy
from sandbox.discord.faults import Fault
from tests.sandbox import discord_contract
from tests.scenarios.stage import Stage, stage

REMINDED_AFTER_HOURS = (1, 24, 72, 168)


async def test_the_event_log_tells_what_was_given_changed_taken_and_what_failed_or_waits(tmp_path: Path) -> None:
    async with stage(tmp_path, policy=Policy(brake_removals=1)) as s:
        await s.plan("vip-year", roles=("Gold",))
        adas = await s.is_member("ada")
        s.stripe.change_price(adas.subscription, s.ware("vip-year").price_id)
        await s.settled()
        s.outside.discord.people.move_role(s.guild, s.role("VIP"), 20, by=s.person("olga"))
        kims = await s.is_member("kim")
        s.stripe.cancel_now(adas.subscription)
        await s.settled()
        s.outside.discord.people.move_role(s.guild, s.role("VIP"), 5, by=s.person("olga"))
        await s.settled_until(lambda: s.has("kim"), "Kim's role")
        s.stripe.cancel_now(kims.subscription)
        await s.settled()
        posts = s.posts()
        assert posts[:2] == ["✅ VIP given to @\u200bAda", "🔵 VIP year now for @\u200bAda"]
        assert posts[2].startswith("⚠️ I can no longer give the role of VIP")
        assert posts[3:] == ["⚠️ VIP not given to @\u200bKim", "🛑 Removals are held"]
        assert ["✅ solved" in s.post_text(number) for number in (2, 3, 4)] == [True, True, False]


async def test_a_deleted_event_log_stops_nothing(s: Stage) -> None:
    s.outside.discord.people.delete_channel(s.outside.seed.server.log)
    bought = await s.is_member("ada")
    assert s.roles("ada") == {"VIP"}
    s.stripe.cancel_now(bought.subscription)
    await s.settled()
    assert s.roles("ada") == set()
    assert await s.standing("ada") == ["revoked cancelled"]
    assert await s.parked() == 0


async def test_a_buyer_who_does_not_connect_is_reminded_four_times_and_then_left_alone(s: Stage) -> None:
    s.buys("ada", "lifetime")
    await s.invitation("ada")
    passed = 0
    for number, hours in enumerate(REMINDED_AFTER_HOURS, start=2):
        await s.advance(hours=hours - passed - 0.5)
        assert len(s.mails("ada")) == number - 1
        await s.advance(hours=0.6)
        assert len(s.mails("ada")) == number
        passed = hours
    await s.advance(days=20)
    assert len(s.mails("ada")) == 1 + len(REMINDED_AFTER_HOURS)


async def test_a_buyer_who_connected_is_not_reminded(s: Stage) -> None:
    await s.is_member("ada", "lifetime")
    await s.advance(days=8)
    assert not [subject for subject in s.mails("ada") if "waiting" in subject]


async def test_without_a_mail_server_the_page_after_paying_leads_to_the_role(s: Stage) -> None:
    await s.without_mail()
    async with s.visitor("ada") as visitor:
        welcome = await visitor.buy("vip")
        await s.settled()
        consent = await visitor.submit(await visitor.open(welcome.url))
        question = await visitor.submit(consent, {"user_id": str(s.person("ada").id)})
        done = await visitor.submit(question, {"choice": "connect"})
    assert done.heading == "VIP is yours"
    assert s.roles("ada") == {"VIP"}
    assert s.mails("ada") == []
    await s.settled()
    assert await s.parked() == 0


async def test_a_mail_server_that_is_away_delays_the_mail_and_nothing_else(s: Stage) -> None:
    s.outside.mailbox.fail_next("defer", times=2)
    s.buys("ada")
    for _ in range(3):
        await s.settled()
        await s.advance(minutes=2)
    await s.invitation("ada")
    assert len(s.mails("ada")) == 1


async def test_every_exchange_of_a_whole_story_fits_discords_own_description(s: Stage) -> None:
    await s.plan("vip", on_end="kick")
    s.buys("ada")
    await s.connects("ada")
    kims = await s.is_member("kim")
    s.outside.discord.invoke.command(s.person("kim"), s.outside.seed.server.get_access, "claim")
    s.person("ben").is_at_guild_cap = True
    s.outside.discord.people.leave(s.guild, s.person("ben"))
    s.buys("ben")
    await s.connects("ben")
    s.outside.discord.add_fault(Fault(method="GET", path="/users/", answer="reset"))
    s.stripe.cancel_now(kims.subscription)
    await s.settled()
    await s.advance(days=2)
    assert not s.is_inside("kim")
    exchanges = [each for each in s.outside.discord.records.exchanges if not each.is_faulty]
    discord_contract.check(exchanges)
    assert {(each.method, each.template) for each in exchanges} >= {
        ("GET", "/users/@me"),
        ("PUT", "/guilds/{guild_id}/members/{user_id}"),
        ("PUT", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}"),
        ("DELETE", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}"),
        ("DELETE", "/guilds/{guild_id}/members/{user_id}"),
        ("POST", "/channels/{channel_id}/invites"),
        ("POST", "/channels/{channel_id}/messages"),
        ("DELETE", "/channels/{channel_id}/messages/{message_id}"),
        ("POST", "/interactions/{interaction_id}/{interaction_token}/callback"),
        ("POST", "/users/@me/channels"),
    }
