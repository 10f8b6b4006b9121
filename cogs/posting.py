"""The event log at Discord: sends and edits posts; and a person's message as membership sees it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import discord

from cogs import digest_texts, event_texts, rendering
from cogs.calls import Calls
from cogs.event_texts import Entry
from cogs.words import code_text
from membership.model import ChannelId, MessageId, UserId
from membership.ports import ChannelMessage

NONCE_LENGTH = 25
LONGEST_DESCRIPTION = 4000
"""Discord takes 4,096, and 6,000 characters in all embeds of a message."""

Facts = Mapping[str, object]


async def send(calls: Calls, channel_id: ChannelId, event: str, facts: Facts, *, key: str) -> MessageId:
    """Post one entry; Discord gives back the first message with a nonce instead of posting a second."""
    owner_id = _owner_id(calls, facts) if facts.get("is_to_self") else None
    sent = await calls.make(
        lambda bot: bot.get_partial_messageable(channel_id).send(
            **_outgoing(event, facts), **_mentions(facts, owner_id), nonce=nonce(key)
        )
    )
    return MessageId(sent.id)


async def edit(calls: Calls, channel_id: ChannelId, message_id: MessageId, event: str, facts: Facts) -> None:
    """Put another entry in place of one, or say in it that its problem is over."""
    if event == "solved":
        message = await calls.make(lambda bot: bot.get_partial_messageable(channel_id).fetch_message(message_id))
        embeds = [_closed(each, event_texts.solved(facts)) for each in message.embeds]
        await calls.make(lambda _bot: message.edit(embeds=embeds, view=None))
        return
    entry = event_texts.entry(event, facts)
    view = rendering.buttons(entry.buttons) if entry.buttons else None
    await calls.make(
        lambda bot: (
            bot.get_partial_messageable(channel_id).get_partial_message(message_id).edit(embed=embed(entry), view=view)
        )
    )


async def tell_owner(calls: Calls, guild: discord.Guild, event: str, facts: Facts, *, key: str) -> None:
    """Send one entry to a server's owner."""
    channel = await calls.make(lambda bot: bot.create_dm(discord.Object(int(guild.owner_id or 0))))
    content = f"**{code_text(guild.name)}**"
    await calls.make(lambda _bot: channel.send(content, **_outgoing(event, facts), nonce=nonce(key)))


def _outgoing(event: str, facts: Facts) -> dict[str, Any]:
    entry = digest_texts.entry(facts) if event == "digest" else event_texts.entry(event, facts)
    outgoing: dict[str, Any] = {"embed": embed(entry), "silent": not facts.get("is_loud")}
    if entry.buttons:
        outgoing["view"] = rendering.buttons(entry.buttons)
    listing = event_texts.listing(facts)
    if listing:
        outgoing["file"] = discord.File(io.BytesIO(listing.encode()), filename="members.txt")
    return outgoing


def _mentions(facts: Facts, owner_id: int | None) -> dict[str, Any]:
    """Name whom a post pings: the role that the server chose for it, and the owner where staff gave to themselves."""
    role_id = str(facts.get("ping_role_id") or "")
    named = [f"<@&{role_id}>" if role_id else "", f"<@{owner_id}>" if owner_id else ""]
    content = " ".join(each for each in named if each)
    if not content:
        return {}
    roles = [discord.Object(int(role_id))] if role_id else []
    users = [discord.Object(owner_id)] if owner_id else []
    allowed = discord.AllowedMentions(everyone=False, roles=roles, users=users, replied_user=False)
    return {"content": content, "allowed_mentions": allowed}


def _owner_id(calls: Calls, facts: Facts) -> int | None:
    guild = calls.connection.guild(int(str(facts.get("guild_id") or 0)))
    return guild.owner_id if guild else None


def _closed(embed: discord.Embed, line: str) -> discord.Embed:
    closed = embed.copy()
    closed.colour = discord.Colour(event_texts.GREEN)
    closed.description = f"{(embed.description or '')[:LONGEST_DESCRIPTION]}\n**{line}**".strip()
    return closed


def nonce(key: str) -> str:
    """Fit a dedupe key into Discord's 25 characters; the same key always gives the same nonce."""
    return hashlib.sha256(key.encode()).hexdigest()[:NONCE_LENGTH]


def embed(entry: Entry) -> discord.Embed:
    """Build the embed of an event-log entry (EXPERIENCE 5.2)."""
    built = discord.Embed(
        title=entry.title[:256],
        description="\n".join(entry.lines)[:LONGEST_DESCRIPTION] or None,
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
