"""Codes that people type: where, how, twice, together, while the bot was away, and where it cannot read."""

from __future__ import annotations

from sandbox.discord.faults import Fault, refused
from sandbox.discord.world import Channel, Message
from sandbox.visitor import claim_code
from tests.scenarios.browsing import connects_without_joining
from tests.scenarios.stage import Stage

UNKNOWN = "0000-0000-0000-0000"
WELCOME = "✅ Welcome, Ada! You have VIP until <t:"


async def test_a_code_in_the_verification_channel_is_deleted_and_answered_in_private(s: Stage) -> None:
    s.joins("ada")
    message = says(s, "ada", f"!claim {await bought_code(s, 'ada')}")
    await s.eventually(lambda: s.direct_messages("ada"), "an answer")
    assert s.roles("ada") == {"VIP"}
    assert message.id not in get_access(s).messages
    assert s.direct_messages("ada")[0].startswith(WELCOME)


async def test_a_code_in_a_direct_message_is_answered_there(s: Stage) -> None:
    s.joins("ada")
    for text in (f"claim {await bought_code(s, 'ada')}", "claim", f"!claim {UNKNOWN}"):
        answers = len(answers_to(s, "ada"))
        s.outside.discord.people.write_to_bot(s.person("ada"), text)
        await s.eventually(lambda answers=answers: len(answers_to(s, "ada")) > answers, f"an answer to {text}")  # type: ignore[misc]
    assert s.roles("ada") == {"VIP"}
    welcome, how, unknown = answers_to(s, "ada")
    assert welcome.startswith(WELCOME)
    assert how.startswith("Write `!claim` and your code")
    assert unknown.startswith("That code does not exist.")


async def test_a_code_behind_a_mention_of_the_bot_works_in_any_channel(s: Stage) -> None:
    s.joins("ada")
    mention = f"<@{s.outside.discord.portal.bot.id}>"
    message = says(s, "ada", f"{mention} claim {await bought_code(s, 'ada')}", s.outside.seed.server.welcome)
    await s.eventually(lambda: s.has("ada"), "the role")
    await s.eventually(lambda: s.direct_messages("ada"), "an answer")
    assert message.id not in s.outside.seed.server.welcome.messages


async def test_the_command_answers_so_that_nobody_else_sees_it(s: Stage) -> None:
    s.joins("ada")
    said = len(s.outside.discord.messages(get_access(s)))
    asked = s.outside.discord.invoke.command(
        s.person("ada"), get_access(s), "claim", {"code": await bought_code(s, "ada")}
    )
    await asked.answered()
    await s.eventually(lambda: "Welcome, Ada" in asked.text, "an answer")
    assert asked.messages[0].is_ephemeral
    assert f"<@&{s.role('VIP').id}> until <t:" in asked.text
    assert s.roles("ada") == {"VIP"}
    assert len(s.outside.discord.messages(get_access(s))) == said


async def test_a_closed_mailbox_is_answered_in_the_channel_without_details(s: Stage) -> None:
    s.joins("ada")
    s.person("ada").accepts_dms = False
    says(s, "ada", f"!claim {await bought_code(s, 'ada')}")
    await s.eventually(lambda: "done" in last_message(s), "an answer")
    assert last_message(s) == f"<@{s.person('ada').id}> done ✅ (this message disappears in 20 s)"
    assert s.roles("ada") == {"VIP"}


async def test_used_unknown_and_worn_out_tries_are_answered_in_words(s: Stage) -> None:
    code = await bought_code(s, "ada")
    await s.claims("ada")
    await s.settled()
    await s.eventually(lambda: s.direct_messages("ada"), "the first answer")
    assert (await answer_to(s, "ada", f"!claim {code}")).startswith("You already used this code on <t:")
    assert (await answer_to(s, "kim", f"!claim {code}")).startswith("This code was already used by another account.")
    assert s.roles("kim") == set()
    for left in (4, 3, 2, 1):
        assert f"{left} {'tries' if left > 1 else 'try'} left" in await answer_to(s, "ben", f"!claim {UNKNOWN}")
    assert (await answer_to(s, "ben", f"!claim {UNKNOWN}")).startswith("That code does not exist.")
    assert (await answer_to(s, "ben", f"!claim {UNKNOWN}")).startswith("Too many tries.")


async def test_a_code_older_than_thirty_days_is_told_to_be_old(s: Stage) -> None:
    code = await bought_code(s, "ada", "lifetime")
    await s.advance(days=31)
    assert (await answer_to(s, "kim", f"!claim {code}")).startswith("This code was valid until <t:")
    assert s.roles("kim") == set()


async def test_of_two_people_with_one_code_one_wins(s: Stage) -> None:
    code = await bought_code(s, "ada")
    for name in ("ada", "kim", "ben"):
        s.joins(name)
        says(s, name, f"!claim {code}")
    names = ("ada", "kim", "ben")
    await s.eventually(lambda: all(s.direct_messages(name) for name in names), "three answers")
    await s.settled()
    assert sorted(len(s.roles(name)) for name in names) == [0, 0, 1]
    assert sum("Welcome" in s.direct_messages(name)[0] for name in names) == 1
    assert sum("another account" in s.direct_messages(name)[0] for name in names) == 2


