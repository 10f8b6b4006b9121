"""`/doorlist dashboard`: the way from Discord to the staff pages on the web."""

from __future__ import annotations

import discord
from discord.ext import commands

from cogs.cards import Button, Buttons, Card, Style, Text
from cogs.frame import Frame
from cogs.requests import Request
from membership import first_sign_in


class Dashboard(commands.Cog):
    """Hands out links, each for the one who asked."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        self._services = frame.services
        frame.add_to_doorlist("dashboard", "A link to the staff pages on the web, for you alone", self.dashboard)

    async def dashboard(self, interaction: discord.Interaction) -> None:
        """Answer with a link that serves this person once."""
        request = Request.of(interaction)
        token = await first_sign_in.issue(self._services, request.actor.user_id, may_operate=False)
        await request.show(link_card(f"{self._services.public_url}/admin/first/{token}"))


def link_card(url: str) -> Card:
    """Show the link, and whom it serves."""
    return Card(
        title="Staff pages",
        lines=(
            Text(
                "Members, orders, plans and problems of this server, in your browser. The link serves **you alone**, "
                "once, within five minutes: you sign in there with this Discord account."
            ),
            Buttons((Button(label="Open the staff pages", url=url, style=Style.MAIN),)),
        ),
    )
