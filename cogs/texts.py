"""What Doorlist says to a person in Discord about claim codes, and when something failed (EXPERIENCE 2.4). Pure.

Nothing here repeats what the person typed: a code, a mention or a link would be posted by us (threats C16).
"""

from __future__ import annotations

from cogs.words import clock_time, code_text, date, day, role_mentions
from locales.catalogue import Words, translatable
from membership.claims import ClaimAnswer, ClaimOutcome

EXAMPLE_CODE = "K7QF-2M9X-4TRW-8HNB"

TRY_AGAIN = translatable("I cannot do that right now. Nothing is lost: try again in a minute.")
BROKEN = translatable(
    "That did not work because of a fault on our side. Staff can find it in the log under `{reference}`."
)
NOT_ALLOWED = translatable("You are not allowed to use this command here.")
CANNOT_READ = translatable("I cannot read messages here. Use `/claim` instead: nobody else sees it.")


def claim_how(words: Words, command: str) -> str:
    """Say how a code is given to somebody who wrote the command alone."""
    return words.say(
        "Write `{command}` and your code, like this: `{command} {example}`. The code is in your purchase mail.",
        command=command,
        example=EXAMPLE_CODE,
    )


def claim_answer(words: Words, answer: ClaimAnswer, *, name: str, is_in_guild: bool) -> str:
    """Say what came of a code. Roles are mentioned where they can be shown, plans are named elsewhere."""
    match answer.outcome:
        case ClaimOutcome.OK:
            return _welcome(words, answer, name, is_in_guild=is_in_guild)
        case ClaimOutcome.USED_BY_YOU:
            return _used_by_you(words, answer, is_in_guild=is_in_guild)
        case ClaimOutcome.USED_BY_ANOTHER:
            return words.say(
                "This code was already used by another account. If it is yours, open the link in your purchase mail "
                "or ask the staff."
            )
        case ClaimOutcome.EXPIRED:
            return _expired(words, answer)
        case ClaimOutcome.ENDED:
            return words.say(
                "The purchase behind this code has ended, so there is nothing to give. Ask the staff if that is wrong."
            )
        case ClaimOutcome.MOVED_TOO_OFTEN | ClaimOutcome.TOO_MANY_TRIES:
            return _too_often(words, answer)
        case ClaimOutcome.GIFT:
            return _gift(words, answer, is_in_guild=is_in_guild)
        case ClaimOutcome.GIFT_USED_UP | ClaimOutcome.GIFT_EXPIRED | ClaimOutcome.GIFT_OFF:
            return _dead_gift(words, answer)
        case ClaimOutcome.UNKNOWN | ClaimOutcome.NOT_A_CODE:
            return _unknown(words, answer)


def public_answer(words: Words, user_id: int, answer: ClaimAnswer, *, seconds: int) -> str:
    """Say in public, without the details, that a claim was handled; the message deletes itself."""
    if answer.outcome in (ClaimOutcome.OK, ClaimOutcome.GIFT, ClaimOutcome.USED_BY_YOU):
        text = translatable("{person} done ✅ (this message disappears in {seconds} s)")
    else:
        text = translatable(
            "{person} that did not work. Use `/claim` to see why, only you see the answer "
            "(this message disappears in {seconds} s)"
        )
    return words.say(text, person=f"<@{user_id}>", seconds=seconds)


def _welcome(words: Words, answer: ClaimAnswer, name: str, *, is_in_guild: bool) -> str:
    greeting = words.say("✅ Welcome, {name}!", name=code_text(name)) if name else words.say("✅ Welcome!")
    if answer.was_delivered:
        return f"{greeting} {_have(words, answer, is_in_guild=is_in_guild)}"
    accepted = words.say("Your code is accepted.")
    return f"{greeting} {accepted} {_follows(words, answer, is_in_guild=is_in_guild)}"


