"""What each problem is called on a page, what to do about it, and when it is tried again (EXPERIENCE 2.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from locales.catalogue import Words, translatable
from membership.errors import Reason
from membership.problem_kinds import Kind, Problem
from web.admin.staff_words import reason_text

RETRIED = frozenset({Kind.GRANTS, Kind.UNCLEAR, Kind.JOBS})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    """The words of one cause. `page`: where the fix is, for Manage Server: inside the server's pages, or of all."""

    what: str
    fix: str = ""
    then: str = ""
    page: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemCard:
    """A problem in words. `action` and `url` are the one fix, "" for none; `retry` the label of a button that tries."""

    problem: Problem
    title: str
    fix: str
    then: str
    tone: str
    url: str = ""
    action: str = ""
    retry: str = ""


def card_of(words: Words, problem: Problem, base: str, *, can_manage: bool = True) -> ProblemCard:
    """Word a problem; `base` is the address of the server's pages. Only managers are sent to their pages."""
    cause = _cause(problem)
    facts = {
        "names": ", ".join(problem.names) or words.say("the role"),
        "subject": problem.subject,
        "reason": reason_text(words, problem.subject),
        "parked": problem.number,
    }
    page = cause.page.format(number=problem.number)
    url = page if page.startswith("/admin/") else base + page
    return ProblemCard(
        problem=problem,
        title=_title(words, problem, words.say(cause.what, **facts)),
        fix=words.say(cause.fix, **facts) if cause.fix else "",
        then=words.say(cause.then, **facts) if cause.then else "",
        tone="warn" if problem.kind in _MILD else "bad",
        url=url if cause.page and can_manage else "",
        action=words.say(cause.action) if cause.action and can_manage else "",
        retry=_retry(words, problem),
    )


def _title(words: Words, problem: Problem, what: str) -> str:
    """Put the number before what it is about, where it counts people."""
    match problem.kind:
        case Kind.GRANTS:
            counted = words.count("{number} not delivered", "{number} not delivered", problem.count)
        case Kind.UNCLEAR:
            counted = words.count("{number} left as it is", "{number} left as they are", problem.count)
        case Kind.JOBS:
            counted = words.count("{number} member is stuck", "{number} members are stuck", problem.count)
        case Kind.BRAKE:
            counted = words.count("{number} removal is held", "{number} removals are held", problem.count)
        case Kind.UNCONNECTED | Kind.OUTSIDE | Kind.MAIL:
            counted = words.count("{number} paid", "{number} paid", problem.count)
        case _:
            return what
    return f"{counted}: {what}"


def _retry(words: Words, problem: Problem) -> str:
    if problem.kind is Kind.UNCONNECTED:
        return words.say("Remind all")
    is_useless = problem.reason in (Reason.ACCOUNT_GONE, Reason.BANNED, Reason.HAND_REMOVED)
    return words.say("Retry all") if problem.kind in RETRIED and not is_useless else ""


def _cause(problem: Problem) -> _Cause:
    if problem.reason is not None:
        return _REASONS.get(problem.reason, _OTHER_REASON)
    if problem.kind is Kind.ROLES:
        return _ROLES.get(problem.subject, _OTHER_ROLE)
    if problem.kind is Kind.CHANNEL and problem.subject == "channel_gone":
        return _CHANNEL_GONE
    return _KINDS[problem.kind]


_MILD = frozenset({Kind.PAUSED, Kind.BRAKE, Kind.ROLES, Kind.UNCONNECTED, Kind.OUTSIDE, Kind.UNCLEAR})

_AT_JOIN = translatable("I go on as soon as they join.")
_AT_LINK = translatable("I go on as soon as they have connected.")
_NOT_AGAIN = translatable("I do not try again by myself.")
_DRAG = translatable("Server Settings → Roles → drag the bot's role above {names}, then save.")
_ROLE_MOVES = translatable("I try again when a role moves, at the latest in 5 minutes.")
_TO_PLANS, _PLANS = "/plans", translatable("Open the plans")

