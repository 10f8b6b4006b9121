"""`/doorlist privacy`: hand out or erase what is held about one person."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs.frame import Frame
from cogs.member_cards import found_choice
from cogs.privacy_cards import erase_card, erased_card, export_card
from cogs.requests import Request
from cogs.suggestions import Choices, choices
from membership import privacy, search
from membership.errors import UserError

EXPORT, ERASE = "export", "erase"


async def people(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest payers of this server."""
    request = Request.of(interaction)
    found = await search.suggest(request.services, request.actor, typed)
    return choices(found_choice(each, request.actor) for each in found)


class PrivacyCommand(commands.Cog):
    """Looks a person up in the server of whoever asks."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        frame.add_to_doorlist("privacy", "Export or erase one person's data", self.privacy)
        frame.on("privacy-erase", self._erase)

    @app_commands.describe(person="An email, a name, an order, or a Discord account", action="What to do")
    @app_commands.choices(
        action=[app_commands.Choice(name="export", value=EXPORT), app_commands.Choice(name="erase", value=ERASE)]
    )
    @app_commands.autocomplete(person=people)
    async def privacy(
        self, interaction: discord.Interaction, person: app_commands.Range[str, 1, 200], action: str
    ) -> None:
        """Hand out a file, or ask once more before erasing."""
        request = Request.of(interaction)
        subject = await _subject(request, person)
        if action == EXPORT:
            await request.show(export_card(await privacy.export(request.services, request.actor, subject)))
        else:
            await request.show(erase_card(await privacy.look(request.services, request.actor, subject)))

    async def _erase(self, request: Request) -> None:
        subject = request.args[0] if request.args else ""
        await request.show(erased_card(await privacy.erase(request.services, request.actor, subject)))


async def _subject(request: Request, typed: str) -> str:
    """Return the one person that is meant. Raises UserError."""
    found = await search.find(request.services, request.actor, typed)
    if not found:
        raise UserError("There is no such person in this server. Choose one from the list.")
    if len(found) > 1:
        raise UserError(f"{len(found)} people fit that. Choose one from the list, or type the whole e-mail.")
    customer = found[0].customer
    return privacy.subject_of(None if customer is None else customer.id, found[0].user_id)