def _gift(words: Words, answer: ClaimAnswer, *, is_in_guild: bool) -> str:
    plan = ", ".join(code_text(name) for name in answer.plan_names)
    server = code_text(answer.server) or words.say("the server")
    if answer.days is None:
        unlocked = words.say("🎁 Gift unlocked: {plan} in {server}.", plan=plan, server=server)
    else:
        unlocked = words.count(
            "🎁 Gift unlocked: {plan} for {number} day in {server}.",
            "🎁 Gift unlocked: {plan} for {number} days in {server}.",
            answer.days,
            plan=plan,
            server=server,
        )
    then = _have if answer.was_delivered else _follows
    return f"{unlocked} {then(words, answer, is_in_guild=is_in_guild)}"


def _dead_gift(words: Words, answer: ClaimAnswer) -> str:
    ask = words.say("Ask whoever gave it to you for a new one.")
    if answer.outcome is ClaimOutcome.GIFT_USED_UP:
        return f"{words.say('This gift code has been used as often as it can be.')} {ask}"
    if answer.outcome is ClaimOutcome.GIFT_EXPIRED and answer.until is not None:
        return f"{words.say('This gift code was valid until {until}.', until=date(answer.until))} {ask}"
    return f"{words.say('This gift code is no longer valid.')} {ask}"


def _used_by_you(words: Words, answer: ClaimAnswer, *, is_in_guild: bool) -> str:
    if answer.used_at is None:
        used = words.say("You already used this code.")
    else:
        used = words.say("You already used this code on {day}.", day=day(answer.used_at))
    if not answer.was_delivered:
        return f"{used} {_follows(words, answer, is_in_guild=is_in_guild)}"
    return f"{used} {_have(words, answer, is_in_guild=is_in_guild)} {words.say('Nothing to do.')}"


def _expired(words: Words, answer: ClaimAnswer) -> str:
    still = words.say("The purchase still exists: open the link in your purchase mail.")
    if answer.until is None:
        return f"{words.say('This code is no longer valid.')} {still}"
    return f"{words.say('This code was valid until {until}.', until=date(answer.until))} {still}"


def _too_often(words: Words, answer: ClaimAnswer) -> str:
    if answer.outcome is ClaimOutcome.TOO_MANY_TRIES:
        return _too_many_tries(words, answer)
    why = words.say("What you bought was moved to another Discord account as often as customers may.")
    then = "" if answer.retry_at is None else words.say("Your code works again {when}.", when=date(answer.retry_at))
    return " ".join(filter(None, (why, then, words.say("The staff of the server can move it for you at any time."))))


def _too_many_tries(words: Words, answer: ClaimAnswer) -> str:
    if answer.retry_at is None:
        return words.say("Too many tries. Wait a while, or open the link in your purchase mail.")
    return words.say(
        "Too many tries. Wait until {time}, or open the link in your purchase mail.", time=clock_time(answer.retry_at)
    )


def _unknown(words: Words, answer: ClaimAnswer) -> str:
    text = words.say(
        "That code does not exist. Check for a missing letter: it looks like {example}.", example=EXAMPLE_CODE
    )
    left = words.count("{number} try left.", "{number} tries left.", answer.tries_left)
    return f"{text} {left}" if answer.tries_left else text


def _follows(words: Words, answer: ClaimAnswer, *, is_in_guild: bool) -> str:
    what = _what(words, answer, is_in_guild=is_in_guild)
    return words.say("As soon as you are in the server, {what} follows by itself.", what=what)


def _have(words: Words, answer: ClaimAnswer, *, is_in_guild: bool) -> str:
    what = _what(words, answer, is_in_guild=is_in_guild)
    if answer.until is None:
        return words.say("You have {what}.", what=what)
    return words.say("You have {what} until {until}.", what=what, until=date(answer.until))


def _what(words: Words, answer: ClaimAnswer, *, is_in_guild: bool) -> str:
    roles = role_mentions(answer.role_ids) if is_in_guild else ""
    return roles or ", ".join(code_text(plan) for plan in answer.plan_names) or words.say("your membership")
