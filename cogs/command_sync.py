"""Sends the slash commands to Discord only when they changed: it allows 200 creates a day."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

import structlog
from discord import app_commands
from discord.ext import commands

from cogs.errors import TRANSPORT_ERRORS
from cogs.parts import CommandHash

log = structlog.get_logger(__name__)

SYNC_SECONDS = 30.0


async def sync_commands(bot: commands.Bot, stored: CommandHash) -> bool:
    """Send the commands if their hash is not the stored one; say whether they were sent.

    A failure is logged and tried again at the next login: the bot works without its slash commands.
    """
    wanted = await command_hash(bot)
    if await stored.load() == wanted:
        return False
    try:
        async with asyncio.timeout(SYNC_SECONDS):
            await bot.tree.sync()
    except (app_commands.AppCommandError, *TRANSPORT_ERRORS) as failure:
        log.warning("commands_not_sent", why=str(failure)[:200])
        return False
    await stored.store(wanted)
    return True


async def command_hash(bot: commands.Bot) -> str:
    """Hash what Discord would be sent, translations included, together with the application it belongs to."""
    text = json.dumps([bot.application_id, await command_payload(bot)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


async def command_payload(bot: commands.Bot) -> list[dict[str, Any]]:
    """Return what Discord is sent."""
    tree, translator = bot.tree, bot.tree.translator
    return [
        await command.get_translated_payload(tree, translator) if translator else command.to_dict(tree)
        for command in tree.get_commands()
    ]
