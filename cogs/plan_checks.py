"""Decide whether these roles may be sold, whether a plan may kick, and whether this person may give it away.

Asked when a plan is previewed, again when it is applied, and whenever somebody gives a plan for free.
"""

from __future__ import annotations

from cogs.cards import Card
from cogs.plan_cards import kick_card, refused_card
from cogs.plan_reading import bot_role
from cogs.requests import Request
from cogs.role_words import RoleRefusal, danger_warning, role_refusal
from cogs.roles import is_above_person
from cogs.words import code_text
from membership.errors import UserError
from membership.model import OnEnd, Plan, RoleId
from membership.plan_effects import NEW_ROLE

INVITE_WITH_KICK = 268487683
KICK = "kick_members"


def refusal(request: Request, plan: Plan, before: Plan | None) -> Card | None:
    """Return the card that says why a plan cannot be like this, None when it can. Roles it had before may stay."""
    discord, guild_id = request.services.discord, request.guild_id
    roles = discord.roles(guild_id)
    for role_id in sorted(_new_roles(plan, before)):
        if role_id not in roles:
            return refused_card(RoleRefusal("There is no such role in this server.", "Choose another role."))
        is_above = is_above_person(request.interaction.user, role_id)
        found = role_refusal(roles[role_id], bot_role(request), is_above_person=is_above)
        if found is not None:
            return refused_card(found)
    starts_to_kick = _kicks(plan) and (before is None or not _kicks(before))
    if starts_to_kick and KICK not in discord.permissions(guild_id):
        return kick_card(plan, _invite_url(request))
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


def _kicks(plan: Plan) -> bool:
    return OnEnd.KICK in (plan.on_end, plan.on_refund)


def _invite_url(request: Request) -> str:
    return (
        f"https://discord.com/oauth2/authorize?client_id={request.interaction.application_id}"
        f"&permissions={INVITE_WITH_KICK}&scope=bot+applications.commands&guild_id={request.guild_id}"
    )
