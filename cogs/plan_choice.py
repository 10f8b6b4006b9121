"""The option that names a plan of the server where archived ones count, too: reports and exports look back."""

from __future__ import annotations

import discord

from cogs.requests import Request
from cogs.suggestions import Choices, choices
from cogs.words import code_text
from membership.errors import UserError
from membership.model import PlanId


async def every_plan(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest the server's plans, archived ones last."""
    request = Request.of(interaction)
    async with request.services.store.read() as tx:
        found = await tx.plans.all(request.guild_id)
    named = [(f"{plan.name}{' (archived)' if plan.is_archived else ''}", str(plan.id)) for plan in found]
    return choices(sorted(named, key=lambda each: each[0].endswith("(archived)")), typed)


async def chosen_plan(request: Request, typed: str) -> PlanId | None:
    """Return the plan that was picked or whose name was typed, None when nothing was. Raises UserError."""
    wanted = typed.strip().casefold()
    if not wanted:
        return None
    async with request.services.store.read() as tx:
        found = await tx.plans.all(request.guild_id)
    for plan in found:
        if wanted in (str(plan.id), plan.name.casefold()):
            return plan.id
    raise UserError(f"There is no plan “{code_text(typed)}” in this server. Choose one from the list.")