async def test_codes_that_were_posted_while_the_bot_was_away_are_answered_once_and_in_order(s: Stage) -> None:
    await s.advance(minutes=5)
    code, bens = await bought_code(s, "ada"), await bought_code(s, "ben")
    await s.close()
    s.joins("ada")
    says(s, "ada", f"!claim {code}")
    says(s, "kim", f"!claim {code}")
    says(s, "kim", "good morning")
    says(s, "ben", f"!claim {bens}")
    await s.open()
    await s.advance(minutes=5)
    await s.eventually(lambda: s.direct_messages("ben"), "the last answer")
    await s.advance(minutes=5)
    # The first who wrote is the first who is answered, though both had the code.
    assert (s.roles("ada"), s.roles("kim"), s.roles("ben")) == ({"VIP"}, set(), {"VIP"})
    assert [len(s.direct_messages(name)) for name in ("ada", "kim", "ben")] == [1, 1, 1]
    assert s.direct_messages("kim")[0].startswith("This code was already used by another account.")
    assert last_message(s) == "good morning"
    assert not [message for message in s.outside.discord.messages(get_access(s)) if code in message.content]


async def test_an_answered_code_whose_deletion_failed_is_not_answered_again(s: Stage) -> None:
    await s.advance(minutes=5)
    s.outside.discord.add_fault(Fault(method="DELETE", path=r"/messages/\d+$", answer=refused(403, 50013), times=None))
    s.buys("ada")
    await s.claims("ada")
    await s.eventually(lambda: s.direct_messages("ada"), "an answer")
    await s.advance(minutes=5)
    await s.advance(minutes=5)
    assert len(s.direct_messages("ada")) == 1


# --- missing intents ----------------------------------------------------------------------------------------------


async def test_without_the_content_of_messages_a_hint_points_to_the_command_and_the_other_ways_work(s: Stage) -> None:
    await s.close()
    s.outside.discord.portal.has_message_content_intent = False
    await s.open()
    assert "Message Content Intent" in s.process.supervisor.health().text
    s.joins("ada")
    code = await bought_code(s, "ada")
    says(s, "ada", f"!claim {code}")
    await s.eventually(lambda: "/claim" in last_message(s), "a hint")
    assert s.roles("ada") == set()
    says(s, "ada", f"<@{s.outside.discord.portal.bot.id}> claim {code}")
    await s.eventually(lambda: s.has("ada"), "the role")
    s.outside.discord.people.write_to_bot(s.person("kim"), f"!claim {await bought_code(s, 'kim')}")
    await s.eventually(lambda: s.has("kim"), "the role by direct message")
    asked = s.outside.discord.invoke.command(
        s.person("ben"), get_access(s), "claim", {"code": await bought_code(s, "ben")}
    )
    await asked.answered()
    await s.eventually(lambda: s.has("ben"), "the role by command")


async def test_without_the_members_intent_a_join_is_found_by_the_five_minute_run(s: Stage) -> None:
    await s.close()
    s.outside.discord.portal.has_members_intent = False
    await s.open()
    assert "Server Members Intent" in s.process.supervisor.health().text
    s.buys("ada")
    await connects_without_joining(s, "ada")
    assert await s.standing("ada") == ["pending not_in_server"]
    s.joins("ada")
    await s.settled()
    assert s.roles("ada") == set()
    await s.advance(minutes=5)
    assert s.roles("ada") == {"VIP"}
    assert await s.standing("ada") == ["delivered paid"]


# --- the words of these scenarios ---------------------------------------------------------------------------------


async def bought_code(s: Stage, name: str, slug: str = "vip") -> str:
    """Let somebody buy and return the code from their mail."""
    s.buys(name, slug)
    code = claim_code((await s.invitation(name)).text)
    assert code is not None
    return code


def get_access(s: Stage) -> Channel:
    return s.outside.seed.server.get_access


def last_message(s: Stage) -> str:
    """Return what stands at the bottom of the verification channel."""
    return s.outside.discord.messages(get_access(s))[-1].content


def says(s: Stage, name: str, text: str, channel: Channel | None = None) -> Message:
    return s.outside.discord.people.say(channel or get_access(s), s.person(name), text)


def answers_to(s: Stage, name: str) -> list[str]:
    """Return the bot's side of a conversation in direct messages."""
    bot = s.outside.discord.portal.bot
    messages = s.outside.discord.direct_messages(s.person(name))
    return [message.content for message in messages if message.author is bot]


async def answer_to(s: Stage, name: str, text: str) -> str:
    """Say something in the verification channel and return the answer in private."""
    before = len(answers_to(s, name))
    says(s, name, text)
    await s.eventually(lambda: len(answers_to(s, name)) > before, f"an answer to {name}")

    return answers_to(s, name)[-1]
