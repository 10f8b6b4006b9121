"""One REST call to Discord: with the present bot, a timeout, the refusal count, and failures in our four names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import discord
from discord.ext import commands

from cogs import errors
from cogs.connection import Connection
from cogs.guard import Refusals

Answer = TypeVar("Answer")

CALL_SECONDS = 30.0


class Calls:
    """Makes calls through whatever bot is connected."""

    def __init__(self, connection: Connection, refusals: Refusals) -> None:
        """Take where the bot is, and the count of refused calls that everything shares."""
        self.connection = connection
        self.refusals = refusals

    async def make(
        self, call: Callable[[commands.Bot], Awaitable[Answer]], *, seconds: float | None = CALL_SECONDS
    ) -> Answer:
        """Make one call and return its answer. Raises Retry, Blocked or Gone; `seconds` None sets no time limit."""
        loop = asyncio.get_running_loop()
        self.refusals.check(loop.time())
        bot = self.connection.require()
        try:
            async with asyncio.timeout(seconds):
                answer = await call(bot)
        except errors.TRANSPORT_ERRORS as error:
            if isinstance(error, discord.HTTPException):
                self.refusals.note(error.status, loop.time())
            raise errors.failure(error) from error
        self.refusals.note(200, loop.time())
        return answer
