"""Codes posted while the bot was away: read the claim channel from where we stopped, in order, each once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from membership.errors import Blocked, Gone
from membership.model import GuildId, MessageId
from membership.ports import ChannelMessage
from membership.services import Services

DISCORD_EPOCH_MILLISECONDS = 1_420_070_400_000
LONGEST_ABSENCE = timedelta(days=7)
PAGE = 100
PAGES = 20

Answer = Callable[[ChannelMessage], Awaitable[None]]


async def catch_up(services: Services, guild_id: GuildId, answer: Answer) -> int:
    """Answer the claim messages of one guild that nobody answered; return how many messages were looked at.

    `answer` is the same as for a message that just came in, and may be called twice for one after a crash: redeeming
    is idempotent. Messages older than seven days are left alone.
    """
    async with services.store.read() as tx:
        guild = await tx.guilds.get(guild_id)
    if guild is None or guild.claim_channel_id is None or not services.discord.is_available(guild_id):
        return 0
    now = services.clock.now()
    if guild.claim_cursor is None:
        # The first look: from now on. What was posted before we came was not for us.
        await _move_cursor(services, guild_id, snowflake(now))
        return 0
    after = max(guild.claim_cursor, snowflake(now - LONGEST_ABSENCE))
    seen = 0
    for _ in range(PAGES):
        try:
            messages = await services.discord.messages_after(guild.claim_channel_id, after, PAGE)
        except (Blocked, Gone):
            return seen
        for message in messages:
            await _answer_once(services, message, answer)
            after = message.message_id
            await _move_cursor(services, guild_id, after)
        seen += len(messages)
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
    await answer(message)
    async with services.store.write() as tx:
        await tx.guilds.mark_message_handled(message.message_id, services.clock.now())


async def _move_cursor(services: Services, guild_id: GuildId, message_id: MessageId) -> None:
    async with services.store.write() as tx:
        await tx.guilds.set_claim_cursor(guild_id, message_id)
