"""`/plan`: make, change, preview, test and archive plans. Every change is shown before it is made (plan_previews)."""

from __future__ import annotations

from dataclasses import replace

import discord
from discord import app_commands
from discord.ext import commands

from cogs import plan_checks, plan_forms, plan_reading, plan_trial, suggestions
from cogs.frame import Frame
from cogs.plan_cards import archive_card, list_card, show_card
from cogs.plan_previews import PlanPreviews
from cogs.plan_products import find
from cogs.plan_rules import Clear, RulesWish, late_lines, with_rules
from cogs.plan_words import changed_lines
from cogs.requests import Request
from cogs.rights import Right, permissions_of
from membership.errors import UserError
from membership.model import OnEnd, OnPastDue, Plan, RoleId
from membership.plan_effects import NEW_PLAN, NEW_ROLE

MOST_LATE = 1000
_SAME_AS_CANCEL = app_commands.Choice(name="same as cancel", value="same")
_ENDS = [
    app_commands.Choice(name="remove role", value=OnEnd.REMOVE_ROLES.value),
    app_commands.Choice(name="keep everything", value=OnEnd.NOTHING.value),
    app_commands.Choice(name="kick", value=OnEnd.KICK.value),
    app_commands.Choice(name="remove all roles", value=OnEnd.REMOVE_ALL_ROLES.value),
]
_LATE = [
    app_commands.Choice(name="keep the role", value=OnPastDue.KEEP.value),
    app_commands.Choice(name="keep it and add the past-due role", value=OnPastDue.KEEP_AND_ROLE.value),
    app_commands.Choice(name="swap it for the past-due role", value=OnPastDue.SWAP.value),
    app_commands.Choice(name="remove it at once", value=OnPastDue.REMOVE.value),
]
_CLEAR = [
    app_commands.Choice(name="the past-due role", value=Clear.PAST_DUE_ROLE.value),
    app_commands.Choice(name="the trial role", value=Clear.TRIAL_ROLE.value),
    app_commands.Choice(name="the duration of one-time purchases", value=Clear.DURATION.value),
]


async def products(interaction: discord.Interaction, typed: str) -> suggestions.Choices:
    """Suggest what the server may sell; what a plan sells already comes last."""
    request = Request.of(interaction)
    found = await plan_reading.offered(request.services, request.guild_id)
    return suggestions.choices([(ware.label, ware.key) for ware in found], typed)


async def plans(interaction: discord.Interaction, typed: str) -> suggestions.Choices:
    """Suggest the server's plans that are not archived, with a mark on those that need attention."""
    request = Request.of(interaction)
    return suggestions.choices(await plan_reading.labels(request), typed)


