"""Between our words and discord.py's objects: embeds, nonces, and a person's message as membership sees it."""

from __future__ import annotations

import hashlib

import discord

from cogs.event_texts import Entry
from membership.model import ChannelId, MessageId, UserId
from membership.ports import ChannelMessage

NONCE_LENGTH = 25


def nonce(key: str) -> str:
    """Fit a dedupe key into Discord's 25 characters; the same key always gives the same nonce."""
    return hashlib.sha256(key.encode()).hexdigest()[:NONCE_LENGTH]


def embed(entry: Entry) -> discord.Embed:
    """Build the embed of an event-log entry (EXPERIENCE 5.2)."""
    built = discord.Embed(
        title=entry.title[:256],
        description="\n".join(entry.lines)[:4000] or None,
        colour=discord.Colour(entry.colour),
        timestamp=entry.at,
    )
    if entry.footer:
        built.set_footer(text=entry.footer)
    return built


def is_from_person(message: discord.Message) -> bool:
    """Say whether a human wrote this: no bot, no webhook, no notice of Discord's own (threats C10)."""
    return not message.author.bot and message.webhook_id is None and not message.is_system()


def channel_message(message: discord.Message) -> ChannelMessage:
    """Reduce a message to what membership may know."""
    return ChannelMessage(
        message_id=MessageId(message.id),
        channel_id=ChannelId(message.channel.id),
        author_id=UserId(message.author.id),
        author_name=message.author.display_name,
        text=message.content,
        is_from_person=is_from_person(message),
    )
