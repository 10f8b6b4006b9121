"""Plans as staff see them: the list, one in full, and questions about archiving, kicks and earlier holders. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from cogs.cards import Button, Buttons, Card, Divider, Line, Row, Style, Text, Tone
from cogs.plan_words import STATES, days_text, people_text, roles_text, rule_lines
from cogs.role_words import RoleRefusal
from cogs.words import code_text, date
from membership.adoption import NOTICE_DAYS, Adopted, Holders
from membership.desk import AdoptionPolicy
from membership.model import GrantState, OnEnd, Plan, RoleId
from membership.plan_effects import Fate
from membership.preview import Applied
from membership.role_again import MadeAgain

MOST_LISTED = 25
_HOLDERS_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """A plan with what is true of it now. `products` are labels; `troubles` are what needs attention, in words.

    `members` counts those who have access, `counts` all grants by their state. `gone`: its roles that were deleted.
    """

    plan: Plan
    products: tuple[str, ...]
    counts: Mapping[GrantState, int]
    members: int
    troubles: tuple[str, ...]
    gone: tuple[RoleId, ...] = ()


def list_card(plans: Sequence[PlanFacts]) -> Card:
    """Show all plans, those on sale first."""
    new = Buttons((Button(label="New plan", action="plan-new", style=Style.MAIN),))
    if not plans:
        return Card(title="Plans", lines=(Text("No plan yet. A plan says which roles a purchase gives."), new))
    ordered = sorted(plans, key=lambda facts: (facts.plan.is_archived, facts.plan.name.casefold()))
    rows: list[Line] = [
        Row(_in_short(facts), Button(label="Show", action="plan-show", args=(facts.plan.id,)))
        for facts in ordered[:MOST_LISTED]
    ]
    return Card(title="Plans", lines=(*rows, new))


def show_card(facts: PlanFacts) -> Card:
    """Show one plan in full."""
    plan = facts.plan
    states = [f"{number:,} {STATES[state]}" for state, number in sorted(facts.counts.items()) if number]
    roles = roles_text(plan.roles, plan.name) or "none: membership of the server alone"
    lines: list[Line] = [
        Text(f"**Roles:** {roles}"),
        Text("**Unlocked by:** " + ("; ".join(map(code_text, facts.products)) or "nothing yet")),
        Text("**Purchases:** " + (" · ".join(states) or "none yet")),
        Text("\n".join(f"**{name}:** {text}" for name, text in rule_lines(plan))),
        Divider(),
        Text("\n".join(f"⚠️ {trouble}" for trouble in facts.troubles) or "✅ Roles and products are fine."),
    ]
    buttons = [
        Button(label="Edit", action="plan-edit", args=(plan.id,)),
        Button(label="Preview", action="plan-preview", args=(plan.id,)),
    ]
    if facts.gone:
        again = Button(label="Make it again", action="role-again", args=(plan.id, facts.gone[0]), style=Style.MAIN)
        buttons.insert(0, again)
    if plan.is_archived:
        buttons.append(Button(label="Restore", action="plan-restore", args=(plan.id,), style=Style.GOOD))
    else:
        buttons.append(Button(label="Archive", action="plan-archive", args=(plan.id,)))
    tone = Tone.WARN if facts.troubles else Tone.QUIET if plan.is_archived else Tone.GOOD
    mark = " (archived)" if plan.is_archived else ""
    return Card(title=f"{code_text(plan.name)}{mark}", lines=(*lines, Buttons(tuple(buttons))), tone=tone)


def archive_card(facts: PlanFacts) -> Card:
    """Ask what becomes of the present members of a plan that is archived."""
    plan, comps = facts.plan, "Grants that staff gave stay in both cases; end them with /member revoke."
    text = f"Nobody new gets **{code_text(plan.name)}**. {people_text(facts.members)} have it now. What about them?"
    lines = (
        Text(text),
        Row(
            "**Keep it until their purchase ends.** Nobody loses anything today; renewals keep it, too.",
            Button(label="Keep", action="plan-archive-keep", args=(plan.id,), style=Style.MAIN),
        ),
        Row(
            "**Take it away now.** You see the list first. Payments go on: end them at the payment provider.",
            Button(label="Take away…", action="plan-archive-end", args=(plan.id,), style=Style.SHARP),
        ),
        Text(f"-# {comps}"),
    )
    return Card(title=f"Archive {code_text(plan.name)}", lines=lines, tone=Tone.WARN)


def refused_card(refusal: RoleRefusal) -> Card:
    """Say why a role cannot be sold, and the one fix."""
    lines = (Text(f"**{refusal.cause}**"), Text(refusal.fix), Text("-# Nothing was changed."))
    return Card(title="This role does not work", lines=lines, tone=Tone.BAD)


def kick_card(plan: Plan, invite_url: str) -> Card:
    """Say that kicking needs a permission, and where to give it."""
    lines = (
        Text(f"Kicking members who no longer pay for **{code_text(plan.name)}** needs the permission *Kick Members*."),
        Text("Until I have it, the plan stays on “remove role”. Kicks cannot be undone."),
        Buttons((Button(label="Add permission", url=invite_url),)),
        Text("-# Nothing was changed."),
    )
    return Card(title="I am not allowed to kick", lines=lines, tone=Tone.WARN)


def applied_card(applied: Applied, undecided: Sequence[Holders] = ()) -> Card:
    """Say what was applied, offer to take it back, and ask about those who had its roles before."""
    plan, tally = applied.plan, applied.tally
    number = people_text(tally.touched)
    what = f"{number} are being changed now." if tally.touched else "Nobody had to be changed."
    lines: list[Line] = [Text(f"**{code_text(plan.name)}** is saved. {what}")]
    if tally.number(Fate.LOSE) or tally.number(Fate.MOVE):
        again = "Each payment is read again first. What is not done within 30 minutes asks once more at the brake."
        lines.append(Text(f"-# Removals go through because you saw the list. {again}"))
    lines += [
        Row(
            f"⚠️ {people_text(len(holders.user_ids))} have <@&{holders.role_id}> from before, without a purchase. "
            "Until you decide, they are left alone.",
            Button(label="Decide", action="adopt-ask", args=(holders.role_id,)),
        )
        for holders in undecided
    ]
    kicks = " Kicks cannot be undone." if plan.on_end is OnEnd.KICK else ""
    lines.append(Text(f"-# It can be undone for seven days.{kicks}"))
    buttons = (
        Button(label="Undo", action="undo", args=(applied.change_id,)),
        Button(label="Show plan", action="plan-show", args=(plan.id,)),
    )
    return Card(title="Saved", lines=(*lines, Buttons(buttons)), tone=Tone.GOOD)


def made_again_card(made: MadeAgain) -> Card:
    """Say that a deleted role is there again, and who gets it."""
    names = ", ".join(f"**{code_text(plan.name)}**" for plan in made.plans)
    lines: list[Line] = [
        Text(f"I made <@&{made.role_id}> for {names}. Everybody who should have it gets it now."),
        Text("-# It has no colour and no channels yet: give it those of the old one in Server Settings → Roles."),
    ]
    shows = [Button(label="Show plan", action="plan-show", args=(plan.id,)) for plan in made.plans[:1]]
    # More than one change is taken back one by one, in /doorlist undo.
    undo = [Button(label="Undo", action="undo", args=made.change_ids)] if len(made.change_ids) == 1 else []
    return Card(title="The role is there again", lines=(*lines, Buttons((*undo, *shows))), tone=Tone.GOOD)


# ------------------------------------------------------------------------------------------------------ earlier holders


def adopt_card(holders: Holders) -> Card:
    """Ask what becomes of people who have a role without a purchase."""
    role, number = f"<@&{holders.role_id}>", len(holders.user_ids)
    if not number:
        return Card(lines=(Text(f"Everybody who has {role} has it from a plan. There is nothing to decide."),))
    args = (holders.role_id, holders.set_hash)
    named = " ".join(f"<@{user}>" for user in holders.user_ids[:_HOLDERS_NAMED])
    more = f" and {number - _HOLDERS_NAMED:,} more" if number > _HOLDERS_NAMED else ""
    lines = (
        Text(f"{people_text(number)} have {role} without a purchase: {named}{more}"),
        Row(
            "**Leave them alone.** They keep the role, and I never touch it.",
            Button(label="Leave alone", action="adopt-decide", args=(AdoptionPolicy.LEAVE, *args), style=Style.MAIN),
        ),
        Row(
            "**Give it to them for free.** A grant without end for each; staff can revoke it like any other.",
            Button(label=f"Give to {number:,}", action="adopt-decide", args=(AdoptionPolicy.GRANDFATHER, *args)),
        ),
        Row(
            f"**Remove after {days_text(NOTICE_DAYS)} of notice.** I write to them now (to 100 at most: Discord stops "
            "bots that write to many). Then the removals wait for your word at /doorlist brake.",
            Button(
                label=f"Give notice to {number:,}",
                action="adopt-decide",
                args=(AdoptionPolicy.REMOVE, *args),
                style=Style.SHARP,
            ),
        ),
    )
    return Card(title="People who already have the role", lines=lines, tone=Tone.WARN)


def adopted_card(adopted: Adopted) -> Card:
    """Say what was decided, and offer to take it back."""
    adoption = adopted.adoption
    role, number = f"<@&{adoption.role_id}>", people_text(adopted.people)
    policy = adoption.policy
    match policy:
        case AdoptionPolicy.LEAVE:
            text = f"Whoever has {role} without a purchase is left alone."
        case AdoptionPolicy.GRANDFATHER:
            text = f"{number} get {role} for free, without end."
        case AdoptionPolicy.REMOVE:
            until = "" if adoption.notice_until is None else date(adoption.notice_until)
            text = f"{number} are told now. From {until} on the removals wait at /doorlist brake."
        case _:
            assert_never(policy)
    undo = Buttons((Button(label="Undo", action="undo", args=(adopted.change_id,)),))
    return Card(title="Decided", lines=(Text(text), undo), tone=Tone.GOOD)


def _in_short(facts: PlanFacts) -> str:
    plan = facts.plan
    mark = " · archived" if plan.is_archived else ""
    sold = ", ".join(map(code_text, facts.products[:2])) or "no product yet"
    more = f" and {len(facts.products) - 2} more" if len(facts.products) > 2 else ""
    trouble = "\n⚠️ needs attention" if facts.troubles else ""
    roles = roles_text(plan.roles, plan.name) or "server membership"
    return f"**{code_text(plan.name)}**{mark} → {roles}\n{sold}{more} · {people_text(facts.members)}{trouble}"
