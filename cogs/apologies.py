"""The last answer: what a person reads when a command fails, and the log line that staff find a fault of ours by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import discord
import structlog
from discord import app_commands

from cogs import texts
from cogs.refusals import GONE, member_sentence, problem_of, retry_text, staff_fix, staff_sentence
from cogs.requests import words_of
from cogs.words import code_text
from locales.catalogue import Words
from membership.errors import Blocked, Gone, Reason, Retry, UserError

log = structlog.get_logger(__name__)


async def or_apologise(interaction: discord.Interaction, answer: Callable[[], Awaitable[None]]) -> None:
    """Run what the command tree does not run, with the command tree's error answer."""
    try:
        await answer()
    except Exception as failure:  # noqa: BLE001 - nobody else answers the person; `apologise` logs it
        await apologise(interaction, failure)


async def apologise(interaction: discord.Interaction, failure: BaseException) -> None:
    """Say in plain words what did not happen. Never shows an exception to a person."""
    text = _explain(interaction, failure)
    try:
        if interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True)
        else:
            await interaction.response.send_message(text, ephemeral=True)
    except discord.HTTPException as refused:
        # Too late to answer (10062): the person sees Discord's own "did not respond".
        log.info("interaction_expired", why=refused.text)


def _explain(interaction: discord.Interaction, failure: BaseException) -> str:
    words = words_of(interaction)
    match failure:
        case UserError():
            return failure.text
        case Retry():
            return words.say(texts.TRY_AGAIN)
        case Blocked() | Gone():
            return _refused(interaction, words, failure)
        case app_commands.CheckFailure():
            return words.say(texts.NOT_ALLOWED)
        case _:
            reference = f"{interaction.id >> 22 & 0xFFFF:04X}"
            log.error("interaction_failed", reference=reference, exc_info=failure)
            return words.say(texts.BROKEN, reference=reference)


def _refused(interaction: discord.Interaction, words: Words, failure: Blocked | Gone) -> str:
    """Say to staff what Discord or a provider refuses and what to do, to members what is theirs."""
    problem = problem_of(failure) if isinstance(failure, Blocked) or failure.what in GONE else None
    if not interaction.permissions.manage_roles:
        return (member_sentence(words, problem) if problem else "") or words.say(texts.TRY_AGAIN)
    if problem is None:
        return f"That does not exist any more: {failure}."
    if isinstance(failure, Blocked) and problem is Reason.CREDENTIALS_REFUSED:
        # Discord's or a payment provider's: only the detail tells.
        return f"Credentials were refused. {code_text(failure.detail)} Whoever runs this Doorlist has to renew them."
    sentences = (staff_sentence(problem, {}), staff_fix(problem, {}), retry_text(problem))
    return " ".join(sentence for sentence in sentences if sentence)