_OTHER_REASON = _Cause(what=translatable("{reason}"), then=translatable("I try again every 5 minutes."))

_REASONS: Mapping[Reason, _Cause] = {
    Reason.ROLE_ABOVE_BOT: _Cause(
        what=translatable("Discord does not let me give {names}, which is above my own role"),
        fix=_DRAG,
        then=_ROLE_MOVES,
    ),
    Reason.MISSING_PERMISSION: _Cause(
        what=translatable("I am missing the permission Manage Roles"),
        fix=translatable("Invite the bot again, or switch Manage Roles on for its role."),
        then=translatable("I try again when my permissions change, at the latest in 5 minutes."),
        page="/admin/servers/add",
        action=translatable("Invite again"),
    ),
    Reason.MISSING_ACCESS: _Cause(
        what=translatable("I cannot see a channel or the server"),
        fix=translatable("Channel → Permissions → add the bot with View Channel."),
        then=translatable("I try again every 5 minutes."),
    ),
    Reason.ROLE_DELETED: _Cause(
        what=translatable("a role that the plan gives was deleted"),
        fix=translatable("Make it again, or choose another role for the plan."),
        then=translatable("I go on when the plan has a role again."),
        page=_TO_PLANS,
        action=_PLANS,
    ),
    Reason.BOT_NOT_IN_SERVER: _Cause(
        what=translatable("I am no longer in this server"),
        fix=translatable("Invite the bot again. Until then nothing is lost."),
        then=translatable("I go on as soon as I am back."),
        page="/admin/servers/add",
        action=translatable("Invite again"),
    ),
    Reason.NOT_IN_SERVER: _Cause(what=translatable("connected, but not in the server"), then=_AT_JOIN),
    Reason.ACCOUNT_GONE: _Cause(
        what=translatable("that Discord account no longer exists"),
        fix=translatable("Open the order and unlink it; the customer gets a mail to connect another account."),
        then=_NOT_AGAIN,
    ),
    Reason.SERVER_LIMIT: _Cause(
        what=translatable("they are in as many servers as Discord allows"),
        fix=translatable("Tell them to leave a server and to try again."),
        then=translatable("I try again when they ask."),
    ),
    Reason.JOIN_LIMITED: _Cause(
        what=translatable("Discord does not let them join servers at the moment"),
        fix=translatable("Tell them to look for a notice from Discord in their account."),
        then=_AT_JOIN,
    ),
    Reason.BANNED: _Cause(
        what=translatable("they are banned here"),
        fix=translatable("Nothing is given. Lift the ban, or end the purchase at the payment provider."),
        then=_NOT_AGAIN,
    ),
    Reason.TOKEN_EXPIRED: _Cause(
        what=translatable("their Discord permission ran out"),
        fix=translatable("They connect again; a mail with the link is sent."),
        then=_AT_LINK,
    ),
    Reason.SCOPE_MISSING: _Cause(
        what=translatable("they did not allow being added to servers"),
        fix=translatable("They connect again and allow it, or join with an invite."),
        then=_AT_LINK,
    ),
    Reason.TWO_FACTOR_REQUIRED: _Cause(
        what=translatable("the server demands two-factor sign-in, and the owner of the bot's application has none"),
        fix=translatable("Turn on two-factor sign-in for the Discord account that owns the application."),
        then=translatable("I try again every hour."),
    ),
    Reason.CREDENTIALS_REFUSED: _Cause(
        what=translatable("Discord refuses my token"),
        fix=translatable("Whoever runs Doorlist makes a new token in the developer portal and sets discord.token."),
        then=translatable("I go on after a start with the new token."),
    ),
    Reason.GUILD_UNAVAILABLE: _Cause(
        what=translatable("Discord shows the server as unavailable"),
        fix=translatable("Nothing to do. If it lasts, discordstatus.com tells more."),
        then=translatable("I go on by myself when it is back."),
    ),
    Reason.STATUS_UNKNOWN: _Cause(
        what=translatable("the payment provider sent a status that I do not know"),
        fix=translatable("Look at the orders at the payment provider. Nobody gains or loses anything meanwhile."),
        then=translatable("I look again with the next news of each purchase."),
    ),
    Reason.HAND_REMOVED: _Cause(
        what=translatable("somebody keeps removing the role by hand"),
        fix=translatable("If they should not have it, end their membership; else open them and press Refresh."),
        then=_NOT_AGAIN,
    ),
}