@app_commands.default_permissions(permissions_of(Right.MANAGER))
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class PlanCommands(commands.GroupCog, group_name="plan", group_description="What people buy, and what it gives them"):
    """The commands, and what can be pressed on their cards."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        self._previews = PlanPreviews(frame)
        frame.on("plan-new", self._new)
        frame.on("plan-show", lambda request: self._show(request, request.args[0]))
        frame.on("plan-edit", lambda request: self._edit(request, request.args[0]))
        frame.on("plan-form", self._filled)
        frame.on("plan-preview", lambda request: self._preview(request, request.args[0]))
        frame.on("plan-archive", lambda request: self._archive(request, request.args[0]))
        frame.on("plan-archive-keep", self._archive_keep)
        frame.on("plan-archive-end", self._archive_end)
        frame.on("plan-restore", lambda request: self._restore(request, request.args[0]))

    # ---------------------------------------------------------------------------------------------------- commands

    @app_commands.command(name="list", description="All plans with roles, price, members and health")
    async def list_all(self, interaction: discord.Interaction) -> None:
        """Show all plans."""
        request = Request.of(interaction)
        await request.show(list_card(await plan_reading.all_facts(request)))

    @app_commands.command(name="show", description="One plan in full")
    @app_commands.describe(plan="Which plan")
    @app_commands.autocomplete(plan=plans)
    async def show(self, interaction: discord.Interaction, plan: str) -> None:
        """Show one plan."""
        await self._show(Request.of(interaction), plan)

    @app_commands.command(name="create", description="New plan. I can create the role for you")
    @app_commands.describe(
        name="What members see",
        product="What they buy",
        role="What they get. Leave empty: I make a role named like the plan",
    )
    @app_commands.autocomplete(product=products)
    async def create(
        self, interaction: discord.Interaction, name: str, product: str = "", role: discord.Role | None = None
    ) -> None:
        """Ask for what is missing, or go straight to the preview."""
        request = Request.of(interaction)
        plan = plan_forms.blank(request.guild_id, " ".join(name.split()))
        offered = await plan_reading.offered(request.services, request.guild_id)
        if not product and role is None:
            await request.ask(plan_forms.form(plan, offered))
            return
        await request.think()
        sold = (find(offered, product).product,) if product else ()
        roles = (NEW_ROLE if role is None else RoleId(role.id),)
        await self._check_and_preview(request, replace(plan, products=sold, roles=roles), None)

    @app_commands.command(name="edit", description="Change name, products or roles in a form")
    @app_commands.describe(plan="Which plan")
    @app_commands.autocomplete(plan=plans)
    async def edit(self, interaction: discord.Interaction, plan: str) -> None:
        """Open the form."""
        await self._edit(Request.of(interaction), plan)

    @app_commands.command(name="rules", description="What happens on cancel, refund, dispute, past due, trial")
    @app_commands.describe(
        plan="Which plan",
        on_cancel="When the purchase ends",
        on_refund="After a full refund or a lost dispute",
        past_due="While a failed payment is in grace",
        grace_days="How long a failed payment changes nothing",
        past_due_role="The role for late payers",
        trial_role="Given during a trial in place of the plan's roles",
        paused_keeps="Whether a paused subscription keeps access",
        lasts_days="How long a one-time purchase lasts; buying again adds to it",
        clear="Take something out of the rules",
    )
    @app_commands.autocomplete(plan=plans)
    @app_commands.choices(on_cancel=_ENDS, on_refund=[_SAME_AS_CANCEL, *_ENDS], past_due=_LATE, clear=_CLEAR)
    async def rules(  # noqa: PLR0913 - each option is a parameter to discord.py
        self,
        interaction: discord.Interaction,
        plan: str,
        *,
        on_cancel: str = "",
        on_refund: str = "",
        past_due: str = "",
        grace_days: app_commands.Range[int, 0, 365] | None = None,
        past_due_role: discord.Role | None = None,
        trial_role: discord.Role | None = None,
        paused_keeps: bool | None = None,
        lasts_days: app_commands.Range[int, 1, 3660] | None = None,
        clear: str = "",
    ) -> None:
        """Show the rules, or preview what changes with them."""
        wish = RulesWish(
            on_cancel=on_cancel,
            on_refund=on_refund,
            past_due=past_due,
            clear=clear,
            grace_days=grace_days,
            duration_days=lasts_days,
            past_due_role_id=None if past_due_role is None else RoleId(past_due_role.id),
            trial_role_id=None if trial_role is None else RoleId(trial_role.id),
            paused_grants=paused_keeps,
        )
        await self._change_rules(Request.of(interaction), plan, wish)

    @app_commands.command(name="preview", description="Show what would change if this plan were applied now")
    @app_commands.describe(plan="Which plan")
    @app_commands.autocomplete(plan=plans)
    async def preview(self, interaction: discord.Interaction, plan: str) -> None:
        """Preview a plan as it is."""
        await self._preview(Request.of(interaction), plan)

    @app_commands.command(name="test", description="Play a purchase of this plan on yourself, without money")
    @app_commands.describe(plan="Which plan")
    @app_commands.autocomplete(plan=plans)
    async def test(self, interaction: discord.Interaction, plan: str) -> None:
        """Give the plan to whoever asks, for five minutes."""
        request = Request.of(interaction)
        found = await plan_reading.plan_named(request.services, request.guild_id, plan)
        await plan_trial.play(request, await plan_reading.facts_of(request, found.id))

    @app_commands.command(name="archive", description="Stop selling it. Current members keep it until it ends")
    @app_commands.describe(plan="Which plan")
    @app_commands.autocomplete(plan=plans)
    async def archive(self, interaction: discord.Interaction, plan: str) -> None:
        """Ask what becomes of the present members."""
        await self._archive(Request.of(interaction), plan)

    @app_commands.command(name="restore", description="Sell an archived plan again")
    @app_commands.describe(plan="Which plan")
    @app_commands.autocomplete(plan=suggestions.archived_plans)
    async def restore(self, interaction: discord.Interaction, plan: str) -> None:
        """Preview the plan on sale again."""
        await self._restore(Request.of(interaction), plan)

    # ---------------------------------------------------------------------------------------------------- handlers

    async def _new(self, request: Request) -> None:
        offered = await plan_reading.offered(request.services, request.guild_id)
        await request.ask(plan_forms.form(plan_forms.blank(request.guild_id), offered))

    async def _show(self, request: Request, text: str) -> None:
        plan = await plan_reading.plan_named(request.services, request.guild_id, text)
        await request.show(show_card(await plan_reading.facts_of(request, plan.id)))

    async def _edit(self, request: Request, text: str) -> None:
        plan = await plan_reading.plan_named(request.services, request.guild_id, text)
        offered = await plan_reading.offered(request.services, request.guild_id)
        await request.ask(plan_forms.form(plan, offered))

    async def _filled(self, request: Request) -> None:
        """Take a sent form: of a new plan (id 0) or of one of this server's."""
        before: Plan | None = None
        if request.args[0] != str(NEW_PLAN):
            before = await plan_reading.plan_named(request.services, request.guild_id, request.args[0])
        offered = await plan_reading.offered(request.services, request.guild_id)
        plan = plan_forms.filled(before or plan_forms.blank(request.guild_id), request.fields, offered)
        await self._check_and_preview(request, plan, before)

    async def _change_rules(self, request: Request, text: str, wish: RulesWish) -> None:
        before = await plan_reading.plan_named(request.services, request.guild_id, text)
        if wish.is_empty:
            await self._show(request, text)
            return
        plan = with_rules(before, wish)
        if not changed_lines(before, plan):
            await request.say("These are its rules already. Nothing was changed.")
            return
        async with request.services.store.read() as tx:
            late = await tx.crowds.past_due(before.id, MOST_LATE)
        await self._check_and_preview(
            request, plan, before, lines=late_lines(before, plan, late, request.services.clock.now())
        )

    async def _preview(self, request: Request, text: str) -> None:
        plan = await plan_reading.plan_named(request.services, request.guild_id, text)
        await self._previews.show(request, plan)

    async def _archive(self, request: Request, text: str) -> None:
        plan = await plan_reading.plan_named(request.services, request.guild_id, text)
        if plan.is_archived:
            raise UserError(f"{plan.name} is archived already. /plan restore sells it again.")
        await request.show(archive_card(await plan_reading.facts_of(request, plan.id)))

    async def _archive_keep(self, request: Request) -> None:
        plan = await plan_reading.plan_named(request.services, request.guild_id, request.args[0])
        await self._previews.show(request, replace(plan, is_archived=True))

    async def _archive_end(self, request: Request) -> None:
        """Preview an archive that ends everybody's access: what unlocks the plan is taken out of it."""
        plan = await plan_reading.plan_named(request.services, request.guild_id, request.args[0])
        note = "To sell it again later, choose its products with /plan edit."
        await self._previews.show(request, replace(plan, is_archived=True, products=()), lines=(note,))

    async def _restore(self, request: Request, text: str) -> None:
        plan = await plan_reading.plan_named(request.services, request.guild_id, text)
        if not plan.is_archived:
            raise UserError(f"{plan.name} is on sale already.")
        await self._check_and_preview(request, replace(plan, is_archived=False), plan)

    async def _check_and_preview(
        self, request: Request, plan: Plan, before: Plan | None, *, lines: list[str] | None = None
    ) -> None:
        """Refuse what cannot be sold, with its one cause and one fix; preview the rest."""
        refused = await plan_checks.refusal(request, plan, before)
        if refused is not None:
            await request.show(refused)
        else:
            await self._previews.show(request, plan, lines=lines or ())
