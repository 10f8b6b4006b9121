"""Claim codes over the wire: where they are taken, how they are hidden, and how the answer gets back."""

from __future__ import annotations

import asyncio

import pytest

from cogs.claim_messages import ANSWERED_AT_ONCE, MOST_OPEN_CLAIMS
from membership.errors import Retry
from membership.model import ChannelId, MessageId, UserId
from membership.ports import ChannelMessage
from sandbox.discord.buckets import Buckets
from sandbox.discord.permissions import BOT_DEFAULT, Permission
from sandbox.discord.world import Message, User
from tests.cogs.connected import GOOD_CODE, Connected, connected
from tests.sandbox.discord_stage import until


def texts_in_channel(here: Connected) -> list[str]:
    return [message.content for message in here.stage.local.messages(here.stage.channel)]


def posted(message: Message) -> ChannelMessage:
    return ChannelMessage(
        message_id=MessageId(message.id),
        channel_id=ChannelId(message.channel_id),
        author_id=UserId(message.author.id),
        author_name=message.author.username,
        text=message.content,
    )


async def answer_to(here: Connected, user: User) -> str:
    await until(lambda: bool(here.said_to(user)))
    return here.said_to(user)[-1]


async def test_a_code_in_the_verification_channel_is_hidden_redeemed_and_answered_in_private() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.people.say(stage.channel, stage.charlie, f"!claim {GOOD_CODE}")
        answer = await answer_to(here, stage.charlie)
        assert answer == "✅ Welcome, charlie! You have VIP plan."
        assert texts_in_channel(here) == []
        assert here.desk.asked == [(stage.charlie.id, here.guild_id, GOOD_CODE)]


async def test_a_message_is_answered_in_the_language_that_was_chosen() -> None:
    async with connected() as here:
        stage = here.stage
        here.desk.spoken = "it"
        stage.local.people.say(stage.channel, stage.charlie, f"!claim {GOOD_CODE}")
        assert await answer_to(here, stage.charlie) == "✅ Ti diamo il benvenuto, charlie! Hai VIP plan."


async def test_a_code_in_a_direct_message_is_redeemed() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.people.write_to_bot(stage.charlie, f"claim {GOOD_CODE}")
        assert "Welcome" in await answer_to(here, stage.charlie)
        assert here.desk.asked == [(stage.charlie.id, None, GOOD_CODE)]


async def test_mentioning_the_bot_works_without_the_message_content_intent() -> None:
    async with connected(message_content_intent=False) as here:
        stage = here.stage
        bot = stage.local.world.bot
        stage.local.people.say(stage.channel, stage.charlie, f"<@{bot.id}> claim {GOOD_CODE}")
        assert "Welcome" in await answer_to(here, stage.charlie)


async def test_without_the_message_content_intent_the_channel_gets_one_hint() -> None:
    async with connected(message_content_intent=False) as here:
        stage = here.stage
        for _ in range(3):
            stage.local.people.say(stage.channel, stage.charlie, f"!claim {GOOD_CODE}")
        await until(lambda: any("/claim" in text for text in texts_in_channel(here)))
        await asyncio.sleep(0.05)
        assert len([text for text in texts_in_channel(here) if "/claim" in text]) == 1
        assert here.desk.asked == []


async def test_a_code_in_a_wrong_channel_is_hidden_and_answered_by_direct_message_only() -> None:
    async with connected() as here:
        stage = here.stage
        elsewhere = stage.local.create_channel(stage.guild, "general")
        stage.charlie.accepts_dms = False
        stage.local.people.say(elsewhere, stage.charlie, f"!claim {GOOD_CODE}")
        await until(lambda: here.desk.used_by == stage.charlie.id)
        await until(lambda: not stage.local.messages(elsewhere))
        await until(lambda: 403 in here.requests("POST", "/channels/"))
        assert stage.local.messages(elsewhere) == []


