"""Servers that have just added the bot, and the operator who lets them in."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.discord.permissions import BOT_DEFAULT
from sandbox.discord.world import Channel, Guild, User
from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class NewServer:
    """A server of one channel whose owner has just added the bot."""

    guild: Guild
    general: Channel
    owner: Keyboard


def add_bot(s: Stage, owner: User, *, name: str = "Rita's place", permissions: int = int(BOT_DEFAULT)) -> NewServer:
    """Let somebody add the bot to a server of their own."""
    discord = s.outside.discord
    guild = discord.create_guild(name, owner=owner, bot_permissions=permissions)
    role = discord.bot_role(guild)
    discord.people.remove_bot(guild)
    general = discord.create_channel(guild, "general")
    discord.people.add_bot(guild, frozenset({role.id}))
    return NewServer(guild=guild, general=general, owner=Keyboard(stage=s, user=owner, channel=general))


def operator(s: Stage) -> User:
    """Return the application's owner, who is in the demo server, so that the bot may write to them."""
    owner = s.outside.discord.portal.owner
    s.outside.discord.world.users[owner.id] = owner
    s.outside.discord.people.join(s.guild, owner)
    return owner
