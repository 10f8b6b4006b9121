"""`/doorlist settings`: see and change what a server sets for itself; each change can be taken back."""

from __future__ import annotations

from collections.abc import Mapping

import discord
from discord import app_commands
from discord.ext import commands

from cogs.frame import Frame
from cogs.panel import own_channel
from cogs.requests import Request
from cogs.settings_cards import VALUE, Values, changed_text, setting_form, setting_labels, settings_card
from cogs.settings_catalogue import Group, Kind, Setting, named, read
from cogs.suggestions import Choices, choices
from membership import notifying, server_settings
from membership.errors import UserError
from membership.model import ChangeId
from membership.records import Guild


async def setting_names(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest the settings with their present values."""
    return choices(setting_labels(await _guild(Request.of(interaction))), typed)


async def setting_values(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest what the setting that is named already can be."""
    name = str(getattr(interaction.namespace, "setting", "") or "")
    if name == "time_zone":
        return choices(((zone, zone) for zone in server_settings.time_zones()), typed)
    try:
        setting = named(name)
    except UserError:
        return []
    channels = interaction.guild.text_channels if interaction.guild and setting.kind is Kind.CHANNEL else []
    found = [(label, value) for value, label in setting.choices] + [
        (f"#{each.name}", str(each.id)) for each in channels
    ]
    return choices(found, typed)


class SettingsCommand(commands.Cog):
    """Shows groups of settings, opens forms for single ones, and stores what is sent."""

    def __init__(self, frame: Frame, origins: Mapping[str, str]) -> None:
        """Take the frame, and where the settings of the whole Doorlist were set."""
        self._services = frame.services
        self._origins = origins
        frame.add_to_doorlist("settings", "See and change every setting", self.settings)
        frame.on("settings-group", self._group)
        frame.on("settings-edit", self._edit)
        frame.on("settings-set", self._set)

    @app_commands.describe(setting="Which one; leave it empty to see all", value="What to set it to")
    @app_commands.autocomplete(setting=setting_names, value=setting_values)
    async def settings(self, interaction: discord.Interaction, setting: str = "", value: str = "") -> None:
        """Show a group of settings, or set one at once."""
        request = Request.of(interaction)
        if setting and value:
            await self._change(request, named(setting), value)
        else:
            await self._show(request, named(setting).group if setting else Group.DELIVERY)

    async def _group(self, request: Request) -> None:
        name = request.values[0] if request.values else ""
        await self._show(request, Group[name] if name in Group.__members__ else Group.DELIVERY)

    async def _edit(self, request: Request) -> None:
        setting = named(request.args[0] if request.args else "")
        await request.ask(setting_form(setting, await _guild(request)))

    async def _set(self, request: Request) -> None:
        await self._change(request, named(request.args[0] if request.args else ""), request.field(VALUE))

    async def _change(self, request: Request, setting: Setting, text: str) -> None:
        value = read(setting, text)
        if setting.kind is Kind.CHANNEL and isinstance(value, int):
            value = own_channel(request, value)
        changed = await server_settings.change(self._services, request.actor, {setting.name: value})
        note = changed_text(setting.name, changed.guild)
        await self._show(request, setting.group, note, changed.change_id)

    async def _show(self, request: Request, group: Group, note: str = "", change_id: ChangeId | None = None) -> None:
        guild = await _guild(request)
        values = Values(
            guild=guild,
            policy=self._services.policy,
            origins=self._origins,
            troubled=await notifying.troubled_channels(self._services, guild),
        )
        await request.show(settings_card(group, values, note, change_id))


async def _guild(request: Request) -> Guild:
    async with request.services.store.read() as tx:
        guild = await tx.guilds.get(request.guild_id)
    if guild is None:
        raise UserError("Doorlist is not set up in this server yet.")
    return guild
