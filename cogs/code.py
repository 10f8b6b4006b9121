"""`/code`: make codes that give a plan, see who used them, switch them off."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs import plan_reading, suggestions
from cogs.code_cards import created_card, labels_card, listing_card, void_card, voided_card
from cogs.durations import END_OF_MONTH, USUAL, read_days, read_until
from cogs.frame import Frame
from cogs.requests import Request
from cogs.rights import Right, permissions_of
from membership import plan_codes
from membership.plan_codes import LONGEST_LABEL, MOST_AT_ONCE, MOST_USES, Target, Terms

_LONGEST_CODE = 100


async def lengths(_interaction: discord.Interaction, typed: str) -> suggestions.Choices:
    """Suggest for how long a code gives its plan; it begins when it is redeemed, so that no date fits."""
    usual = [(label, value) for label, value in USUAL if value != END_OF_MONTH]
    return suggestions.choices(usual, typed) or suggestions.choices([(typed, typed)])


async def labels(interaction: discord.Interaction, typed: str) -> suggestions.Choices:
    """Suggest the server's labels."""
    request = Request.of(interaction)
    found = await plan_codes.labels(request.services, request.actor)
    return suggestions.choices(((f"{each.label} · {each.codes} codes", each.label) for each in found), typed)


@app_commands.default_permissions(permissions_of(Right.MANAGER))
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class CodeCommands(commands.GroupCog, group_name="code", group_description="Codes that give a plan"):
    """The commands, and what can be pressed on their cards."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        frame.on("code-list", lambda request: self._list(request, request.args[0], request.args[1]))
        frame.on("code-ask", lambda request: self._ask(request, request.args[0]))
        frame.on("code-void", self._void)

    @app_commands.command(description="Make codes")
    @app_commands.describe(
        plan="What they give",
        duration="How long, from the day they are redeemed",
        count="How many codes",
        uses="How many people can use each of them, once a person",
        expires="Until when they can be redeemed",
        label="To find them again",
    )
    @app_commands.rename(duration="for")
    @app_commands.autocomplete(plan=suggestions.plans, duration=lengths, expires=suggestions.durations, label=labels)
    async def create(  # noqa: PLR0913 - each option is a parameter to discord.py
        self,
        interaction: discord.Interaction,
        plan: str,
        duration: str,
        *,
        count: app_commands.Range[int, 1, MOST_AT_ONCE] = 1,
        uses: app_commands.Range[int, 1, MOST_USES] = 1,
        expires: str = "",
        label: app_commands.Range[str, 0, LONGEST_LABEL] = "",
    ) -> None:
        """Make codes and show them once."""
        request = Request.of(interaction)
        given = await plan_reading.plan_named(request.services, request.guild_id, plan)
        terms = Terms(
            plan_id=given.id,
            days=read_days(duration),
            count=count,
            max_uses=uses,
            expires_at=read_until(expires, request.services.clock.now()) if expires.strip() else None,
            label=label,
        )
        await request.show(created_card(await plan_codes.create(request.services, request.actor, terms)))

    @app_commands.command(name="list", description="Codes and who used them")
    @app_commands.describe(label="Only these; leave it empty to see all labels")
    @app_commands.autocomplete(label=labels)
    async def list_all(self, interaction: discord.Interaction, label: str = "") -> None:
        """List the labels, or the codes with one."""
        request = Request.of(interaction)
        if label.strip():
            await self._list(request, label, "0")
        else:
            await request.show(labels_card(await plan_codes.labels(request.services, request.actor)))

    @app_commands.command(description="Switch off a code or campaign")
    @app_commands.describe(code="A code as it is, or a label for all its codes")
    @app_commands.autocomplete(code=labels)
    async def void(self, interaction: discord.Interaction, code: app_commands.Range[str, 1, _LONGEST_CODE]) -> None:
        """Ask once more, then switch off."""
        await self._ask(Request.of(interaction), code)

    async def _list(self, request: Request, label: str, page: str) -> None:
        number = int(page) if page.isdecimal() and len(page) <= len(str(MOST_USES)) else 0
        await request.show(listing_card(await plan_codes.listing(request.services, request.actor, label, number)))

    async def _ask(self, request: Request, text: str) -> None:
        await request.show(void_card(await plan_codes.target(request.services, request.actor, text)))

    async def _void(self, request: Request) -> None:
        """Switch off what was shown; what is not the same any more is shown again."""
        name, count = request.args[0], request.args[1]
        done = await plan_codes.void(request.services, request.actor, name, int(count) if count.isdecimal() else 0)
        await request.show(void_card(done) if isinstance(done, Target) else voided_card(done))
