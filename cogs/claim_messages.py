"""Codes that people write in messages: hidden, redeemed, answered in private (EXPERIENCE 2.4). No listeners here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import discord
import structlog

from cogs import texts
from cogs.calls import Calls
from cogs.claim_text import claim_command, read_claim
from cogs.parts import ClaimDesk
from locales.catalogue import Words
from membership.errors import Blocked, DoorlistError, Gone, Retry
from membership.model import ChannelId, GuildId, UserId
from membership.ports import ChannelMessage

log = structlog.get_logger(__name__)

MOST_OPEN_CLAIMS = 200
ANSWERED_AT_ONCE = 8
PUBLIC_ANSWER_SECONDS = 20
HINT_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    """An answer for the person alone, and what may be said where everybody reads it."""

    private: str
    public: str


class ClaimMessages:
    """Takes codes from messages. `prefix` "" turns "!claim" off; a mention and a direct message still work."""

    def __init__(self, calls: Calls, desk: ClaimDesk, prefix: str) -> None:
        """Take the way to make calls, and where codes are redeemed."""
        self._calls = calls
        self._desk = desk
        self._prefix = prefix
        self._open = 0
        self._at_once = asyncio.Semaphore(ANSWERED_AT_ONCE)
        self._hinted_at: dict[ChannelId, float] = {}

    async def take(self, message: ChannelMessage, guild_id: GuildId | None) -> None:
        """Answer a message that has just come in, if it is a claim; `guild_id` None means a direct message."""
        if self._open >= MOST_OPEN_CLAIMS:
            # Beyond the bound, the five-minute run reads the claim channel and answers (threats C15).
            return
        self._open += 1
        try:
            async with self._at_once:
                await self._take(message, guild_id)
        except Retry as failure:
            log.info("claim_unanswered", why=failure.why)
        finally:
            self._open -= 1

    async def answer_posted(self, message: ChannelMessage) -> None:
        """Treat a message that was posted while the bot was away like a fresh one. Raises Retry to be asked again."""
        channel = self._calls.connection.require().get_channel(message.channel_id)
        if not isinstance(channel, discord.abc.GuildChannel):
            raise Retry("the channel is not available now")
        guild_id = GuildId(channel.guild.id)
        code = self._read(message, guild_id)
        if code:
            # Redeemed before it is hidden: a message that is gone could not be asked for again.
            reply = await self._redeem(message.author_id, guild_id, code, message.author_name)
            await self._hide(message, guild_id)
            await self._tell(message, guild_id, reply)

    async def _take(self, message: ChannelMessage, guild_id: GuildId | None) -> None:
        code = self._read(message, guild_id)
        if code is None:
            await self._hint_if_blind(message, guild_id)
        elif not code:
            how = texts.claim_how(await self._words(message.author_id, guild_id), self._command())
            await self._tell(message, guild_id, _Reply(private=how, public=how))
        elif guild_id is None:
            await self._tell(message, None, await self._reply(message, None, code))
        else:
            # Hidden at once: everybody in the channel can read it.
            reply, _ = await asyncio.gather(self._reply(message, guild_id, code), self._hide(message, guild_id))
            await self._tell(message, guild_id, reply)
            await self._desk.answered(message.message_id)

    def _command(self) -> str:
        can_read = self._calls.connection.require().intents.message_content
        return claim_command(self._prefix if can_read else "")

    def _read(self, message: ChannelMessage, guild_id: GuildId | None) -> str | None:
        bot = self._calls.connection.require()
        bot_id = bot.user.id if bot.user else 0
        return read_claim(message.text, prefix=self._prefix, bot_id=bot_id, is_direct=guild_id is None)

    async def _reply(self, message: ChannelMessage, guild_id: GuildId | None, code: str) -> _Reply:
        try:
            return await self._redeem(message.author_id, guild_id, code, message.author_name)
        except Retry:
            later = (await self._words(message.author_id, guild_id)).say(texts.TRY_AGAIN)
            return _Reply(private=later, public=later)

    async def _redeem(self, user_id: UserId, guild_id: GuildId | None, code: str, name: str) -> _Reply:
        answer = await self._desk.redeem(user_id, guild_id, code)
        words = await self._words(user_id, guild_id or answer.guild_id)
        return _Reply(
            private=texts.claim_answer(words, answer, name=name, is_in_guild=False),
            public=texts.public_answer(words, user_id, answer, seconds=PUBLIC_ANSWER_SECONDS),
        )

    async def _words(self, user_id: UserId, guild_id: GuildId | None) -> Words:
        """Return the words for a message's writer, whose language it does not tell as an interaction does."""
        try:
            wanted = await self._desk.language(user_id, guild_id)
        except Retry:
            wanted = ""
        return self._calls.connection.words(guild_id, wanted)

    async def _hide(self, message: ChannelMessage, guild_id: GuildId) -> None:
        """Delete the message with the code; tell the staff where that is not allowed (threats C07)."""
        try:
            await self._calls.make(
                lambda bot: (
                    bot.get_partial_messageable(message.channel_id).get_partial_message(message.message_id).delete()
                )
            )
        except Gone:
            return
        except (Blocked, Retry) as failure:
            log.warning("code_stays_readable", channel_id=message.channel_id, why=str(failure))
            if isinstance(failure, Blocked):
                await self._desk.deletion_failed(guild_id, message.channel_id)

    async def _tell(self, message: ChannelMessage, guild_id: GuildId | None, reply: _Reply) -> None:
        """Answer by direct message, else in the claim channel by a message that deletes itself."""
        try:
            channel = await self._calls.make(lambda bot: bot.create_dm(discord.Object(message.author_id)))
            await self._calls.make(lambda _bot: channel.send(reply.private))
        except DoorlistError as failure:
            log.info("claim_answer_not_direct", why=str(failure))
            if guild_id is not None and await self._is_claim_channel(message.channel_id, guild_id):
                await self._say_for_a_while(message.channel_id, reply.public)

    # ------------------------------------------------------------------------------------------ blind to content

    async def _hint_if_blind(self, message: ChannelMessage, guild_id: GuildId | None) -> None:
        """Point to /claim where messages come in blank because the message-content intent is missing (threats C12)."""
        if guild_id is None or message.text or self._calls.connection.require().intents.message_content:
            return
        now = asyncio.get_running_loop().time()
        last = self._hinted_at.get(message.channel_id)
        if last is not None and now - last < HINT_PAUSE_SECONDS:
            return
        if await self._is_claim_channel(message.channel_id, guild_id):
            self._hinted_at[message.channel_id] = now
            words = await self._words(message.author_id, guild_id)
            await self._say_for_a_while(message.channel_id, words.say(texts.CANNOT_READ))

    async def _is_claim_channel(self, channel_id: ChannelId, guild_id: GuildId) -> bool:
        return await self._desk.claim_channel(guild_id) == channel_id

    async def _say_for_a_while(self, channel_id: ChannelId, text: str) -> None:
        try:
            await self._calls.make(
                lambda bot: bot.get_partial_messageable(channel_id).send(text, delete_after=PUBLIC_ANSWER_SECONDS)
            )
        except DoorlistError as failure:
            log.warning("claim_answer_not_posted", channel_id=channel_id, why=str(failure))
