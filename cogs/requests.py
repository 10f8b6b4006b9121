"""One interaction of one person: who asks, what they pressed or filled in, and how they are answered.

Answers are for the person alone and are deferred before any work; only a form has to be the first answer itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import discord

from cogs import rendering
from cogs.cards import Card, Form, Tone, notice
from cogs.roles import top_position
from locales.catalogue import Words, words_for
from membership.actors import Actor
from membership.model import GuildId, UserId
from membership.services import Services

_EXTRA = "doorlist"
NO_GUILD = GuildId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a command or an action is given.

    `args` are those of the custom_id, `values` what was chosen in a list, `fields` what was filled into a form, by
    name; all of them are what somebody's client sent and may be forged. `actor.guild_id` is 0 in direct messages.
    """

    interaction: discord.Interaction
    services: Services
    actor: Actor
    words: Words
    args: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, interaction: discord.Interaction) -> Request:
        """Return the request that was opened for an interaction before its command ran."""
        return cast(Request, interaction.extras[_EXTRA])

    def remember(self) -> None:
        """Let the command find this request by its interaction."""
        self.interaction.extras[_EXTRA] = self

    @property
    def guild_id(self) -> GuildId:
        """Return where this happens, 0 in direct messages."""
        return self.actor.guild_id

    def field(self, name: str) -> str:
        """Return the first value of a field, "" when it was left empty."""
        values = self.fields.get(name, ())
        return values[0] if values else ""

    async def think(self) -> None:
        """Tell Discord that the answer takes a moment. Done already where a form cannot be the answer."""
        response = self.interaction.response
        if response.is_done():
            return
        if self.is_in_place:
            await response.defer()
        else:
            await response.defer(ephemeral=True, thinking=True)

    @property
    def is_in_place(self) -> bool:
        """Say whether the answer replaces what was pressed: a card that only this person sees."""
        message = self.interaction.message
        return message is not None and message.flags.ephemeral

    async def show(self, card: Card) -> None:
        """Answer with a card; a card that was pressed becomes the new one."""
        await self.think()
        await self.interaction.edit_original_response(
            content=None, embeds=[], view=rendering.view(card), attachments=rendering.files(card.files)
        )

    async def add(self, card: Card) -> None:
        """Answer with one more card, below what is there."""
        await self.think()
        await self.interaction.followup.send(
            view=rendering.view(card), files=rendering.files(card.files), ephemeral=True
        )

    async def say(self, text: str, *, tone: Tone = Tone.NONE) -> None:
        """Answer with one sentence: as plain text, or in place of the card that was pressed."""
        await self.think()
        if self.is_in_place:
            await self.show(notice(text, tone=tone))
        else:
            await self.interaction.edit_original_response(content=text)

    async def ask(self, form: Form) -> None:
        """Open a form."""
        await self.interaction.response.send_modal(rendering.modal(form))


def actor_of(interaction: discord.Interaction, operators: frozenset[int]) -> Actor:
    """Read who asks from this very interaction: Discord signs off the permissions and the roles it carries."""
    permissions = _server_permissions(interaction)
    is_in_guild = interaction.guild_id is not None
    is_owner = interaction.guild is not None and interaction.guild.owner_id == interaction.user.id
    can_data = is_in_guild and (permissions.administrator or is_owner)
    can_manage = is_in_guild and (can_data or permissions.manage_guild)
    return Actor(
        guild_id=GuildId(interaction.guild_id or NO_GUILD),
        user_id=UserId(interaction.user.id),
        name=interaction.user.display_name,
        can_staff=is_in_guild and (can_manage or permissions.manage_roles),
        can_manage=can_manage,
        can_data=can_data,
        is_operator=interaction.user.id in operators,
        top_position=None if is_owner else _top_position(interaction),
    )


def _top_position(interaction: discord.Interaction) -> int:
    """Return the place of the highest role that the interaction says they have."""
    if interaction.guild is None or not isinstance(interaction.user, discord.Member):
        return 0
    return top_position(interaction.guild, (role.id for role in interaction.user.roles))


def _server_permissions(interaction: discord.Interaction) -> discord.Permissions:
    """Return what a person may do in the whole server, and in this channel, too.

    The interaction carries the permissions in its channel alone, where Manage Roles is the bit of "Manage Permissions":
    whoever was given that for one channel is no staff.
    """
    if not isinstance(interaction.user, discord.Member):
        return discord.Permissions.none()
    return interaction.permissions & interaction.user.guild_permissions


def words_of(interaction: discord.Interaction) -> Words:
    """Return the words in the person's own language."""
    return words_for(str(interaction.locale), str(interaction.guild_locale or ""))
