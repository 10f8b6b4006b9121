"""Channels: messages, direct messages, invites, webhooks."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sandbox.discord import drafts, errors, payloads
from sandbox.discord.changes import is_content_private
from sandbox.discord.drafts import Draft
from sandbox.discord.faults import Answer
from sandbox.discord.permissions import Permission, bot_member, permissions_in, require, require_assignable
from sandbox.discord.rest.call import NO_CONTENT, Call, RouteTable, ok
from sandbox.discord.rest.guilds import apply_channel
from sandbox.discord.world import Channel, Invite, Json, Message, Overwrite, User

routes = RouteTable()
MESSAGES = "/channels/{channel_id}/messages"
NONCE_LIFETIME = timedelta(minutes=5)


@routes.add("POST", MESSAGES, bucket="message-post")
async def post_message(call: Call) -> Answer:
    """Post as the bot; a nonce that must be unique finds the message it was used for."""
    channel = call.channel(Permission.SEND_MESSAGES)
    if channel.recipient:
        _check_may_write_to(call, channel.recipient)
    if call.files:
        call.channel(Permission.ATTACH_FILES)
    body = call.body or {}
    repeated = _with_nonce(call, channel, body) if body.get("enforce_nonce") else None
    if repeated:
        return ok(payloads.message(repeated))
    message = drafts.new_message(call.world, channel, call.bot, Draft(body=body, files=call.files))
    call.state.changes.message_created(channel, message)
    return ok(payloads.message(message))


@routes.add("GET", MESSAGES)
async def list_messages(call: Call) -> Answer:
    """Return messages newest first: the last, those after an id (the ones nearest to it), or before an id."""
    channel = call.channel(Permission.READ_MESSAGE_HISTORY)
    limit = call.limit(default=50, most=100)
    found: list[Message] = []
    before = int(call.query.get("before", 1 << 63))
    after = int(call.query["after"]) if "after" in call.query else None
    for message in channel.newest_first():
        if after is not None and message.id <= after:
            break
        if message.id < before:
            found.append(message)
            if after is None and len(found) == limit:
                break
    return ok([_as_read(call, each) for each in found[-limit:]])


@routes.add("GET", MESSAGES + "/{message_id}")
async def get_message(call: Call) -> Answer:
    """Return one message."""
    return ok(_as_read(call, call.message(call.channel(Permission.READ_MESSAGE_HISTORY))))


@routes.add("PATCH", MESSAGES + "/{message_id}")
async def edit_message(call: Call) -> Answer:
    """Edit one of the bot's own messages."""
    channel = call.channel()
    message = call.message(channel)
    if message.author.id != call.bot.id:
        raise errors.ApiError(403, 50005, "Cannot edit a message authored by another user")
    drafts.apply_edit(call.world, message, Draft(body=call.body, files=call.files))
    call.state.changes.message_edited(channel, message)
    return ok(payloads.message(message))


@routes.add("DELETE", MESSAGES + "/{message_id}")
async def delete_message(call: Call) -> Answer:
    """Delete an own message, or anybody's with Manage Messages."""
    channel = call.channel()
    message = call.message(channel)
    if message.author.id != call.bot.id:
        if channel.recipient:
            raise errors.ApiError(403, 50003, "Cannot execute action on a DM channel")
        call.channel(Permission.MANAGE_MESSAGES)
    call.state.changes.message_deleted(channel, message)
    return NO_CONTENT


@routes.add("POST", "/channels/{channel_id}/typing")
async def start_typing(call: Call) -> Answer:
    """Accept the typing indicator."""
    call.channel(Permission.SEND_MESSAGES)
    return NO_CONTENT


@routes.add("POST", "/users/@me/channels")
async def open_dm(call: Call) -> Answer:
    """Return the direct-message channel with a user."""
    user = call.world.users.get(int(call.body.get("recipient_id", 0)))
    if user is None or user.id == call.bot.id:
        raise errors.ApiError(400, 50033, "Invalid Recipient(s)")
    return ok(payloads.channel(call.world.dm_with(user)))


@routes.add("GET", "/channels/{channel_id}")
async def get_channel(call: Call) -> Answer:
    """Return a channel."""
    return ok(payloads.channel(call.channel()))


@routes.add("PATCH", "/channels/{channel_id}")
async def change_channel(call: Call) -> Answer:
    """Change a guild's channel."""
    channel = call.channel(Permission.MANAGE_CHANNELS)
    apply_channel(channel, call.body)
    if channel.guild_id is not None:
        call.state.changes.channel_changed(call.world.guilds[channel.guild_id], channel)
    return ok(payloads.channel(channel))


@routes.add("DELETE", "/channels/{channel_id}")
async def delete_channel(call: Call) -> Answer:
    """Delete a guild's channel."""
    channel = call.channel(Permission.MANAGE_CHANNELS)
    if channel.guild_id is not None:
        call.state.changes.channel_deleted(call.world.guilds[channel.guild_id], channel)
    return ok(payloads.channel(channel))


