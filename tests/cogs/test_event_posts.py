"""Event-log posts as they arrive at Discord: silent or not, whom they ping, their list and buttons, and edits."""

from __future__ import annotations

from typing import Any

from cogs import digest_texts, event_texts
from cogs.notify_cards import rows_card
from cogs.settings_cards import Values, settings_card
from cogs.settings_catalogue import Group as Settings
from membership.events import EVENTS, Group, in_group, route
from membership.model import ChannelId, GuildId
from membership.notifying import Row
from membership.policy import Policy
from membership.records import Guild
from tests.cogs.connected import connected

SILENT = 1 << 12
GUILD = Guild(id=GuildId(1), name="S", event_channel_id=ChannelId(2))


async def test_a_quiet_post_is_silent_and_a_loud_one_pings_the_chosen_role_alone() -> None:
    async with connected() as here:
        channel, facts = ChannelId(here.stage.channel.id), {"plan": "@everyone", "name": "@here"}
        await here.side.port.post(channel, "grant.delivered", facts, nonce="1")
        loud: dict[str, Any] = {**facts, "is_loud": True, "ping_role_id": "77"}
        await here.side.port.post(channel, "grant.failed", loud, nonce="2")
        quiet, ping = here.stage.local.messages(here.stage.channel)
        assert quiet.flags & SILENT
        assert not ping.flags & SILENT
        assert ping.content == "<@&77>"
        assert "@everyone" not in str(quiet.embeds) + str(ping.embeds)


async def test_a_post_about_many_has_a_list_and_one_about_a_person_has_buttons() -> None:
    async with connected() as here:
        channel = ChannelId(here.stage.channel.id)
        listed = [{"user_id": str(number), "name": f"member{number}", "number": number} for number in range(23)]
        await here.side.port.post(channel, "grant.delivered", {"plan": "VIP", "count": 23, "listed": listed}, nonce="1")
        await here.side.port.post(channel, "grant.failed", {"user_id": "9", "change_id": 4}, nonce="2")
        many, one = here.stage.local.messages(here.stage.channel)
        assert many.embeds[0]["title"] == "✅ VIP given to 23 members"
        assert many.attachments[0]["filename"] == "members.txt"
        found = str(one.components)
        assert all(name in found for name in ("door:undo:4", "door:retry:9", "door:member-why:9"))


async def test_a_solved_post_keeps_its_words_and_loses_its_buttons() -> None:
    async with connected() as here:
        channel = ChannelId(here.stage.channel.id)
        posted = await here.side.port.post(channel, "grant.failed", {"plan": "VIP", "user_id": "9"}, nonce="1")
        facts = {"at": "2026-11-20T14:09:00+00:00", "is_solved": True}
        await here.side.port.edit_post(channel, posted, "solved", facts)
        (message,) = here.stage.local.messages(here.stage.channel)
        assert "VIP not given" in message.embeds[0]["title"]
        assert "✅ solved <t:1795183740:t>" in message.embeds[0]["description"]
        assert not message.components


async def test_the_owner_reads_what_a_channel_did_not_take() -> None:
    async with connected() as here:
        guild_id = GuildId(here.stage.guild.id)
        facts = {"channel_id": "5", "reason": "channel_gone"}
        await here.side.port.tell_owner(guild_id, "channel.trouble", facts, nonce="1")
        owner = here.stage.local.world.users[here.stage.guild.owner_id]
        (message,) = here.stage.local.direct_messages(owner)
        assert "the channel was deleted" in message.embeds[0]["description"]


def test_a_role_above_the_bot_comes_with_its_fix() -> None:
    facts = {"plan": "VIP", "name": "Ben", "reason": "role_above_bot", "role_ids": ["77"]}
    told = event_texts.entry("grant.failed", facts).lines[-1]
    assert told.startswith("Fix: Server Settings → Roles → drag Doorlist above <@&77>. I try again when a role moves")


def test_what_nobody_paid_for_has_no_price_and_no_time_from_payment() -> None:
    facts = {"plan": "VIP", "user_id": "9", "amount": 0, "currency": "", "seconds": 0.0, "role_ids": ["77"]}
    assert event_texts.entry("grant.delivered", facts).lines == ("<@9>", "<@&77>")


def test_every_event_of_the_list_has_words_of_its_own() -> None:
    wordless = [name for name in EVENTS if event_texts.entry(name, {}).title.endswith(name)]
    assert set(wordless) == set()


def test_a_digest_says_what_came_in_what_ended_and_what_is_to_do() -> None:
    facts: dict[str, object] = {
        "first": "2026-11-20", "last": "2026-11-20", "members": 412, "joined": 4, "left": 2, "trend": [1, 2, 3],
        "new": {"VIP": 3}, "ended": {"cancelled": 1}, "past_due": 2, "recovered": 1,
        "income": [{"kind": "renewal", "currency": "eur", "count": 7, "amount": 12600},
                   {"kind": "refund", "currency": "eur", "count": 1, "amount": 900}],
        "speed": {"median": 1.9, "slowest": 14.0},
        "needs": [{"what": "held", "count": 38, "batch_id": 3}],
    }  # fmt: skip
    entry = digest_texts.entry(facts)
    text = "\n".join(entry.lines)
    assert entry.title == "Yesterday, Fri 20 November"
    assert "Members **412** (+4 −2)   ▁▄█" in text
    assert "Income: 117.00 € (7 renewals, 0 new, 1 refunds, 0 failed)" in text
    assert "Ended: 1 (1 cancelled)" in text
    assert "median 1.9 s, slowest 14.0 s" in text
    assert [button.action for button in entry.buttons] == ["brake-show", "digest-change"]


def test_a_digest_without_any_fact_is_still_one() -> None:
    assert digest_texts.entry({}).title


def test_a_row_whose_channel_takes_no_posts_is_marked() -> None:
    rows = [
        Row(event=event, route=route(event, [], GUILD), trouble="missing_access") for event in in_group(Group.PAYMENT)
    ]
    text = str(rows_card(rows, "payment.failed").lines)
    assert "⚠️ **Payment failed**" in text
    assert "My posts to <#2> do not arrive" in text


def test_the_settings_mark_a_channel_that_takes_no_posts() -> None:
    well, troubled = (
        str(settings_card(Settings.NOTIFICATIONS, Values(guild=GUILD, policy=Policy(), troubled=channels)).lines)
        for channels in ((), (ChannelId(2),))
    )
    assert "⚠️" not in well
    assert "My posts there do not arrive" in troubled
