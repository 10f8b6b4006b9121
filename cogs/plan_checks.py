"""Whether a plan may be saved by this very person: what membership.plan_checks says, and what is above themselves.

Asked when a plan is previewed, again when it is applied, and whenever somebody gives a plan for free.
"""

from __future__ import annotations

from cogs.cards import Card
from cogs.plan_cards import kick_card, refused_card
from cogs.requests import Request
from cogs.role_words import RoleRefusal, danger_warning, role_refusal
from cogs.roles import is_above_person
from cogs.words import code_text
from membership import plan_checks
from membership.checks import Result
from membership.errors import UserError
from membership.model import Plan, RoleId
from membership.plan_effects import NEW_ROLE

INVITE_WITH_KICK = 268487683


async def refusal(request: Request, plan: Plan, before: Plan | None) -> Card | None:
    """Return the card that says why a plan cannot be like this, None when it can. What it had before may stay."""
    found = plan_checks.failures(await plan_checks.check_plan(request.services, plan, before))
    if found:
        return _card(request, plan, found[0])
    roles = request.services.discord.roles(request.guild_id)
    for role_id in sorted(_new_roles(plan, before) & roles.keys()):
        is_above = is_above_person(request.interaction.user, role_id)
        above = role_refusal(roles[role_id], "", is_above_person=is_above)
        if above is not None:
            return refused_card(above)
    return None


def danger(request: Request, plan: Plan, before: Plan | None) -> str:
    """Say what power the roles would sell that are new in a plan, "" for none."""
    roles = request.services.discord.roles(request.guild_id)
    warnings = (danger_warning(roles[role_id]) for role_id in sorted(_new_roles(plan, before)) if role_id in roles)
    return " ".join(warning for warning in warnings if warning)


def refuse_power(request: Request, plan: Plan) -> None:
    """Refuse to let people give power over others who could not give that role in Discord either. Raises UserError."""
    roles = request.services.discord.roles(request.guild_id)
    for role in (roles[role_id] for role_id in sorted(plan.all_roles & roles.keys())):
        if role.dangers and is_above_person(request.interaction.user, role.role_id):
            raise UserError(
                f"{code_text(plan.name)} gives <@&{role.role_id}>, which carries {', '.join(role.dangers)} and is "
                "above your own highest role, so it is not yours to give. Ask somebody above it."
            )


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