async def test_with_direct_messages_closed_the_channel_gets_an_answer_without_details() -> None:
    async with connected() as here:
        stage = here.stage
        stage.charlie.accepts_dms = False
        stage.local.people.say(stage.channel, stage.charlie, f"!claim {GOOD_CODE}")
        await until(lambda: any("done" in text for text in texts_in_channel(here)))
        (answer,) = texts_in_channel(here)
        assert answer.startswith(f"<@{stage.charlie.id}> done ✅")


async def test_where_the_bot_may_not_delete_the_staff_hear_of_it_and_the_code_still_works() -> None:
    async with connected() as here:
        stage = here.stage
        lacking = BOT_DEFAULT & ~Permission.MANAGE_MESSAGES
        stage.local.people.set_permissions(stage.guild, stage.local.bot_role(stage.guild), lacking, by=stage.alice)
        stage.local.people.say(stage.channel, stage.charlie, f"!claim {GOOD_CODE}")
        assert "Welcome" in await answer_to(here, stage.charlie)
        assert here.desk.undeletable == [(here.guild_id, stage.channel.id)]


async def test_an_answered_message_is_noted_so_that_the_catch_up_leaves_it_alone() -> None:
    async with connected() as here:
        stage = here.stage
        message = stage.local.people.say(stage.channel, stage.charlie, f"!claim {GOOD_CODE}")
        await until(lambda: here.desk.answered_ids == [message.id])


async def test_the_first_author_of_a_code_wins() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.people.say(stage.channel, stage.charlie, f"!claim {GOOD_CODE}")
        await answer_to(here, stage.charlie)
        stage.local.people.say(stage.channel, stage.bob, f"!claim {GOOD_CODE}")
        assert "already used by another account" in await answer_to(here, stage.bob)
        assert here.desk.used_by == stage.charlie.id


async def test_chatter_bots_and_empty_claims_redeem_nothing() -> None:
    async with connected() as here:
        stage = here.stage
        other = stage.local.create_user("otherbot")
        other.is_bot = True
        stage.local.create_member(stage.guild, other)
        stage.local.people.say(stage.channel, other, f"!claim {GOOD_CODE}")
        stage.local.people.say(stage.channel, stage.charlie, "how do I claim my role?")
        stage.local.people.say(stage.channel, stage.charlie, "!claim")
        assert "claim K7QF" in await answer_to(here, stage.charlie)
        assert here.desk.asked == []


async def test_an_edited_message_redeems_nothing() -> None:
    async with connected() as here:
        stage = here.stage
        message = stage.local.people.say(stage.channel, stage.charlie, "hello")
        message.content = f"!claim {GOOD_CODE}"
        stage.local.people.changes.message_edited(stage.channel, message)
        stage.local.people.write_to_bot(stage.bob, "claim")
        await answer_to(here, stage.bob)
        assert here.desk.asked == []


async def test_a_flood_of_codes_is_bounded_and_the_rest_is_left_to_the_catch_up() -> None:
    async with connected(buckets=Buckets(is_enforced=False)) as here:
        stage = here.stage
        here.desk.gate.clear()
        for user in stage.local.create_crowd(stage.guild, MOST_OPEN_CLAIMS + 50):
            stage.local.people.say(stage.channel, user, f"!claim {GOOD_CODE}")
        await until(lambda: len(here.desk.asked) == ANSWERED_AT_ONCE)
        await asyncio.sleep(0.1)
        assert len(here.desk.asked) == ANSWERED_AT_ONCE
        here.desk.gate.set()
        await until(lambda: len(here.desk.answered_ids) == MOST_OPEN_CLAIMS, seconds=10)
        assert len(texts_in_channel(here)) == 50


async def test_while_codes_cannot_be_checked_the_person_is_asked_to_try_again() -> None:
    async with connected() as here:
        here.desk.is_away = True
        here.stage.local.people.write_to_bot(here.stage.charlie, f"!claim {GOOD_CODE}")
        assert "try again in a minute" in await answer_to(here, here.stage.charlie)