@routes.add("PUT", "/channels/{channel_id}/permissions/{overwrite_id}")
async def set_overwrite(call: Call) -> Answer:
    """Allow and deny permissions to one role or member in a channel; nobody can hand out what the bot lacks."""
    channel = call.channel(Permission.MANAGE_ROLES)
    guild = call.world.guilds[channel.guild_id or 0]
    body = call.body
    allow, deny = int(body.get("allow") or 0), int(body.get("deny") or 0)
    if (allow | deny) & ~permissions_in(guild, bot_member(call.world, guild), channel):
        raise errors.missing_permissions()
    channel.overwrites[call.id("overwrite_id")] = Overwrite(kind=int(body["type"]), allow=allow, deny=deny)
    call.state.changes.channel_changed(guild, channel)
    return NO_CONTENT


@routes.add("DELETE", "/channels/{channel_id}/permissions/{overwrite_id}")
async def delete_overwrite(call: Call) -> Answer:
    """Take an overwrite back."""
    channel = call.channel(Permission.MANAGE_ROLES)
    if channel.overwrites.pop(call.id("overwrite_id"), None) is None:
        raise errors.ApiError(404, 10009, "Unknown Overwrite")
    call.state.changes.channel_changed(call.world.guilds[channel.guild_id or 0], channel)
    return NO_CONTENT


@routes.add("POST", "/channels/{channel_id}/invites")
async def create_invite(call: Call) -> Answer:
    """Make an invite; `role_ids` (2026-01-13) are given to whoever joins by it and need Manage Roles."""
    channel = call.channel(Permission.CREATE_INSTANT_INVITE)
    if channel.guild_id is None:
        raise errors.ApiError(403, 50003, "Cannot execute action on a DM channel")
    guild, body = call.world.guilds[channel.guild_id], call.body or {}
    roles = call.role_ids(guild, body.get("role_ids"))
    me = bot_member(call.world, guild)
    if roles:
        require(guild, me, Permission.MANAGE_ROLES)
        for role_id in roles:
            require_assignable(guild, me, guild.roles[role_id])
    invite = Invite(
        code=secrets.token_urlsafe(6),
        guild_id=guild.id,
        channel_id=channel.id,
        inviter=call.bot,
        created_at=call.world.clock.now(),
        max_age_seconds=_whole(body, "max_age", default=86_400, most=604_800),
        max_uses=_whole(body, "max_uses", default=0, most=100),
        is_temporary=bool(body.get("temporary")),
        roles=roles,
    )
    call.world.invites[invite.code] = invite
    return ok(payloads.invite(invite, call.world))


@routes.add("GET", "/guilds/{guild_id}/invites")
async def list_invites(call: Call) -> Answer:
    """Return a guild's invites."""
    guild, _ = call.guild_requiring(Permission.MANAGE_GUILD)
    found = [each for each in call.world.invites.values() if each.guild_id == guild.id]
    return ok([payloads.invite(each, call.world) for each in found])


@routes.add("GET", "/invites/{code}", access="open")
async def get_invite(call: Call) -> Answer:
    """Return an invite, to anybody who knows its code."""
    return ok(payloads.invite(_invite(call), call.world))


@routes.add("DELETE", "/invites/{code}")
async def delete_invite(call: Call) -> Answer:
    """Delete an invite with Manage Server or Manage Channels."""
    invite = _invite(call)
    guild = call.world.guilds[invite.guild_id]
    require(guild, bot_member(call.world, guild), Permission.MANAGE_GUILD | Permission.MANAGE_CHANNELS)
    del call.world.invites[invite.code]
    return ok(payloads.invite(invite, call.world))


@routes.add("POST", "/channels/{channel_id}/webhooks")
async def create_webhook(call: Call) -> Answer:
    """Make an incoming webhook."""
    channel = call.channel(Permission.MANAGE_WEBHOOKS)
    webhook_id = call.world.ids.next()
    webhook: Json = {
        "id": str(webhook_id),
        "type": 1,
        "name": call.body["name"],
        "avatar": None,
        "channel_id": str(channel.id),
        "guild_id": str(channel.guild_id),
        "application_id": str(call.world.portal.application_id),
        "token": secrets.token_urlsafe(51),
        "user": payloads.user(call.bot),
    }
    call.world.webhooks[webhook_id] = webhook
    return ok(webhook)


def _check_may_write_to(call: Call, user: User) -> None:
    if not call.world.shares_guild_with_bot(user.id):
        raise errors.ApiError(403, 50278, "Cannot send messages to this user due to having no mutual guilds")
    if not user.accepts_dms:
        raise errors.ApiError(403, 50007, "Cannot send messages to this user")


def _with_nonce(call: Call, channel: Channel, body: Json) -> Message | None:
    since = call.world.clock.now() - NONCE_LIFETIME
    for message in channel.newest_first():
        if message.timestamp < since:
            return None
        if message.nonce is not None and message.nonce == body.get("nonce") and message.author.id == call.bot.id:
            return message
    return None


def _as_read(call: Call, message: Message) -> Json:
    has_content = call.world.portal.has_message_content_intent or not is_content_private(call.world, message)
    return payloads.message(message, is_blanked=not has_content)


def _invite(call: Call) -> Invite:
    invite = call.world.invites.get(call.ids["code"])
    if invite is None or invite.is_over(call.world.clock.now()):
        raise errors.unknown("Invite")
    return invite


def _whole(body: Json, key: str, *, default: int, most: int) -> int:
    value = body.get(key)
    if value is None:
        return default
    if not isinstance(value, int) or not 0 <= value <= most:
        raise errors.invalid_form(key, f"int value should be between 0 and {most}.")
    return value
