"""The last answer: what a person reads when something of ours is broken, and the log line that staff find it by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import discord
import structlog

from cogs import texts

log = structlog.get_logger(__name__)


async def or_apologise(interaction: discord.Interaction, answer: Callable[[], Awaitable[None]]) -> None:
    """Run what the command tree does not run, with the command tree's error answer."""
    try:
        await answer()
    except Exception as bug:  # noqa: BLE001 - nobody else answers the person; `apologise` logs it
        await apologise(interaction, bug)


async def apologise(interaction: discord.Interaction, error: BaseException) -> None:
    """Say in plain words that something is broken, and log what. Never shows an exception to a person."""
    reference = f"{interaction.id % 0x10000:04X}"
    log.error("interaction_failed", reference=reference, exc_info=error)
    text = texts.BROKEN.format(reference=reference)
    try:
        if interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True)
        else:
            await interaction.response.send_message(text, ephemeral=True)
    except discord.HTTPException as failure:
        # Too late to answer (10062): the person sees Discord's own "did not respond".
        log.info("interaction_expired", reference=reference, why=failure.text)
