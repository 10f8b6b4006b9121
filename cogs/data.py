"""`/data`: bring members in from a file, shown first, and take them out as one. For administrators."""

from __future__ import annotations

import asyncio

import discord
from discord import app_commands
from discord.ext import commands

from cogs.data_cards import FORMATS, done_card, dry_run_card, export_card, problems_card, running_card
from cogs.frame import Frame
from cogs.plan_choice import chosen_plan, every_plan
from cogs.requests import Request
from cogs.rights import Right, permissions_of
from membership import csv_text, importing
from membership.errors import UserError
from membership.exporting import Status, export
from membership.import_formats import Format
from membership.importing import Shown
from membership.model import PlanId

DOWNLOAD_SECONDS = 60.0
FIRST_LOOKS, LOOKS = 20, 80
FIRST_LOOK_SECONDS, LOOK_SECONDS = 0.1, 2.0

_FORMATS = [
    app_commands.Choice(name="detect", value="detect"),
    *(app_commands.Choice(name=form.value, value=form.value) for form in FORMATS),
]
_STATUSES = [app_commands.Choice(name=status.value.replace("_", " "), value=status.value) for status in Status]


@app_commands.default_permissions(permissions_of(Right.DATA))
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class DataCommands(commands.GroupCog, group_name="data", group_description="Members in and out as CSV files"):
    """The commands, and what can be pressed on an import that was shown."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        frame.on("data-tier", self._tier)
        frame.on("data-import", self._import)
        frame.on("data-problems", self._problems)

    @app_commands.command(name="import", description="Bring members from a CSV file. Dry run first")
    @app_commands.describe(file="A CSV file of at most 10 MB", format="Whose list it is; found out by itself")
    @app_commands.choices(format=_FORMATS)
    async def bring(self, interaction: discord.Interaction, file: discord.Attachment, format: str = "") -> None:
        """Show what an import would do."""
        request = Request.of(interaction)
        content = await _download(file)
        wanted = Format(format) if format in set(Format) else None
        shown = await importing.dry_run(
            request.services, request.actor, file_name=file.filename, content=content, wanted=wanted
        )
        await _show(request, shown)

    @app_commands.command(name="export", description="Members as CSV")
    @app_commands.describe(plan="Only this plan", status="Only these: all unless you say otherwise")
    @app_commands.choices(status=_STATUSES)
    @app_commands.autocomplete(plan=every_plan)
    async def take(self, interaction: discord.Interaction, plan: str = "", status: str = Status.ALL.value) -> None:
        """Send the members as a file."""
        request = Request.of(interaction)
        wanted = Status(status) if status in set(Status) else Status.ALL
        plan_id = await chosen_plan(request, plan)
        content, number = await export(request.services, request.actor, plan_id=plan_id, status=wanted)
        name = f"members-{request.services.clock.now():%Y-%m-%d}"
        await request.show(await asyncio.to_thread(export_card, content, number, name))

    async def _tier(self, request: Request) -> None:
        """Take the word on what a tier of the list becomes."""
        preview_id, number = request.args
        plan_id = PlanId(_number(request.values[0] if request.values else ""))
        services, actor = request.services, request.actor
        await _show(request, await importing.map_tier(services, actor, preview_id, _number(number), plan_id))

    async def _import(self, request: Request) -> None:
        """Import what was shown, and say when it is done."""
        preview_id, stamp, how = request.args
        services, actor = request.services, request.actor
        ordered = await importing.order(services, actor, preview_id, stamp, is_inviting=how == "mail")
        for look in range(LOOKS):
            if await importing.is_done(services, actor, preview_id):
                await request.show(done_card(ordered))
                return
            if look == FIRST_LOOKS:
                await request.show(running_card(ordered))
            await asyncio.sleep(FIRST_LOOK_SECONDS if look < FIRST_LOOKS else LOOK_SECONDS)

    async def _problems(self, request: Request) -> None:
        (preview_id,) = request.args
        shown = await importing.look(request.services, request.actor, preview_id)
        await request.add(await asyncio.to_thread(problems_card, shown))


async def _show(request: Request, shown: Shown) -> None:
    async with request.services.store.read() as tx:
        plans = [plan for plan in await tx.plans.all(request.guild_id) if not plan.is_archived]
    await request.show(await asyncio.to_thread(dry_run_card, shown, plans))


async def _download(file: discord.Attachment) -> bytes:
    """Read a sent file, which may be any size. Raises UserError."""
    if file.size > csv_text.MOST_BYTES:
        raise UserError(
            f"That file is larger than {csv_text.MOST_BYTES // 1_000_000} MB. Split it and import the parts."
        )
    try:
        async with asyncio.timeout(DOWNLOAD_SECONDS):
            return await file.read()
    except (TimeoutError, discord.HTTPException) as failure:
        raise UserError("Discord did not hand me the file. Send it again.") from failure


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise UserError("There is no such choice in this list. Send the file again.")
    return int(text)
