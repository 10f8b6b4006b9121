"""`/report`: members, revenue and delivery over a period, each as a picture, three lines and a file."""

from __future__ import annotations

import asyncio

import discord
from discord import app_commands
from discord.ext import commands

from cogs import charts
from cogs.frame import Frame
from cogs.plan_choice import chosen_plan, every_plan
from cogs.report_cards import (
    PERIODS,
    USUAL_DAYS,
    Answer,
    delivery_answer,
    members_answer,
    report_card,
    revenue_answer,
)
from cogs.requests import Request
from cogs.rights import Right, permissions_of
from membership import reports
from membership.errors import UserError
from membership.model import PlanId

_PERIODS = [app_commands.Choice(name=name, value=days) for name, days in PERIODS.items()]


@app_commands.default_permissions(permissions_of(Right.MANAGER))
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class ReportCommands(commands.GroupCog, group_name="report", group_description="Members, revenue and speed in numbers"):
    """The commands, and the buttons that choose another period."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        frame.on("report", self._again)

    @app_commands.command(description="Active, new, ended, past due")
    @app_commands.describe(period="How far back: 30 days unless you say otherwise", plan="Only this plan")
    @app_commands.choices(period=_PERIODS)
    @app_commands.autocomplete(plan=every_plan)
    async def members(self, interaction: discord.Interaction, period: int = USUAL_DAYS, plan: str = "") -> None:
        """Show how many members there are."""
        request = Request.of(interaction)
        await _show(request, "members", period, await chosen_plan(request, plan))

    @app_commands.command(description="Paid, refunded, by plan")
    @app_commands.describe(period="How far back: 30 days unless you say otherwise")
    @app_commands.choices(period=_PERIODS)
    async def revenue(self, interaction: discord.Interaction, period: int = USUAL_DAYS) -> None:
        """Show what was paid."""
        await _show(Request.of(interaction), "revenue", period, None)

    @app_commands.command(description="Time from payment to role, failures by cause")
    @app_commands.describe(period="How far back: 30 days unless you say otherwise")
    @app_commands.choices(period=_PERIODS)
    async def delivery(self, interaction: discord.Interaction, period: int = USUAL_DAYS) -> None:
        """Show how quickly roles arrive."""
        await _show(Request.of(interaction), "delivery", period, None)

    async def _again(self, request: Request) -> None:
        """Show the report for another period."""
        name, days, plan = request.args
        plan_id = await chosen_plan(request, plan) if plan != "0" else None
        await _show(request, name, int(days) if days.isdecimal() else 0, plan_id)


async def _show(request: Request, name: str, days: int, plan_id: PlanId | None) -> None:
    # Options and buttons come from somebody's client: only the periods on offer are counted.
    if days not in PERIODS.values():
        raise UserError("Choose one of the periods from the list.")
    answer = await _answer(request, name, days, plan_id)
    picture = await charts.png(answer.spec)
    await request.show(await asyncio.to_thread(report_card, answer, picture))


async def _answer(request: Request, name: str, days: int, plan_id: PlanId | None) -> Answer:
    services, actor = request.services, request.actor
    match name:
        case "members":
            return members_answer(await reports.members(services, actor, days, plan_id))
        case "revenue":
            return revenue_answer(await reports.revenue(services, actor, days))
        case "delivery":
            return delivery_answer(await reports.delivery(services, actor, days))
        case _:
            raise UserError("There is no such report. Use /report.")
