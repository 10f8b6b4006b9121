"""Whether a plan may be saved, as a card: what membership.plan_checks says, and which power it would sell.

Asked when a plan is previewed, and again when it is applied.
"""

from __future__ import annotations

from cogs.cards import Card
from cogs.plan_cards import kick_card, refused_card
from cogs.requests import Request
from cogs.role_words import RoleRefusal, danger_warning
from cogs.words import code_text
from membership import plan_checks
from membership.checks import Result
from membership.model import Plan, RoleId
from membership.plan_effects import NEW_ROLE

INVITE_WITH_KICK = 268487683


async def refusal(request: Request, plan: Plan, before: Plan | None) -> Card | None:
    """Return the card that says why a plan cannot be like this, None when it can. What it had before may stay."""
    results = await plan_checks.check_plan(request.services, plan, before, actor=request.actor)
    found = plan_checks.failures(results)
    return _card(request, plan, found[0]) if found else None


def danger(request: Request, plan: Plan, before: Plan | None) -> str:
    """Say what power the roles would sell that are new in a plan, "" for none."""
    roles = request.services.discord.roles(request.guild_id)
    warnings = (danger_warning(roles[role_id]) for role_id in sorted(_new_roles(plan, before)) if role_id in roles)
    return " ".join(warning for warning in warnings if warning)


def _new_roles(plan: Plan, before: Plan | None) -> frozenset[RoleId]:
    """Return the roles that nobody got from this plan until now: all, where it comes back on sale."""
    is_new = before is None or (before.is_archived and not plan.is_archived)
    known = frozenset[RoleId]() if before is None or is_new else before.all_roles
    return plan.all_roles - known - {NEW_ROLE}


def _card(request: Request, plan: Plan, failure: Result) -> Card:
    if failure.what == plan_checks.KICK_MEMBERS:
        return kick_card(plan, _invite_url(request))
    return refused_card(RoleRefusal(f"{code_text(failure.what)}: {code_text(failure.cause)}", failure.fix))


def _invite_url(request: Request) -> str:
    return (
        f"https://discord.com/oauth2/authorize?client_id={request.interaction.application_id}"
        f"&permissions={INVITE_WITH_KICK}&scope=bot+applications.commands&guild_id={request.guild_id}"
    )
