"""Codes posted while the bot was away: read the claim channel from where we stopped, in order, each once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from membership.errors import Blocked, Gone, Retry, UserError
from membership.model import GuildId, MessageId
from membership.ports import ChannelMessage
from membership.services import Services

log = structlog.get_logger()

DISCORD_EPOCH_MILLISECONDS = 1_420_070_400_000
LONGEST_ABSENCE = timedelta(days=7)
FIRST_LOOK = timedelta(hours=24)
PAGE = 100
PAGES = 20

Answer = Callable[[ChannelMessage], Awaitable[None]]


async def catch_up(services: Services, guild_id: GuildId, answer: Answer) -> int:
    """Answer the claim messages of one guild that nobody answered; return how many people's messages were looked at.

    `answer` is the same as for a message that just came in, and may be called twice for one after a crash: redeeming
    is idempotent. Messages older than seven days are left alone, at the first look those older than a day: a code may
    be posted right after the set-up, while the bot is not there. Raises Retry when one must be answered later.
    """
    async with services.store.read() as tx:
        guild = await tx.guilds.get(guild_id)
    if guild is None or guild.claim_channel_id is None or not services.discord.is_available(guild_id):
        return 0
    now = services.clock.now()
    after = snowflake(now - FIRST_LOOK)
    if guild.claim_cursor is not None:
        after = max(guild.claim_cursor, snowflake(now - LONGEST_ABSENCE))
    seen = 0
    for _ in range(PAGES):
        try:
            messages = await services.discord.messages_after(guild.claim_channel_id, after, PAGE)
        except (Blocked, Gone):
            return seen
        for message in messages:
            if message.is_from_person:
                await _answer_once(services, message, answer)
                await _move_cursor(services, guild_id, message.message_id)
                seen += 1
        # A page of bots' messages is behind us as well: it must not be read again and again.
        after = max((message.message_id for message in messages), default=after)
        await _move_cursor(services, guild_id, after)
        if len(messages) < PAGE:
            break
    return seen


def snowflake(moment: datetime) -> MessageId:
    """Return the smallest message id of a moment (Discord's ids carry milliseconds since 2015 in their upper bits)."""
    return MessageId(max(0, int(moment.timestamp() * 1000) - DISCORD_EPOCH_MILLISECONDS) << 22)


async def _answer_once(services: Services, message: ChannelMessage, answer: Answer) -> None:
    async with services.store.read() as tx:
        if await tx.guilds.is_message_handled(message.message_id):
            return
    await _answer(message, answer)
    async with services.store.write() as tx:
        await tx.guilds.mark_message_handled(message.message_id, services.clock.now())


async def _answer(message: ChannelMessage, answer: Answer) -> None:
    """Answer one message; whatever is wrong with it must not keep those behind it waiting."""
    try:
        await answer(message)
    except Retry:
        raise
    except (Blocked, Gone, UserError) as refusal:
        log.warning("claim_not_answered", message_id=message.message_id, why=str(refusal))
    except Exception:
        log.exception("claim_failed", message_id=message.message_id)


async def _move_cursor(services: Services, guild_id: GuildId, message_id: MessageId) -> None:
    async with services.store.write() as tx:
        await tx.guilds.set_claim_cursor(guild_id, message_id)
