"""What `/member` answers after staff did something: what was done, what it means, and the way back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cogs.cards import Button, Buttons, Card, Line, Style, Text, Tone
from cogs.member_words import answer_text, grant_title, payer_text, reference, source_text, state_line
from cogs.words import code_text, date
from membership.actors import Actor
from membership.comps import Done
from membership.dossier import Dossier
from membership.model import ChangeId, OnEnd, UserId
from membership.policy import Policy
from membership.refreshing import Refreshed
from membership.resending import Resent, Sending
from membership.shown import ShownGrant
from membership.staff_links import Tied

_SELF = "⚠️ That is your own account. It is allowed, and the record says so: the owner is told."
_SENDINGS = {
    Sending.QUEUED: "{way} is on its way",
    Sending.QUEUED_BEFORE: "{way} was sent less than an hour ago already, so not again",
    Sending.NO_MAIL_SERVER: "no mail: whoever runs Doorlist has not set up a mail server",
    Sending.NO_ADDRESS: "no mail: the payment provider told no e-mail",
    Sending.ADDRESS_REFUSED: "no mail: this address bounces. They have to correct it at the payment provider",
    Sending.NOT_LINKED: "no direct message: no Discord account is connected yet",
    Sending.NOT_DELIVERED: "no direct message: nothing was delivered yet that it could tell of",
    Sending.TURNED_OFF: "no direct message: they, or this server, turned those off",
}


def given_card(act: Done, dossier: Dossier, actor: Actor, *, days: int = 0) -> Card:
    """Say what was given or extended, and how far it has come."""
    user_id = dossier.key.user_id
    until = "for ever" if act.until is None else f"until {date(act.until)}"
    plan = code_text(act.plan.name)
    what = (
        f"<@{user_id}> has **{plan}** {until}, {days} free days more."
        if days
        else f"**{plan}** for <@{user_id}> {until}."
    )
    lines = [what, *_now(dossier, act), *([_SELF] if user_id == actor.user_id else [])]
    return _done("Extended" if days else "Given", lines, act.change_id, user_id)


def confirm_card(grant: ShownGrant, dossier: Dossier, actor: Actor, preview_id: str, *, handle: str = "") -> Card:
    """Ask once more before access ends now."""
    payer = dossier.payers.get(grant.purchase.customer_id)
    user_id = dossier.key.user_id
    name = code_text(grant.plan.name)
    lines: list[Line] = [
        Text(f"<@{user_id}> loses {grant_title(grant)} at once: {_loses(grant)}."),
        Text(f"{state_line(grant)} — {source_text(grant, payer, actor)}"),
        *[Text(line) for line in _still_pays(grant, dossier, actor)],
    ]
    take = Button(
        label=f"Take {grant.plan.name} from {handle or 'them'} now",
        action="member-revoke-now",
        args=(preview_id,),
        style=Style.SHARP,
    )
    keep = Button(label="Keep it", action="member-card", args=(user_id,))
    lines.append(Buttons((take, keep)))
    return Card(title=f"Take {name} now?", lines=tuple(lines), tone=Tone.WARN)


def revoked_card(act: Done, dossier: Dossier, actor: Actor, *, is_now: bool) -> Card:
    """Say what was revoked, whether the roles are gone, and that the customer may still pay."""
    user_id = dossier.key.user_id
    when = "now" if is_now or act.until is None else date(act.until)
    lines = [f"**{code_text(act.plan.name)}** of <@{user_id}> ends {when}.", *_now(dossier, act)]
    grant = dossier.grant(act.grant.id)
    if grant is not None:
        lines += _still_pays(grant, dossier, actor)
    if is_now and act.plan.on_end is OnEnd.KICK:
        lines.append("Undo gives the roles back, but a kick that happened stays.")
    return _done("Revoked", lines, act.change_id, user_id)


def tied_card(tied: Sequence[Tied], policy: Policy, actor: Actor) -> Card:
    """Say who has which purchases now, and who had them before."""
    lines: list[Line] = []
    buttons: list[Button] = []
    for each in tied:
        lines.append(Text("\n".join(_tied_lines(each, policy, actor))))
        label = "Undo" if len(tied) == 1 else f"Undo {len(buttons) + 1}"
        buttons.append(Button(label=label, action="undo", args=(each.change_id,)))
    after = tied[0].after
    if after == actor.user_id:
        lines.append(Text(_SELF))
    user_id = after or tied[0].before
    buttons.append(Button(label="Card", action="member-card", args=(user_id,)))
    lines.append(Buttons(tuple(buttons)))
    is_move = after is not None and tied[0].before is not None
    title = "Disconnected" if after is None else "Moved" if is_move else "Connected"
    return Card(title=title, lines=tuple(lines), tone=Tone.GOOD)


def refreshed_card(done: Refreshed, actor: Actor) -> Card:
    """Say what a fresh look changed."""
    user_id = done.after.key.user_id
    lines = [f"<@{user_id}>: {_count(done.read, 'purchase')} read again at the payment provider."]
    for purchase_id, why in done.unread.items():
        external_id = next(each.purchase.external_id for each in done.after.grants if each.purchase.id == purchase_id)
        lines.append(
            f"⚠️ {reference(external_id, actor)} could not be read: {answer_text(why)}. Nothing ends because of it"
        )
    lines += [f"✅ <@&{role}> given" for role in sorted(done.gained)]
    lines += [f"⚪ <@&{role}> taken" for role in sorted(done.lost)]
    lines += list(_differences(done))
    if len(lines) == 1 and done.job is None:
        lines.append("Everything was as it should be: nothing changed.")
    if done.job is not None:
        why = "it still runs" if done.job.is_running else answer_text(done.job.last_error)
        lines.append(f"… Not finished: {why}. `/member why` tells more")
    if done.after.is_empty:
        lines = [f"Nothing is known about <@{user_id}> here, so there was nothing to read."]
    buttons = (
        Button(label="Why", action="member-why", args=(user_id,)),
        Button(label="Card", action="member-card", args=(user_id,)),
    )
    return Card(title="Refreshed", lines=(Text("\n".join(lines)), Buttons(buttons)), tone=Tone.GOOD)


def resent_card(sent: Sequence[Resent], actor: Actor) -> Card:
    """Say what was queued for whom."""
    lines: list[Line] = []
    for each in sent:
        plans = ", ".join(code_text(plan) for plan in each.plans)
        ways = [("The mail", each.mail), ("The direct message", each.dm)]
        said = [_SENDINGS[sending].format(way=way) for way, sending in ways if sending is not None]
        lines.append(Text(f"{payer_text(each.customer, actor)} · {plans}\n" + "\n".join(f"• {one}" for one in said)))
    return Card(title="Delivery message", lines=tuple(lines))


def exempt_card(change_id: ChangeId, dossier: Dossier, actor: Actor) -> Card:
    """Say whether somebody is left alone now."""
    user_id, exemption = dossier.key.user_id, dossier.exemption
    if exemption is None:
        lines = [f"<@{user_id}> is looked after again: what they paid for decides about their roles."]
        return _done("Looked after again", lines, change_id, user_id)
    until = "until staff say otherwise" if exemption.until is None else f"until {date(exemption.until)}"
    lines = [f"The roles of <@{user_id}> are never touched {until}: nothing is given and nothing taken."]
    if user_id == actor.user_id:
        lines.append(_SELF)
    return _done("Left alone", lines, change_id, user_id)


def _done(title: str, lines: Sequence[str], change_id: ChangeId, user_id: UserId) -> Card:
    undo = Button(label="Undo", action="undo", args=(change_id,))
    card = Button(label="Card", action="member-card", args=(user_id,))
    return Card(title=title, lines=(Text("\n".join(lines)), Buttons((undo, card))), tone=Tone.GOOD)


def _now(dossier: Dossier, act: Done) -> list[str]:
    """Say how far an act has come: it is settled only once Discord has confirmed it."""
    grant = dossier.grant(act.grant.id)
    return [] if grant is None else [f"Now: {state_line(grant)}"]


def _loses(grant: ShownGrant) -> str:
    roles = " ".join(f"<@&{role}>" for role in sorted(grant.roles or grant.plan.roles))
    match grant.plan.on_end:
        case OnEnd.NOTHING:
            return "by the plan's rule the roles stay"
        case OnEnd.KICK:
            return f"{roles} now, and they are kicked a day later unless something else speaks for them"
        case OnEnd.REMOVE_ALL_ROLES:
            return "all their roles"
        case OnEnd.REMOVE_ROLES:
            return f"{roles}, unless something else gives them" if roles else "their membership of the server"


def _still_pays(grant: ShownGrant, dossier: Dossier, actor: Actor) -> list[str]:
    payer = dossier.payers.get(grant.purchase.customer_id)
    if payer is None or not grant.is_paid or grant.purchase.period_ends_at is None or grant.purchase.ends_at:
        return []
    return [
        f"⚠️ The customer still pays: this does not cancel anything at {payer.account.provider.capitalize()}. "
        f"Cancel {reference(grant.purchase.external_id, actor)} there, or ask them to."
    ]


def _tied_lines(tied: Tied, policy: Policy, actor: Actor) -> Iterator[str]:
    is_gift = tied.customer.external_id.startswith("user:")
    who = "What staff gave" if is_gift else payer_text(tied.customer, actor)
    if tied.after is None:
        waiting = "." if is_gift else ": what they paid for waits for another account."
        yield f"{who} is no longer connected to <@{tied.before}>{waiting}"
        return
    yield f"{who} is connected to <@{tied.after}>; the roles follow within seconds."
    if tied.before is not None:
        yield f"<@{tied.before}> had it and loses the roles in the same pass."
        yield (
            f"-# Moved {_count(tied.moves, 'time')} in 30 days. Customers themselves may do that "
            f"{_count(policy.moves_per_30_days, 'time')}; staff are not bound by it."
        )


def _differences(done: Refreshed) -> Iterator[str]:
    """Say which grants read differently now."""
    before = {grant.grant.id: state_line(grant) for grant in done.before.grants}
    for grant in done.after.grants:
        was, now = before.get(grant.grant.id), state_line(grant)
        if was is None:
            yield f"{grant_title(grant)}: {now}"
        elif was != now:
            yield f"{grant_title(grant)}: {was} → {now}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
