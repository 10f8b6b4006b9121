"""`/plan test`: what a purchase would do, played on whoever asks, for five minutes and without money."""

from __future__ import annotations

from datetime import datetime, timedelta

from cogs.cards import Button, Buttons, Card, Line, Text, Tone
from cogs.plan_cards import PlanFacts
from cogs.plan_words import roles_text
from cogs.requests import Request
from cogs.words import code_text, date
from membership import comps
from membership.model import GrantState, MemberKey, OnEnd, Plan, RoleId

LASTS = timedelta(minutes=5)
PATIENCE = timedelta(seconds=8)


async def play(request: Request, facts: PlanFacts) -> None:
    """Check the plan, and give it to the person as a grant by staff that ends by itself. Raises UserError."""
    plan = facts.plan
    if plan.is_archived or not plan.roles or plan.on_end is not OnEnd.REMOVE_ROLES:
        await request.show(walk_card(facts, _why_not(plan)))
        return
    services = request.services
    until = services.clock.now() + LASTS
    since = services.signals.tick()
    terms = comps.Terms(plan_id=plan.id, until=until, reason="a test of the plan")
    act = await comps.grant(services, request.actor, request.actor.user_id, terms)
    keys = [str(key) for key in act.keys]
    await services.signals.wait(keys, since=since, patience=PATIENCE)
    async with services.store.read() as tx:
        row = await tx.members.get(MemberKey(request.guild_id, request.actor.user_id))
        grant = await tx.purchases.grant_in_guild(act.grant.id, request.guild_id)
    is_there = grant is not None and grant.state is GrantState.DELIVERED
    held = frozenset[RoleId]() if row is None else row.observed | (row.desired if is_there else frozenset())
    undo = Button(label="Take it back now", action="undo", args=(act.change_id,))
    missing = [role for role in plan.roles if role not in held]
    await request.show(played_card(facts, missing, until, undo))


def walk_card(facts: PlanFacts, why_not: str) -> Card:
    """Say what a purchase would do, without doing it."""
    lines: list[Line] = [Text(line) for line in _steps(facts)]
    lines.append(Text(f"-# I only walked through: {why_not} Nothing was changed."))
    tone = Tone.WARN if facts.troubles else Tone.GOOD
    return Card(title=f"Test of {code_text(facts.plan.name)}", lines=tuple(lines), tone=tone)


def played_card(facts: PlanFacts, missing: list[RoleId], until: datetime, undo: Button) -> Card:
    """Say what the test did, and when it ends."""
    plan = facts.plan
    lines: list[Line] = [Text(line) for line in _steps(facts)]
    roles = roles_text(plan.roles, plan.name)
    if missing:
        lines.append(Text(f"❌ You do not have {roles_text(missing, plan.name)} yet. /member why tells the reason."))
    else:
        lines.append(Text(f"✅ You have {roles} now, as a buyer would. They go by themselves {date(until)}."))
    lines.append(Text("-# No money moved. The log shows it as a grant by staff to yourself."))
    lines.append(Buttons((undo,)))
    tone = Tone.BAD if missing else Tone.GOOD
    return Card(title=f"Test of {code_text(plan.name)}", lines=tuple(lines), tone=tone)


def _steps(facts: PlanFacts) -> list[str]:
    """Return what a purchase goes through, and what would stop it."""
    sold = "; ".join(map(code_text, facts.products))
    buys = f"✅ Somebody buys: {sold}" if sold else "⬜ Nobody can buy it yet: no product unlocks it"
    troubles = [f"⚠️ {trouble}" for trouble in facts.troubles if sold or "product" not in trouble]
    return [buys, *troubles]


def _why_not(plan: Plan) -> str:
    if plan.is_archived:
        return "an archived plan is given to nobody new."
    if not plan.roles:
        return "the plan has no roles, and you are in the server already."
    if plan.on_end is OnEnd.NOTHING:
        return "its roles stay when it ends, so you would keep them."
    return "its end would kick you, or take all your roles."