async def test_a_message_posted_while_the_bot_was_away_is_treated_like_a_fresh_one() -> None:
    async with connected(message_content_intent=False) as here:
        stage = here.stage
        message = stage.local.people.say(stage.channel, stage.charlie, f"!claim {GOOD_CODE}")
        await here.claims.answer_posted(posted(message))
        assert "Welcome" in await answer_to(here, stage.charlie)
        assert message.id not in stage.channel.messages


async def test_a_posted_message_stays_until_its_code_could_be_checked() -> None:
    async with connected(message_content_intent=False) as here:
        stage = here.stage
        here.desk.is_away = True
        message = stage.local.people.say(stage.channel, stage.charlie, f"!claim {GOOD_CODE}")
        with pytest.raises(Retry):
            await here.claims.answer_posted(posted(message))
        assert message.id in stage.channel.messages


async def test_the_slash_command_answers_in_private() -> None:
    async with connected() as here:
        stage = here.stage
        asked = stage.local.invoke.command(stage.charlie, stage.channel, "claim", {"code": GOOD_CODE})
        await until(lambda: bool(asked.messages) and not asked.is_loading)
        assert asked.messages[-1].is_ephemeral
        assert asked.messages[-1].content == f"✅ Welcome, charlie! You have <@&{here.vip_id}>."


async def test_the_slash_command_answers_in_the_language_of_the_person() -> None:
    async with connected() as here:
        stage = here.stage
        stage.charlie.locale = "it"
        asked = stage.local.invoke.command(stage.charlie, stage.channel, "claim", {"code": GOOD_CODE})
        await until(lambda: bool(asked.messages) and not asked.is_loading)
        assert asked.messages[-1].content == f"✅ Ti diamo il benvenuto, charlie! Hai <@&{here.vip_id}>."


async def test_the_slash_command_without_a_code_opens_a_form_that_works() -> None:
    async with connected() as here:
        stage = here.stage
        asked = stage.local.invoke.command(stage.charlie, stage.channel, "claim")
        await until(lambda: asked.modal is not None)
        filled = stage.local.invoke.modal(asked, {"code": GOOD_CODE})
        await until(lambda: bool(filled.messages) and not filled.is_loading)
        assert "Welcome" in filled.messages[-1].content


async def test_a_form_opened_before_a_restart_still_works() -> None:
    async with connected() as here:
        stage = here.stage
        asked = stage.local.invoke.command(stage.charlie, stage.channel, "claim")
        await until(lambda: asked.modal is not None)
        await here.restart()
        filled = stage.local.invoke.modal(asked, {"code": GOOD_CODE})
        await until(lambda: bool(filled.messages) and not filled.is_loading)
        assert "Welcome" in filled.messages[-1].content


async def test_the_slash_command_asks_to_try_again_while_codes_cannot_be_checked() -> None:
    async with connected() as here:
        stage = here.stage
        here.desk.is_away = True
        asked = stage.local.invoke.command(stage.charlie, stage.channel, "claim", {"code": GOOD_CODE})
        await until(lambda: bool(asked.messages) and not asked.is_loading)
        assert "try again in a minute" in asked.messages[-1].content


async def test_a_fault_of_ours_is_never_shown_to_a_person() -> None:
    async with connected() as here:
        stage = here.stage
        here.desk.is_broken = True
        asked = stage.local.invoke.command(stage.charlie, stage.channel, "claim", {"code": GOOD_CODE})
        await until(lambda: bool(asked.messages) and not asked.is_loading)
        assert "fault on our side" in asked.messages[-1].content
        assert "secret detail" not in asked.messages[-1].content


async def test_slash_commands_are_sent_once_while_they_stay_the_same() -> None:
    async with connected() as here:
        await here.restart()
        assert here.command_hash.stored == 1
        assert len(here.requests("PUT", "/commands")) == 1
