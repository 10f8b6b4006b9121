"""`/sync`: run the five-minute job now, see how it stands, find what differs, decide about earlier holders."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs import plan_reading, role_holders, suggestions
from cogs.frame import Frame
from cogs.plan_cards import adopted_card
from cogs.requests import Request
from cogs.rights import Right, permissions_of
from cogs.sync_cards import adopt_ask_card, drift_card, dry_card, ran_card, status_card
from membership import adoption, drift, syncing
from membership.adoption import Wish
from membership.desk import AdoptionPolicy
from membership.forecast import forecast
from membership.model import PlanId, RoleId

ROLES_COUNTED = 10


@app_commands.default_permissions(permissions_of(Right.MANAGER))
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class SyncCommands(commands.GroupCog, group_name="sync", group_description="Compare Discord with what was paid"):
    """The commands, and what can be pressed on their cards."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        frame.on("sync-now", lambda request: _run(request, None))
        frame.on("sync-status", _status)
        frame.on("sync-retry", _retry)

    @app_commands.command(description="Run the five-minute job now")
    @app_commands.describe(dry_run="Only count what it would do", plan="Look at everybody with this plan, too")
    @app_commands.autocomplete(plan=suggestions.plans)
    async def now(self, interaction: discord.Interaction, *, dry_run: bool = False, plan: str = "") -> None:
        """Run, or count what a run would do."""
        request = Request.of(interaction)
        plan_id = await _plan(request, plan)
        if dry_run:
            await request.show(dry_card(await forecast(request.services, request.guild_id, plan_id)))
        else:
            await _run(request, plan_id)

    @app_commands.command(description="Last runs, pending retries, provider lag")
    async def status(self, interaction: discord.Interaction) -> None:
        """Show how the work stands."""
        await _status(Request.of(interaction))

    @app_commands.command(name="drift", description="Role holders without a grant, and grants without the role")
    @app_commands.describe(plan="Only this plan")
    @app_commands.autocomplete(plan=suggestions.plans)
    async def find_drift(self, interaction: discord.Interaction, plan: str = "") -> None:
        """Show what differs."""
        request = Request.of(interaction)
        found = await drift.find(request.services, request.actor, await _plan(request, plan))
        holders = {
            role_id: await role_holders.counted(request, role_id) for role_id in _countable(request, found.role_ids)
        }
        await request.show(drift_card(found, holders))

    @app_commands.command(description="Decide about people who already hold a managed role")
    @app_commands.describe(role="Which role", policy="What becomes of them")
    @app_commands.choices(
        policy=[
            app_commands.Choice(name="leave them alone", value=AdoptionPolicy.LEAVE.value),
            app_commands.Choice(name="grandfather with a free grant", value=AdoptionPolicy.GRANDFATHER.value),
            app_commands.Choice(name="remove after notice", value=AdoptionPolicy.REMOVE.value),
        ]
    )
    async def adopt(self, interaction: discord.Interaction, role: discord.Role, policy: str) -> None:
        """Leave them alone at once; for the others show first whom it touches."""
        request, role_id, chosen = Request.of(interaction), RoleId(role.id), AdoptionPolicy(policy)
        if chosen is AdoptionPolicy.LEAVE:
            wish = Wish(role_id=role_id, policy=chosen)
            await request.show(adopted_card(await adoption.adopt(request.services, request.actor, wish)))
            return
        await request.show(adopt_ask_card(await role_holders.all_of(request, role_id), chosen))


async def _run(request: Request, plan_id: PlanId | None) -> None:
    await request.show(ran_card(await syncing.run_now(request.services, request.actor, plan_id)))


async def _status(request: Request) -> None:
    await request.show(status_card(await syncing.status(request.services, request.actor)))


async def _retry(request: Request) -> None:
    """Try one job again, and show how the work stands then."""
    kind, rest = request.args
    await syncing.retry(request.services, request.actor, kind, rest)
    await _status(request)


async def _plan(request: Request, text: str) -> PlanId | None:
    if not text.strip():
        return None
    return (await plan_reading.plan_named(request.services, request.guild_id, text)).id


def _countable(request: Request, role_ids: tuple[RoleId, ...]) -> list[RoleId]:
    """Return the roles that there are, not too many: each is a walk through its holders."""
    known = request.services.discord.roles(request.guild_id)
    return [role_id for role_id in role_ids if role_id in known][:ROLES_COUNTED]
