"""What is said when Discord refuses: to staff with the fix and when it is tried again, to members (EXPERIENCE 2.8).

One table for cards, event log and doctor; which error means which problem is in errors. Pure, no discord.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from cogs.words import code_text, reason_text
from locales.catalogue import Words, translatable
from membership.errors import Blocked, DoorlistError, Gone, Reason, Retry


class Trouble(StrEnum):
    """What has no reason of a grant: the outside is busy, or something that we only write to is gone."""

    BUSY = "discord_busy"
    PAUSE = "discord_pause"
    CHANNEL_GONE = "channel_gone"
    MESSAGE_GONE = "message_gone"


Problem = Reason | Trouble

GONE: Mapping[str, Problem] = {
    "channel": Trouble.CHANNEL_GONE,
    "guild": Reason.BOT_NOT_IN_SERVER,
    "member": Reason.NOT_IN_SERVER,
    "message": Trouble.MESSAGE_GONE,
    "role": Reason.ROLE_DELETED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The words of one problem. `member` is "" where members have nothing to do with it; it is translated."""

    staff: str
    fix: str
    retry: str
    member: str = ""


def problem_of(failure: DoorlistError) -> Problem:
    """Name the problem behind one of the four failures. Raises KeyError for what no call to Discord ends in."""
    match failure:
        case Blocked():
            return failure.reason
        case Gone():
            return GONE[failure.what]
        case Retry(after=None):
            return Trouble.BUSY
        case Retry():
            return Trouble.PAUSE
        case _:
            raise KeyError(type(failure).__name__)


def staff_sentence(problem: Problem, facts: Mapping[str, object]) -> str:
    """Say to staff what is wrong. Facts, all optional: `role_id` or `role`, `plan`, `server`, `bot`, `seconds`."""
    found = REFUSALS.get(problem)
    return found.staff.format_map(_named(facts)) if found else reason_text(problem)


def staff_fix(problem: Problem, facts: Mapping[str, object]) -> str:
    """Say to staff what they do about it; "" for what is nothing of Discord's. Facts as in `staff_sentence`."""
    found = REFUSALS.get(problem)
    return found.fix.format_map(_named(facts)) if found else ""


def retry_text(problem: Problem) -> str:
    """Say when Doorlist tries again by itself; "" for what is nothing of Discord's."""
    found = REFUSALS.get(problem)
    return found.retry if found else ""


def member_sentence(words: Words, problem: Problem) -> str:
    """Say it to the member, with what is theirs to do; "" for what is not their business."""
    found = REFUSALS.get(problem)
    return words.say(found.member) if found and found.member else ""


def _named(facts: Mapping[str, object]) -> dict[str, str]:
    seconds = facts.get("seconds")
    return {
        "role": f"<@&{facts['role_id']}>" if facts.get("role_id") else code_text(str(facts.get("role") or "the role")),
        "plan": code_text(str(facts.get("plan") or "this plan")),
        "server": code_text(str(facts.get("server") or "this server")),
        "bot": code_text(str(facts.get("bot") or "Doorlist")),
        "pause": f"{seconds} s" if seconds else "a moment",
    }


_TOLD = translatable(
    "We could not give you the role: the bot is not allowed to. Staff have been told, you lose nothing."
)
_CONNECT = translatable("Connect Discord once more: the permission you gave has run out.")
_WITHIN_MINUTES = "I try again every 5 minutes."
_NOT_AGAIN = "I do not try again by myself."
_AT_JOIN = "I go on as soon as they join."
_AT_LINK = "I go on as soon as they have connected."

