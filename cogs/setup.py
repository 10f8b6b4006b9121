"""`/doorlist setup`: the checklist that repairs itself, the message of the joining, and letting servers in."""

from __future__ import annotations

import discord
import structlog
from discord.ext import commands

from cogs.cards import Button, Tone
from cogs.channel_cards import ChannelCards, first_writable
from cogs.frame import Frame
from cogs.panel import Panels, own_channel
from cogs.requests import Request
from cogs.setup_cards import LOG, NAMES, PANEL, channel_card, checklist_card, payments_card, waiting_card, welcome_card
from cogs.setup_look import SetupLook
from cogs.setup_rows import is_complete, steps
from membership import presence, server_settings, servers, setting_up
from membership.errors import Blocked, Gone, Retry, UserError
from membership.model import ChangeId, ChannelId, GuildId

log = structlog.get_logger(__name__)


class Setup(commands.Cog):
    """Sets a server up."""

    def __init__(self, frame: Frame, look: SetupLook, panels: Panels, cards: ChannelCards) -> None:
        """Take the frame, what looks at a server, what puts the panel, and what writes into channels."""
        self._services = frame.services
        self._look = look
        self._panels = panels
        self._cards = cards
        frame.add_to_doorlist("setup", "Checklist with buttons: from zero to first sale", self.setup)
        frame.on("setup-open", self._open)
        frame.on("setup-check", self._check)
        frame.on("setup-payments", self._payments)
        frame.on("setup-channel", self._choose)
        frame.on("setup-post", self._post)
        frame.on("setup-make", self._make)
        frame.on("server-approve", self._approve)
        frame.on("server-refuse", self._refuse)

    async def setup(self, interaction: discord.Interaction) -> None:
        """Show the checklist."""
        await self._open(Request.of(interaction))

    # ------------------------------------------------------------------------------------------------- being let in

    async def _open(self, request: Request) -> None:
        """Show the checklist, or ask for the server to be let in; an operator lets it in by asking."""
        if request.actor.is_operator:
            await servers.approve(self._services, request.guild_id, str(request.actor))
        async with self._services.store.read() as tx:
            guild = await tx.guilds.get(request.guild_id)
        if guild is None:
            raise UserError("Discord has not told me of this server yet. Try again in a moment.")
        if guild.is_active:
            await self._show(request)
            return
        asked_now = await servers.ask(self._services, request.actor, self._services.operators.ids)
        await request.show(waiting_card(asked_now=asked_now, server=guild.name, guild_id=guild.id))

    async def _approve(self, request: Request) -> None:
        approval = await servers.approve(self._services, _guild_id(request), str(request.actor))
        name = discord.utils.escape_markdown(approval.guild.name)
        text = f"✅ “{name}” is let in." if approval.is_new else f"“{name}” was let in already."
        if approval.unknown_accounts:
            names = ", ".join(approval.unknown_accounts)
            text += f" {names} did not answer: run /doorlist setup there later, so that it may sell its products."
        await request.say(text, tone=Tone.GOOD)

    async def _refuse(self, request: Request) -> None:
        guild = await servers.refuse(self._services, _guild_id(request), str(request.actor))
        await request.say(f"“{discord.utils.escape_markdown(guild.name)}” was refused. They have been told.")

    # ------------------------------------------------------------------------------------------------- the checklist

    async def _check(self, request: Request) -> None:
        """Look again; whoever waits for a role gets their turn too."""
        await presence.roles_changed(self._services, request.guild_id)
        await self._show(request)

    async def _show(self, request: Request, note: str = "", change_id: ChangeId | None = None) -> None:
        facts = await self._look.facts(request.guild_id, request.interaction.application_id)
        found = steps(facts)
        undo = () if change_id is None else (Button(label="Undo", action="undo", args=(change_id,)),)
        await request.show(checklist_card(found, note, undo))
        if is_complete(found):
            await self._take_welcome_away(request.guild_id)

    async def _payments(self, request: Request) -> None:
        looks = await setting_up.payments(self._services, request.guild_id)
        await request.show(
            payments_card(
                ", ".join(f"{each.name.title()}, {'live' if each.is_live else 'test'} mode" for each in looks)
            )
        )

    async def _choose(self, request: Request) -> None:
        can_make = "manage_channels" in self._services.discord.permissions(request.guild_id)
        await request.show(channel_card(_what(request), can_make=can_make))

    async def _post(self, request: Request) -> None:
        """Take the channel of the button, or the chosen one."""
        chosen = request.values[0] if request.values else request.args[1] if len(request.args) > 1 else ""
        await self._use(request, own_channel(request, int(chosen) if chosen.isdecimal() else 0))

    async def _make(self, request: Request) -> None:
        what = _what(request)
        try:
            made = await self._cards.make_channel(request.guild_id, NAMES[what], is_private=what == LOG)
        except Blocked as refusal:
            raise UserError(
                f"I may not make channels here. Make #{NAMES[what]} yourself and choose it, "
                "or give me Manage Channels for a moment."
            ) from refusal
        await self._use(request, made)

    async def _use(self, request: Request, channel_id: ChannelId) -> None:
        if _what(request) == PANEL:
            await self._panels.put(request, channel_id)
            await self._show(request, f"✅ The panel stands in <#{channel_id}>.")
            return
        changed = await server_settings.change(self._services, request.actor, {"event_channel_id": channel_id})
        await self._show(request, f"✅ Staff see what happens in <#{channel_id}>.", changed.change_id)

    # ---------------------------------------------------------------------------------------- the joining message

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Say hello once in a server that added the bot and is not set up."""
        guild_id = GuildId(guild.id)
        async with self._services.store.read() as tx:
            known = await tx.guilds.get(guild_id)
        channel_id = first_writable(guild)
        if channel_id is None or (known is not None and known.is_active):
            return
        try:
            await self._take_welcome_away(guild_id)
            message_id = await self._cards.post(
                channel_id, welcome_card(), key=f"welcome:{guild_id}:{guild.me.joined_at}"
            )
        except (Retry, Blocked, Gone) as failure:
            # It only leads to /doorlist setup, which works without it.
            log.info("welcome_not_posted", guild_id=guild_id, why=str(failure))
            return
        await servers.welcomed(self._services, guild_id, guild.name, (channel_id, message_id))

    async def _take_welcome_away(self, guild_id: GuildId) -> None:
        async with self._services.store.read() as tx:
            guild = await tx.guilds.get(guild_id)
        if guild is None or guild.welcome_channel_id is None or guild.welcome_message_id is None:
            return
        try:
            await self._cards.delete(guild.welcome_channel_id, guild.welcome_message_id)
        except (Blocked, Retry) as failure:
            # It is tried again when the checklist is looked at next.
            log.info("welcome_not_deleted", guild_id=guild_id, why=str(failure))
            return
        await servers.forget_welcome(self._services, guild_id)


def _guild_id(request: Request) -> GuildId:
    """Return the server that a button of an operator's message names; servers checks that there is one."""
    return GuildId(int(request.args[0]) if request.args and request.args[0].isdecimal() else 0)


def _what(request: Request) -> str:
    what = request.args[0] if request.args else ""
    if what not in NAMES:
        raise UserError("This button is from an older version. Use /doorlist setup again.")
    return what