_ROLES: Mapping[str, _Cause] = {
    "above_bot": _Cause(what=translatable("I could not give {names}, which is above my own role"), fix=_DRAG),
    "deleted": _Cause(
        what=translatable("A role of {names} was deleted"),
        fix=translatable("Make it again, or choose another role for the plan."),
        page=_TO_PLANS,
        action=_PLANS,
    ),
    "no_permission": _Cause(
        what=translatable("I am missing the permission Manage Roles"),
        fix=translatable("Invite the bot again, or switch Manage Roles on for its role."),
        page="/admin/servers/add",
        action=translatable("Invite again"),
    ),
}
_OTHER_ROLE = _Cause(
    what=translatable("Discord does not let anybody give {names} by hand"),
    fix=translatable("Choose another role for the plan."),
    page=_TO_PLANS,
    action=_PLANS,
)

_KINDS: Mapping[Kind, _Cause] = {
    Kind.PAUSED: _Cause(
        what=translatable("Role changes are paused"),
        fix=translatable("Nothing is given or taken until somebody resumes. What waits is not lost."),
        page="/brake",
        action=translatable("Look, then resume"),
    ),
    Kind.AWAY: _Cause(
        what=translatable("Discord shows this server as unavailable"),
        fix=translatable("Nothing to do. If it lasts, discordstatus.com tells more."),
        then=translatable("I go on by myself when it is back."),
    ),
    Kind.BRAKE: _Cause(
        what=translatable("they keep access until you decide"),
        fix=translatable("Look at the list, then release it or keep everybody's access."),
        page="/brake/{number}",
        action=translatable("Review"),
    ),
    Kind.JOBS: _Cause(
        what=translatable("the last try did not go through"),
        then=translatable("I try again less and less often, at the latest every 5 minutes. {parked} were given up."),
    ),
    Kind.PROVIDER: _Cause(
        what=translatable("{subject} did not answer when I asked last"),
        fix=translatable("Nobody loses a role because of it. If it lasts, look at the key in the doctor."),
        then=translatable("I ask again every hour."),
        page="/doctor",
        action=translatable("Open the doctor"),
    ),
    Kind.WEBHOOKS: _Cause(
        what=translatable("The webhooks of {subject} do not arrive"),
        fix=translatable("I ask for the events every hour, so that everything comes later, and nothing is lost."),
        page="/doctor",
        action=translatable("Open the doctor"),
    ),
    Kind.MAIL: _Cause(
        what=translatable("not connected, and their address refuses our mail"),
        fix=translatable("Correct the address at the payment provider, or send them the link another way."),
        then=_NOT_AGAIN,
    ),
    Kind.UNCONNECTED: _Cause(
        what=translatable("no Discord account connected for more than a day"),
        fix=translatable("They got the link by mail. Remind them, or open an order and send the invitation again."),
        then=translatable("I remind them after 1 hour, 1, 3 and 7 days."),
    ),
    Kind.OUTSIDE: _Cause(
        what=translatable("connected, but not in the server for more than a day"),
        fix=translatable("Send them the join link; the role follows by itself."),
        then=_AT_JOIN,
    ),
    Kind.CHANNEL: _Cause(
        what=translatable("My posts to #{names} do not arrive"),
        fix=translatable("Let the bot view the channel, send messages and embed links there, or choose another one."),
        page="/notifications",
        action=translatable("Choose a channel"),
    ),
}
_CHANNEL_GONE = _Cause(
    what=translatable("A channel for notifications was deleted"),
    fix=translatable("Choose another one."),
    page="/notifications",
    action=translatable("Choose a channel"),
)
