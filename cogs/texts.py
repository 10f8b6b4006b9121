"""What Doorlist says to a person in Discord about claim codes (EXPERIENCE 2.4). Pure.

Nothing here repeats what the person typed: a code, a mention or a link would be posted by us (threats C16).
"""

from __future__ import annotations

from cogs.words import clock_time, code_text, date, role_mentions
from membership.claims import ClaimAnswer, ClaimOutcome

EXAMPLE_CODE = "K7QF-2M9X-4TRW-8HNB"

TRY_AGAIN = "I cannot do that right now. Nothing is lost: try again in a minute."
BROKEN = "That did not work because of a fault on our side. Staff can find it in the log under `{reference}`."
NOT_ALLOWED = "You are not allowed to use this command here."
CANNOT_READ = "I cannot read messages here. Use `/claim` instead: nobody else sees it."


def claim_how(command: str) -> str:
    """Say how a code is given to somebody who wrote the command alone."""
    return f"Write `{command}` and your code, like this: `{command} {EXAMPLE_CODE}`. The code is in your purchase mail."


def claim_answer(answer: ClaimAnswer, *, name: str, is_in_guild: bool) -> str:
    """Say what came of a code. Roles are mentioned where they can be shown, plans are named elsewhere."""
    match answer.outcome:
        case ClaimOutcome.OK:
            return _welcome(answer, name, is_in_guild=is_in_guild)
        case ClaimOutcome.USED_BY_YOU:
            used = f" on {_day(answer)}" if answer.used_at else ""
            if not answer.was_delivered:
                return f"You already used this code{used}. {_follows(answer, is_in_guild=is_in_guild)}"
            return f"You already used this code{used}. {_have(answer, is_in_guild=is_in_guild)} Nothing to do."
        case ClaimOutcome.USED_BY_ANOTHER:
            return (
                "This code was already used by another account. If it is yours, open the link in your purchase mail "
                "or ask the staff."
            )
        case ClaimOutcome.EXPIRED:
            until = f" until {date(answer.until)}" if answer.until else ""
            return f"This code was valid{until}. The purchase still exists: open the link in your purchase mail."
        case ClaimOutcome.ENDED:
            return (
                "The purchase behind this code has ended, so there is nothing to give. Ask the staff if that is wrong."
            )
        case ClaimOutcome.TOO_MANY_TRIES:
            wait = f"Wait until {clock_time(answer.retry_at)}" if answer.retry_at else "Wait a while"
            return f"Too many tries. {wait}, or open the link in your purchase mail."
        case ClaimOutcome.UNKNOWN | ClaimOutcome.NOT_A_CODE:
            tries = f" {_count(answer.tries_left, 'try', 'tries')} left." if answer.tries_left else ""
            return f"That code does not exist. Check for a missing letter: it looks like {EXAMPLE_CODE}.{tries}"


def public_answer(user_id: int, answer: ClaimAnswer, *, seconds: int) -> str:
    """Say in public, without the details, that a claim was handled; the message deletes itself."""
    is_done = answer.outcome in (ClaimOutcome.OK, ClaimOutcome.USED_BY_YOU)
    outcome = "done ✅" if is_done else "that did not work. Use `/claim` to see why, only you see the answer"
    return f"<@{user_id}> {outcome} (this message disappears in {seconds} s)"


def _welcome(answer: ClaimAnswer, name: str, *, is_in_guild: bool) -> str:
    greeting = f"✅ Welcome, {code_text(name)}!" if name else "✅ Welcome!"
    if answer.was_delivered:
        return f"{greeting} {_have(answer, is_in_guild=is_in_guild)}"
    return f"{greeting} Your code is accepted. {_follows(answer, is_in_guild=is_in_guild)}"


def _follows(answer: ClaimAnswer, *, is_in_guild: bool) -> str:
    what = _what(answer, is_in_guild=is_in_guild)
    return f"{what[:1].upper()}{what[1:]} follows by itself as soon as you are in the server."


def _have(answer: ClaimAnswer, *, is_in_guild: bool) -> str:
    until = f" until {date(answer.until)}" if answer.until else ""
    return f"You have {_what(answer, is_in_guild=is_in_guild)}{until}."


def _what(answer: ClaimAnswer, *, is_in_guild: bool) -> str:
    roles = role_mentions(answer.role_ids) if is_in_guild else ""
    return roles or ", ".join(code_text(plan) for plan in answer.plan_names) or "your membership"


def _day(answer: ClaimAnswer) -> str:
    return f"<t:{int(answer.used_at.timestamp())}:D>" if answer.used_at else ""


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
