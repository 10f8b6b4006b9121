"""The words: reading claims, answering them, and the event log."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cogs import event_texts, texts, words
from cogs.claim_text import claim_command, read_claim
from cogs.config import DiscordSettings
from cogs.direct_texts import direct_text
from locales.catalogue import words_for
from locales.member_reasons import member_reason
from membership.claims import ClaimAnswer, ClaimOutcome
from membership.errors import Reason
from membership.model import RoleId
from tests.cogs.connected import GOOD_CODE

UNTIL = datetime(2026, 12, 21, 12, tzinfo=UTC)
BOT = 55
ENGLISH = words_for("en-GB")
ITALIAN = words_for("it")


@pytest.mark.parametrize(
    ("text", "is_direct", "code"),
    [
        (f"!claim {GOOD_CODE}", False, GOOD_CODE),
        (f"  !CLAIM   {GOOD_CODE} ", False, GOOD_CODE),
        (f"!claim: {GOOD_CODE}", False, GOOD_CODE),
        (f"! claim\n{GOOD_CODE}", False, GOOD_CODE),
        ("!claim k7qf 2m9x 4trw 8hnb", False, "k7qf 2m9x 4trw 8hnb"),
        ("!claim", False, ""),
        ("!claims are open", False, None),
        ("!claimed", False, None),
        (f"claim {GOOD_CODE}", False, None),
        (f"claim {GOOD_CODE}", True, GOOD_CODE),
        (GOOD_CODE, True, GOOD_CODE),
        (GOOD_CODE, False, None),
        (f"<@55> claim {GOOD_CODE}", False, GOOD_CODE),
        (f"<@!55> !claim {GOOD_CODE}", False, GOOD_CODE),
        (f"<@56> claim {GOOD_CODE}", False, None),
        ("<@55> hello", False, None),
        ("how do I !claim?", False, None),
        ("!claim " + "x" * 400, False, None),
        ("", False, None),
    ],
)
def test_a_claim_is_found_in_what_people_write(text: str, is_direct: bool, code: str | None) -> None:
    assert read_claim(text, prefix="!", bot_id=BOT, is_direct=is_direct) == code


@pytest.mark.parametrize(("prefix", "command"), [("!", "!claim"), ("door ", "door claim"), ("", "/claim")])
def test_people_are_told_the_command_that_works(prefix: str, command: str) -> None:
    settings = DiscordSettings(claim_prefix=prefix)
    assert settings.claim_command == claim_command(prefix) == command
    assert f"`{command} {texts.EXAMPLE_CODE}`" in texts.claim_how(ENGLISH, command)


def test_without_the_intent_people_are_sent_to_the_slash_command() -> None:
    assert DiscordSettings(message_content_intent=False).claim_command == "/claim"


def test_without_a_prefix_only_mentions_and_direct_messages_claim() -> None:
    assert read_claim(f"!claim {GOOD_CODE}", prefix="", bot_id=BOT, is_direct=False) is None
    assert read_claim(f"<@55> claim {GOOD_CODE}", prefix="", bot_id=BOT, is_direct=False) == GOOD_CODE


def answer(outcome: ClaimOutcome, **changes: object) -> ClaimAnswer:
    facts: dict[str, object] = {"plan_names": ("VIP",), "role_ids": (RoleId(7),), "was_delivered": True} | changes
    return ClaimAnswer(outcome=outcome, **facts)  # type: ignore[arg-type]


def test_a_welcome_names_the_role_and_its_end() -> None:
    text = texts.claim_answer(ENGLISH, answer(ClaimOutcome.OK, until=UNTIL), name="Ada", is_in_guild=True)
    stamp = int(UNTIL.timestamp())
    assert text == f"✅ Welcome, Ada! You have <@&7> until <t:{stamp}:D> (<t:{stamp}:R>)."


def test_outside_the_server_plans_are_named_as_roles_cannot_be_shown() -> None:
    assert (
        texts.claim_answer(ENGLISH, answer(ClaimOutcome.OK), name="", is_in_guild=False) == "✅ Welcome! You have VIP."
    )


def test_a_role_that_is_still_coming_is_not_promised_as_had() -> None:
    text = texts.claim_answer(ENGLISH, answer(ClaimOutcome.OK, was_delivered=False), name="Ada", is_in_guild=True)
    assert "You have" not in text
    assert "follows by itself" in text


def test_a_code_used_before_whose_role_is_still_coming_is_not_told_as_had() -> None:
    text = texts.claim_answer(
        ENGLISH, answer(ClaimOutcome.USED_BY_YOU, was_delivered=False), name="Ada", is_in_guild=True
    )
    assert "You have" not in text
    assert "follows by itself" in text


@pytest.mark.parametrize(
    ("outcome", "changes", "part"),
    [
        (ClaimOutcome.UNKNOWN, {"tries_left": 4}, "4 tries left"),
        (ClaimOutcome.UNKNOWN, {"tries_left": 1}, "1 try left"),
        (ClaimOutcome.NOT_A_CODE, {}, "it looks like K7QF"),
        (ClaimOutcome.USED_BY_YOU, {"used_at": UNTIL}, "Nothing to do"),
        (ClaimOutcome.USED_BY_ANOTHER, {}, "another account"),
        (ClaimOutcome.MOVED_TOO_OFTEN, {"retry_at": UNTIL}, f"works again <t:{int(UNTIL.timestamp())}:D>"),
        (ClaimOutcome.MOVED_TOO_OFTEN, {}, "The staff of the server can move it"),
        (ClaimOutcome.EXPIRED, {"until": UNTIL}, "The purchase still exists"),
        (ClaimOutcome.ENDED, {}, "has ended"),
        (ClaimOutcome.GIFT, {"days": 30, "server": "Ada's"}, "🎁 Gift unlocked: VIP for 30 days in Ada's. You have"),
        (ClaimOutcome.GIFT, {"was_delivered": False}, "🎁 Gift unlocked: VIP in the server. As soon as you are in"),
        (ClaimOutcome.GIFT_USED_UP, {}, "as often as it can be"),
        (ClaimOutcome.GIFT_EXPIRED, {"until": UNTIL}, "This gift code was valid until"),
        (ClaimOutcome.GIFT_OFF, {}, "Ask whoever gave it to you"),
        (ClaimOutcome.TOO_MANY_TRIES, {"retry_at": UNTIL}, f"<t:{int(UNTIL.timestamp())}:t>"),
    ],
)
def test_every_outcome_has_its_words(outcome: ClaimOutcome, changes: dict[str, object], part: str) -> None:
    assert part in texts.claim_answer(ENGLISH, answer(outcome, **changes), name="Ada", is_in_guild=True)


@pytest.mark.parametrize("outcome", list(ClaimOutcome))
def test_a_public_answer_tells_nothing_but_whether_it_worked(outcome: ClaimOutcome) -> None:
    text = texts.public_answer(ENGLISH, 9, answer(outcome, until=UNTIL, tries_left=3), seconds=20)
    assert text.startswith("<@9> ")
    assert "VIP" not in text
    assert "tries" not in text


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        ("@everyone", "@\u200beveryone"),
        ("<@1>", "<@\u200b1\\>"),
        ("[x](https://evil.example)", "\\[x\\]\\(https:\u200b//evil.example\\)"),
        ("**a**\n# big", "\\*\\*a\\*\\* \\# big"),
    ],
)
def test_foreign_names_cannot_mention_link_or_format(name: str, harmless: str) -> None:
    assert words.code_text(name) == harmless


@pytest.mark.parametrize("outcome", list(ClaimOutcome))
def test_an_answer_is_said_in_the_persons_language(outcome: ClaimOutcome) -> None:
    english, italian = (
        texts.claim_answer(words, answer(outcome, tries_left=2), name="Ada", is_in_guild=True)
        for words in (ENGLISH, ITALIAN)
    )
    assert english != italian


MESSAGES = ("delivered", "past_due", "ending", "ended", "moved", "kick")
KNOWN = {"plan": "VIP", "server": "The Lounge", "until": UNTIL.isoformat(), "kick_at": UNTIL, "reason": "refunded"}


@pytest.mark.parametrize("facts", [KNOWN, {}])
@pytest.mark.parametrize("template", MESSAGES)
def test_a_direct_message_is_worded_with_what_is_known(template: str, facts: dict[str, object]) -> None:
    text = direct_text(ENGLISH, template, facts)
    assert all(name in text for name in ("VIP", "The Lounge") if facts)
    assert "None" not in text
    assert "  " not in text


@pytest.mark.parametrize("template", ["delivered", "past_due", "ending", "kick"])
def test_a_direct_message_says_until_when(template: str) -> None:
    assert f"<t:{int(UNTIL.timestamp())}:D>" in direct_text(ITALIAN, template, KNOWN)


def test_an_end_says_why_in_the_members_language() -> None:
    assert "rimborsato" in direct_text(ITALIAN, "ended", KNOWN)


def test_a_direct_message_cannot_be_formatted_by_the_name_of_a_plan() -> None:
    text = direct_text(ENGLISH, "ended", {"plan": "{server} **x** @here", "server": "S", "reason": "paid"})
    assert "{server} \\*\\*x\\*\\* @\u200bhere" in text


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words_for_the_member(reason: Reason) -> None:
    text = member_reason(ENGLISH, reason.value)
    assert "_" not in text
    assert text
    assert not {"credentials", "token", "50013"} & set(text.split())


@pytest.mark.parametrize("reason", ["made_up", None])
def test_a_reason_that_is_not_in_the_catalogue_is_not_shown_to_members(reason: object) -> None:
    assert member_reason(ENGLISH, reason) == "the staff are looking at it"


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(reason: Reason) -> None:
    assert "_" not in words.reason_text(reason.value)
    assert words.reason_text(reason.value)


def test_a_delivery_is_posted_with_who_what_and_how_fast() -> None:
    facts = {"plan": "VIP", "name": "ada", "user_id": "9", "amount": 900, "currency": "eur", "interval": "monthly",
             "next_at": UNTIL.isoformat(), "seconds": 1.94, "number": 1842, "grant_id": 118}  # fmt: skip
    entry = event_texts.entry("grant.delivered", facts)
    assert entry.title == "✅ VIP given to @\u200bada"
    assert "<@9>" in entry.lines
    assert f"Paid 9.00 € · monthly · next {words.date(UNTIL)}" in entry.lines
    assert "From payment to role: 1.9 s" in entry.lines
    assert entry.footer == "#1842 · grant 118"


def test_a_failure_says_why_and_what_to_do() -> None:
    facts = {"plan": "VIP", "reason": "role_above_bot", "fix": 'drag "doorlist" above "VIP"', "tries": 3}
    entry = event_texts.entry("grant.failed", facts)
    assert "Because: Discord does not let me: the role is above my own role" in entry.lines
    assert 'Fix: drag "doorlist" above "VIP"' in entry.lines


def test_a_wave_of_removals_says_how_many_are_held() -> None:
    entry = event_texts.entry("brake.held", {"count": 38, "limit": 25})
    assert entry.title == "🛑 38 removals held"
    assert "Everyone keeps access until you decide" in entry.lines[0]


@pytest.mark.parametrize(
    "event",
    ["role.added", "role.removed", "grant.changed", "grant.revoked", "grant.past_due", "member.kicked", "made.up"],
)
def test_every_event_can_be_worded_without_any_fact(event: str) -> None:
    entry = event_texts.entry(event, {})
    assert entry.title
    assert "None" not in entry.title + "".join(entry.lines)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(900, "eur", "9.00 €"), (1999, "usd", "19.99 $"), (500, "jpy", "500 JPY"), (1234, "kwd", "1.234 KWD")],
)
def test_money_follows_its_currency(amount: int, currency: str, text: str) -> None:
    assert words.money({"amount": amount, "currency": currency}) == text
