"""The card of `/member why`: each role with its facts, and where something is off, one fix and one button. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cogs.cards import Button, Buttons, Card, Line, Style, Text, Tone
from cogs.member_words import PROOFS, answer_text, grant_title, next_change, source_text, state_line
from cogs.refusals import retry_text, staff_fix, staff_sentence
from cogs.words import code_text, date
from membership.actors import Actor
from membership.desk import AdoptionPolicy
from membership.errors import Reason
from membership.explanation import Cause, Explanation, RoleExplanation
from membership.shown import ShownGrant

MOST_GRANTS = 3
_NOTHING_KNOWN = (
    "**Nothing is known about this person here**: no purchase is connected to them, and none was given.\n"
    "Did they buy? Look for their e-mail with `/member find`, then connect it with `/member link`, or let them open "
    "the link in their mail."
)
_ADOPTED = {
    AdoptionPolicy.LEAVE: "The server decided to leave those who had it alone",
    AdoptionPolicy.GRANDFATHER: "The server decided to keep those who had it as members for free",
    AdoptionPolicy.REMOVE: "The server decided to take it from those who have no purchase",
}


def why_card(why: Explanation, actor: Actor) -> Card:
    """Explain every asked role."""
    lines: list[Line] = [Text(_head(why))]
    if why.dossier.is_empty:
        lines.append(Text(_NOTHING_KNOWN))
    elif not why.roles:
        lines.append(Text("No plan of this server gives a role yet. Make one with `/plan create`."))
    # Of somebody unknown, only what they hold or were asked about is worth a word.
    told = [role for role in why.roles if role.has or len(why.roles) == 1 or not why.dossier.is_empty]
    lines += [Text("\n".join(_role_lines(why, role, actor))) for role in told]
    lines.append(Text(f"-# {_checked(why)}"))
    lines.append(Buttons(_buttons(why)))
    tone = Tone.WARN if why.first_off else Tone.QUIET if why.dossier.is_empty else Tone.GOOD
    return Card(title="Why these roles?", lines=tuple(lines), tone=tone)


def _head(why: Explanation) -> str:
    member = why.sight.member
    name = f" ({code_text(member.name)})" if member is not None and member.name else ""
    where = "" if member is not None or why.sight.at is None else ", who is not in the server"
    exemption = why.dossier.exemption
    until = "" if exemption is None or exemption.until is None else f" until {date(exemption.until)}"
    alone = "" if exemption is None else f"\n🛑 Left alone{until}: their roles are never touched"
    kick = "" if why.kick_at is None else f"\n⚠️ Their membership is over: they are kicked {date(why.kick_at)}"
    held = "\n🛑 The brake holds their kick until a person decides: `/doorlist brake`" if why.is_kick_held else ""
    return f"<@{why.dossier.key.user_id}>{name}{where}{alone}{held or kick}"


def _role_lines(why: Explanation, role: RoleExplanation, actor: Actor) -> Iterator[str]:
    name = f"<@&{role.role_id}>" if role.name else _deleted(role)
    yield f"**{name}: {_verdict(role)}**"
    if not role.is_managed:
        yield "• No plan gives this role. Doorlist never touches it"
        return
    if role.cause is Cause.FOREIGN:
        yield "• Somebody else gave it, so Doorlist never takes it"
    if role.has or role.should:
        for grant in role.grants[:MOST_GRANTS]:
            yield from _grant_lines(why, grant, actor)
    else:
        yield from (f"• {line}" for line in _absence(role))
    if not role.grants and not why.dossier.is_empty:
        yield "• Nothing that they have gives this role"
    yield from _ownership(role)
    if role.adoption is not None and not role.is_ours:
        yield f"• {_ADOPTED[role.adoption.policy]}"
    yield from _trouble(why, role)


def _deleted(role: RoleExplanation) -> str:
    """Name a role that is gone by the plan that gave it: its number says nothing to anybody."""
    return f"the deleted role of {code_text(role.grants[0].plan.name)}" if role.grants else "a deleted role"


def _verdict(role: RoleExplanation) -> str:
    if role.cause is Cause.UNSEEN:
        return f"nobody could look, {'should' if role.should else 'should not'} have it ⚪"
    has = "has it" if role.has else "does not have it"
    if role.cause is Cause.FOREIGN:
        return f"{has}, {'without a purchase' if role.is_managed else 'not managed'} ⚪"
    should = "should have it" if role.should else "should not"
    return f"{has}, {should} {'❌' if role.is_off else '✅'}"


def _absence(role: RoleExplanation) -> Iterator[str]:
    """Say why each grant that might give a role does not give it now."""
    for grant in role.grants[:MOST_GRANTS]:
        name = grant_title(grant)
        if grant.is_over or role.role_id in grant.plan.roles:
            yield f"{name}: {state_line(grant)}"
        elif role.role_id == grant.plan.past_due_role_id:
            yield f"{name}: no failed payment"
        else:
            yield f"{name}: not in trial"


def _grant_lines(why: Explanation, grant: ShownGrant, actor: Actor) -> Iterator[str]:
    payer = why.dossier.payers.get(grant.purchase.customer_id)
    yield f"• Grant {grant_title(grant)}: {state_line(grant)} — {source_text(grant, payer, actor)}"
    if grant.is_over:
        return
    link = None if payer is None else payer.link
    if link is not None:
        yield f"• Connected {date(link.created_at)} {PROOFS[link.proof]}"
    following = next_change(grant)
    if following:
        yield f"• Next change: {following}"


def _ownership(role: RoleExplanation) -> Iterator[str]:
    if role.has and role.is_ours:
        yield "• Given by Doorlist" + ("" if role.changed_at is None else f" {date(role.changed_at)}")
    elif role.has and role.should:
        yield "• Somebody else gave it before: it stays when the membership ends"
    elif not role.has and role.changed_at is not None:
        yield f"• Taken by Doorlist {date(role.changed_at)}"


def _trouble(why: Explanation, role: RoleExplanation) -> Iterator[str]:
    """Say what is off, what was tried, and the one fix."""
    if not role.is_off:
        return
    problem, fix = _problem(why, role)
    yield f"• {problem}"
    job = why.job
    if job is not None and job.last_error and role.cause in (Cause.WAITING, Cause.REFUSED, Cause.UNSEEN):
        tries = f"Tried {job.attempts} {'time' if job.attempts == 1 else 'times'}"
        yield f"• {tries}, the last answer: {answer_text(job.last_error)}"
    if job is not None and job.is_parked:
        yield "• I have stopped trying by myself: the button below starts again"
    elif job is not None and not job.is_running and role.cause is Cause.WAITING:
        yield f"• The next try is {date(job.due_at)}"
    if fix:
        yield f"• Fix: {fix}"


def _problem(why: Explanation, role: RoleExplanation) -> tuple[str, str]:
    guild, exemption = why.dossier.guild, why.dossier.exemption
    match role.cause:
        case Cause.REFUSED if role.reason is not None:
            plan = role.grants[0].plan.name if role.grants else ""
            facts = {"role_id": role.role_id, "plan": plan}
            again = retry_text(role.reason)
            return f"{staff_sentence(role.reason, facts)} {again}".strip(), staff_fix(role.reason, facts)
        case Cause.ABSENT:
            return staff_sentence(Reason.NOT_IN_SERVER, {}), staff_fix(Reason.NOT_IN_SERVER, {})
        case Cause.RULES:
            return staff_sentence(Reason.RULES_NOT_ACCEPTED, {}), staff_fix(Reason.RULES_NOT_ACCEPTED, {})
        case Cause.PAUSED:
            because = f": {code_text(guild.pause_reason)}" if guild.pause_reason else ""
            return f"Role changes are paused in this server{because}", "somebody with Manage Server: `/doorlist resume`"
        case Cause.EXEMPT if exemption is not None:
            until = "until staff say otherwise" if exemption.until is None else f"until {date(exemption.until)}"
            because = f": {code_text(exemption.reason)}" if exemption.reason else ""
            return f"This member is left alone {until}{because}", "look after them again"
        case Cause.HAND_REMOVED:
            return (
                "Somebody took it by hand, and it is not put back again",
                "give it to them by hand in Discord, or change what happens with `/doorlist settings`",
            )
        case Cause.BRAKE:
            return "The brake holds this removal until a person decides", "`/doorlist brake` shows what is held"
        case Cause.UNSEEN:
            return f"I could not ask Discord: {answer_text(why.sight.trouble)}", "try again in a minute"
        case _:
            return ("It is about to be given" if role.should else "It is about to be taken"), ""


def _checked(why: Explanation) -> str:
    read_at = max((grant.purchase.read_at for grant in why.dossier.grants if grant.is_paid), default=None)
    paid = "" if read_at is None else f" · payments read <t:{int(read_at.timestamp())}:R>"
    if why.sight.is_live:
        return f"checked just now at Discord{paid}"
    trouble = answer_text(why.sight.trouble)
    if why.sight.at is None:
        return f"Discord could not be asked ({trouble}), and I have not seen them yet{paid}"
    return f"Discord could not be asked ({trouble}): this is what I saw {date(why.sight.at)}{paid}"


def _buttons(why: Explanation) -> tuple[Button, ...]:
    user_id = why.dossier.key.user_id
    off = why.first_off
    refresh = Button(label="Refresh now", action="member-refresh", args=(user_id,))
    fix: tuple[Button, ...] = ()
    match None if off is None else off.cause:
        case Cause.REFUSED:
            refresh = Button(label="I did that, retry now", action="member-refresh", args=(user_id,), style=Style.MAIN)
        case Cause.EXEMPT:
            fix = (Button(label="Look after them again", action="member-lift", args=(user_id,), style=Style.MAIN),)
        case Cause.ABSENT:
            fix = (Button(label="Send the mail again", action="member-resend", args=(user_id,), style=Style.MAIN),)
        case _:
            pass
    if why.dossier.is_empty:
        fix = (Button(label="Give a plan", action="member-grant-form", args=(user_id,)),)
    return (
        *fix,
        refresh,
        Button(label="Timeline", action="member-history", args=(user_id, 0, 0)),
        Button(label="Card", action="member-card", args=(user_id,)),
    )