REFUSALS: Mapping[Problem, Refusal] = {
    Reason.ROLE_ABOVE_BOT: Refusal(
        staff="Discord does not let me give or take {role}: it is above my own role.",
        fix="Server Settings → Roles → drag {bot} above {role}.",
        retry="I try again when a role moves, at the latest in 5 minutes.",
        member=_TOLD,
    ),
    Reason.MISSING_PERMISSION: Refusal(
        staff="I am missing the permission Manage Roles.",
        fix="Invite me again with the link of /doorlist setup, or switch Manage Roles on for my role.",
        retry="I try again when my permissions change, at the latest in 5 minutes.",
        member=_TOLD,
    ),
    Reason.MISSING_ACCESS: Refusal(
        staff="I cannot see this channel or server.",
        fix="Channel → Permissions → add {bot} with View Channel.",
        retry=_WITHIN_MINUTES,
    ),
    Reason.ROLE_DELETED: Refusal(
        staff="The role of {plan} was deleted.",
        fix="Make it again, or choose another one with /plan edit.",
        retry="I go on when the plan has a role again.",
        member=_TOLD,
    ),
    Reason.BOT_NOT_IN_SERVER: Refusal(
        staff="I am no longer in {server}.",
        fix="Invite me again. Until then its plans are detached, and nothing is lost.",
        retry="I go on as soon as I am back.",
    ),
    Reason.NOT_IN_SERVER: Refusal(
        staff="Paid and connected, but not in the server.",
        fix="Send them the join link.",
        retry=_AT_JOIN,
        member=translatable("Join the server, and the role follows by itself."),
    ),
    Reason.RULES_NOT_ACCEPTED: Refusal(
        staff="They have not accepted the server's rules yet.",
        fix="Nothing to do: they accept the rules at the top of the channel list.",
        retry="I go on as soon as they accept.",
        member=translatable("Accept the server's rules first, and the role follows by itself."),
    ),
    Reason.ACCOUNT_GONE: Refusal(
        staff="That Discord account no longer exists.",
        fix="Unlink it with /member unlink; the customer gets a mail to connect another one.",
        retry=_NOT_AGAIN,
    ),
    Reason.SERVER_LIMIT: Refusal(
        staff="The member is in as many servers as Discord allows, it refuses more.",
        fix="Tell them to leave a server and to try again.",
        retry="I try again when they ask.",
        member=translatable("You are in as many servers as Discord allows. Leave one, then try again."),
    ),
    Reason.JOIN_LIMITED: Refusal(
        staff="Discord does not let this member join servers at the moment.",
        fix="Tell them to look for a notice from Discord in their account.",
        retry=_AT_JOIN,
        member=translatable("Discord does not let you join servers at the moment. Look for a notice in your account."),
    ),
    Reason.BANNED: Refusal(
        staff="The member is banned here.",
        fix="Nothing is given. Lift the ban, or end the purchase at the payment provider.",
        retry=_NOT_AGAIN,
        member=translatable("You cannot be added to this server. Contact the staff."),
    ),
    Reason.TOKEN_EXPIRED: Refusal(
        staff="The member's Discord permission ran out.",
        fix="They connect again; a mail with the link is sent.",
        retry=_AT_LINK,
        member=_CONNECT,
    ),
    Reason.SCOPE_MISSING: Refusal(
        staff="The member did not allow being added to servers.",
        fix="They connect again and allow it, or join with an invite.",
        retry=_AT_LINK,
        member=translatable("Connect Discord once more and allow joining servers, or join with an invite."),
    ),
    Reason.DMS_CLOSED: Refusal(
        staff="Their direct messages are closed.",
        fix="Nothing to do: a mail is sent instead.",
        retry=_NOT_AGAIN,
    ),
    Reason.TWO_FACTOR_REQUIRED: Refusal(
        staff="{server} demands two-factor sign-in of moderators, and the owner of my application has none.",
        fix="Turn on two-factor sign-in for the Discord account that owns the application.",
        retry="I try again every hour.",
    ),
    Reason.CREDENTIALS_REFUSED: Refusal(
        staff="Discord refuses my token.",
        fix="Whoever runs this Doorlist makes a new token in the developer portal and sets discord.token.",
        retry="I go on after a start with the new token.",
        member=_TOLD,
    ),
    Trouble.CHANNEL_GONE: Refusal(
        staff="The channel no longer exists.",
        fix="Choose another one with /doorlist settings.",
        retry="I go on when another one is chosen.",
    ),
    Trouble.MESSAGE_GONE: Refusal(
        staff="The message was deleted.",
        fix="Nothing to do, or post it again.",
        retry=_NOT_AGAIN,
    ),
    Trouble.BUSY: Refusal(
        staff="Discord is having trouble.",
        fix="Nothing to do. If it lasts, discordstatus.com tells more.",
        retry="I try again after a second, then less and less often up to every 5 minutes, and never give up.",
        member=translatable("Discord is having trouble. It may take some minutes, nothing is lost."),
    ),
    Trouble.PAUSE: Refusal(
        staff="Waiting: Discord asked me to pause for {pause}.",
        fix="Nothing to do.",
        retry="I try again when the pause is over.",
    ),
}
