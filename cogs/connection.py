"""The bot that is connected now, if any: what the supervisor sets and everybody else reads."""

from __future__ import annotations

from collections.abc import Callable

import discord
from discord.ext import commands

from locales.catalogue import Words, words_for
from membership.errors import Retry


class Connection:
    """Holds the present bot. A new life of the bot is a new object, so nobody else may keep one."""

    def __init__(self) -> None:
        """Start without a bot."""
        self._bot: commands.Bot | None = None
        self._lost: list[Callable[[], None]] = []

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Call back each time the gateway connection is lost."""
        self._lost.append(callback)

    def lost(self) -> None:
        """Say that the gateway connection is lost; the bot may resume."""
        for callback in self._lost:
            callback()

    def use(self, bot: commands.Bot) -> None:
        """Offer a bot that has logged in."""
        self._bot = bot

    def drop(self) -> None:
        """Withdraw the bot: it ends or has ended."""
        self._bot = None
        self.lost()

    @property
    def bot(self) -> commands.Bot | None:
        """Return the bot if it can make calls."""
        return None if self._bot is None or self._bot.is_closed() else self._bot

    def require(self) -> commands.Bot:
        """Return the bot. Raises Retry while there is none."""
        bot = self.bot
        if bot is None:
            raise Retry("Discord is not connected")
        return bot

    def guild(self, guild_id: int) -> discord.Guild | None:
        """Return a guild that the gateway shows as available, None for an unknown or frozen one."""
        guild = self.bot.get_guild(guild_id) if self.bot else None
        return None if guild is None or guild.unavailable else guild

    def require_guild(self, guild_id: int) -> discord.Guild:
        """Return an available guild. Raises Retry for a frozen or unknown one: unknown is not gone."""
        guild = self.guild(guild_id)
        if guild is None:
            raise Retry("the server is not available now")
        return guild

    def words(self, guild_id: int | None, *wanted: str) -> Words:
        """Return the words in the first wanted language that there is, else in the one that a guild is set to."""
        guild = self.guild(guild_id) if guild_id else None
        return words_for(*wanted, str(guild.preferred_locale) if guild else None)
