"""What is offered while a person types into an option: plans and durations; features add their own lists.

A label is for people, the value is an id that the use-case looks up again in the person's own server.
"""

from __future__ import annotations

from collections.abc import Iterable

import discord
from discord import app_commands

from cogs.durations import USUAL, read_until
from cogs.requests import Request
from membership.errors import UserError

MOST_CHOICES = 25
LONGEST_LABEL = 100

Choices = list[app_commands.Choice[str]]


def choices(found: Iterable[tuple[str, str]], typed: str = "") -> Choices:
    """Return (label, value) pairs as Discord takes them: those whose label has what was typed, at most 25."""
    wanted = typed.casefold().strip()
    fitting = [(label, value) for label, value in found if wanted in label.casefold()]
    return [
        app_commands.Choice(name=_cut(label), value=value[:LONGEST_LABEL]) for label, value in fitting[:MOST_CHOICES]
    ]


async def plans(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest the server's plans that are not archived."""
    return await _plans(interaction, typed, is_archived=False)


async def archived_plans(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest the server's archived plans."""
    return await _plans(interaction, typed, is_archived=True)


async def durations(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest the usual durations, and read back what was typed as a date."""
    if not typed.strip():
        return choices(USUAL)
    now = Request.of(interaction).services.clock.now()
    try:
        until = read_until(typed, now)
    except UserError:
        return choices(USUAL, typed)
    label = "forever" if until is None else f"{typed.strip()} → until {until:%-d %b %Y}"
    return choices([(label, typed)])


async def _plans(interaction: discord.Interaction, typed: str, *, is_archived: bool) -> Choices:
    request = Request.of(interaction)
    async with request.services.store.read() as tx:
        found = await tx.plans.all(request.guild_id)
    return choices([(plan.name, str(plan.id)) for plan in found if plan.is_archived is is_archived], typed)


def _cut(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
