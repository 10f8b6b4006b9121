"""Looks at everything that the checklist of `/doorlist setup` speaks of: stored, at Discord, at the providers."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import discord

from cogs.channel_cards import ChannelCards
from cogs.examination import GuildExamination
from cogs.examiner import Examiner
from cogs.setup_rows import SetupFacts, needed_permissions
from membership import setting_up
from membership.errors import Blocked, Gone, Retry, UserError
from membership.model import GuildId, Plan
from membership.records import Guild
from membership.services import Services

LOOK_SECONDS = 10.0


class SetupLook:
    """Takes one look at a server's set-up, with everything asked at the same time and bounded in time."""

    def __init__(self, services: Services, examiner: Examiner, cards: ChannelCards, site_url: str) -> None:
        """Take the services, what examines servers, what stands in channels, and Discord's address for people."""
        self._services = services
        self._examiner = examiner
        self._cards = cards
        self._site_url = site_url.rstrip("/")

    async def facts(self, guild_id: GuildId, application_id: int) -> SetupFacts:
        """Look at a server. Raises UserError for one that nobody knows."""
        async with self._services.store.read() as tx:
            guild = await tx.guilds.get(guild_id)
            if guild is None:
                raise UserError("Discord has not told me of this server yet. Try again in a moment.")
            plans = [plan for plan in await tx.plans.all(guild_id) if not plan.is_archived]
            adoptions = {each.role_id: each for each in await tx.adoptions.of_guild(guild_id)}
            sold = {role for plan in plans for role in plan.roles} - adoptions.keys()
            held = {role: await tx.crowds.count_holders(guild_id, role) for role in sorted(sold)}
        (server, trouble), payments, is_panel_there = await asyncio.gather(
            self._server(guild_id), setting_up.payments(self._services, guild_id), self._is_panel_there(guild)
        )
        return SetupFacts(
            guild=guild,
            server=server,
            trouble=trouble,
            plans=plans,
            payments=payments,
            adoptions=adoptions,
            held=held,
            is_panel_there=is_panel_there,
            invite_url=self._invite_url(guild_id, application_id, plans),
        )

    async def _server(self, guild_id: GuildId) -> tuple[GuildExamination | None, str]:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._examiner.guild(guild_id), ""
        except (Retry, Blocked, Gone, TimeoutError) as failure:
            return None, str(failure) or "Discord took too long to answer"

    async def _is_panel_there(self, guild: Guild) -> bool | None:
        if guild.panel_channel_id is None or guild.panel_message_id is None:
            return False
        try:
            return await self._cards.is_there(guild.panel_channel_id, guild.panel_message_id)
        except (Retry, Blocked):
            return None

    def _invite_url(self, guild_id: GuildId, application_id: int, plans: list[Plan]) -> str:
        """Return the link that adds the bot again with exactly the permissions it needs."""
        wanted = discord.Permissions(**dict.fromkeys(needed_permissions(plans), True))
        query = urlencode(
            {
                "client_id": application_id,
                "scope": "bot applications.commands",
                "permissions": wanted.value,
                "guild_id": guild_id,
                "disable_guild_select": "true",
            }
        )
        return f"{self._site_url}/oauth2/authorize?{query}"
