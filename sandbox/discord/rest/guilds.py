"""The bot itself, its application, the gateway's address, guilds, their channels and audit log."""

from __future__ import annotations

from sandbox.discord import errors, payloads
from sandbox.discord.faults import Answer
from sandbox.discord.permissions import Permission, permissions_of
from sandbox.discord.rest.call import Call, RouteTable, ok
from sandbox.discord.world import Channel, Json, Overwrite

routes = RouteTable()


@routes.add("GET", "/users/@me", access="both")
async def get_me(call: Call) -> Answer:
    """Return the owner of the token: the bot, or a user with as much as the scopes allow."""
    if call.token is None:
        # Of a bot this tells about its owner.
        has_two_factor = call.world.portal.has_owner_two_factor
        return ok(payloads.own_user(call.bot, has_email=False, has_two_factor=has_two_factor))
    if "identify" not in call.token.scopes:
        raise errors.unauthorized()
    return ok(payloads.own_user(call.token.user, has_email="email" in call.token.scopes))


@routes.add("GET", "/users/@me/guilds", access="both")
async def list_my_guilds(call: Call) -> Answer:
    """Return the guilds of the token's owner, shortened."""
    if call.token is not None and "guilds" not in call.token.scopes:
        raise errors.unauthorized()
    owner = call.token.user if call.token else call.bot
    mine = [each for each in call.world.guilds.values() if owner.id in each.members]
    return ok(
        [
            {
                "id": str(guild.id),
                "name": guild.name,
                "icon": guild.icon_hash,
                "banner": None,
                "owner": guild.owner_id == owner.id,
                "permissions": str(int(permissions_of(guild, guild.members[owner.id]))),
                "features": [],
            }
            for guild in mine
        ]
    )


@routes.add("GET", "/users/{user_id}")
async def get_user(call: Call) -> Answer:
    """Return any user."""
    return ok(payloads.user(call.user()))


@routes.add("GET", "/oauth2/applications/@me")
@routes.add("GET", "/applications/@me")
async def get_application(call: Call) -> Answer:
    """Return the bot's application."""
    return ok(payloads.application(call.world))


@routes.add("PATCH", "/applications/@me")
async def change_application(call: Call) -> Answer:
    """Change what a bot may change of its application: the switches of the limited intents, the interactions URL."""
    portal = call.world.portal
    if "flags" in call.body:
        flags = int(call.body["flags"])
        portal.has_members_intent = bool(flags & payloads.MEMBERS_INTENT)
        portal.has_message_content_intent = bool(flags & payloads.CONTENT_INTENT)
    if "interactions_endpoint_url" in call.body:
        portal.interactions_url = call.body["interactions_endpoint_url"] or None
    return ok(payloads.application(call.world))


@routes.add("GET", "/oauth2/@me", access="user")
async def get_authorization(call: Call) -> Answer:
    """Return what the Bearer token is good for."""
    if call.token is None:
        raise errors.unauthorized()
    whole = payloads.application(call.world)
    kept = ("id", "name", "icon", "description", "type", "verify_key", "flags", "flags_new", "bot_public")
    return ok(
        {
            "application": {key: whole[key] for key in kept},
            "scopes": list(call.token.scopes),
            "expires": payloads.moment(call.token.expires_at),
            "user": payloads.user(call.token.user),
        }
    )


@routes.add("GET", "/gateway", access="open")
async def get_gateway(call: Call) -> Answer:
    """Return the gateway's address."""
    return ok({"url": call.state.gateway_url(call.request)})


@routes.add("GET", "/gateway/bot")
async def get_gateway_bot(call: Call) -> Answer:
    """Return the gateway's address and how many sessions may still start today."""
    limit = call.state.gateway.session_start_limit()
    return ok({"url": call.state.gateway_url(call.request), "shards": 1, "session_start_limit": limit})


@routes.add("GET", "/guilds/{guild_id}")
async def get_guild(call: Call) -> Answer:
    """Return a guild, with counts when asked."""
    guild, _ = call.guild()
    body = payloads.guild(guild)
    if call.query.get("with_counts") in ("true", "True", "1"):
        body |= {"approximate_member_count": len(guild.members), "approximate_presence_count": 1}
    return ok(body)


@routes.add("GET", "/guilds/{guild_id}/channels")
async def list_channels(call: Call) -> Answer:
    """Return all channels."""
    guild, _ = call.guild()
    return ok([payloads.channel(each) for each in guild.channels.values()])


@routes.add("POST", "/guilds/{guild_id}/channels")
async def create_channel(call: Call) -> Answer:
    """Make a channel."""
    guild, _ = call.guild_requiring(Permission.MANAGE_CHANNELS)
    channel = Channel(id=call.world.ids.next(), guild_id=guild.id, position=len(guild.channels))
    channel.kind = int(call.body.get("type") or 0)
    apply_channel(channel, call.body)
    call.state.changes.channel_created(guild, channel)
    return ok(payloads.channel(channel), 201)


@routes.add("GET", "/guilds/{guild_id}/audit-logs")
async def get_audit_log(call: Call) -> Answer:
    """Return entries, newest first, filtered by actor, action and id."""
    guild, _ = call.guild_requiring(Permission.VIEW_AUDIT_LOG)
    query, limit = call.query, call.limit(default=50, most=100)
    before, after = int(query.get("before", 1 << 63)), int(query.get("after", 0))
    actor, action = int(query.get("user_id", 0)), int(query.get("action_type", 0))
    found = [
        each
        for each in reversed(guild.audit_log)
        if after < each.id < before and actor in (0, each.user_id) and action in (0, each.action)
    ][:limit]
    users = {each.user_id for each in found} | {each.target_id for each in found}
    body: Json = {"audit_log_entries": [payloads.audit_entry(each) for each in found]}
    body["users"] = [payloads.user(call.world.users[key]) for key in users if key in call.world.users]
    others = ("integrations", "webhooks", "guild_scheduled_events", "threads")
    return ok(body | {key: [] for key in (*others, "application_commands", "auto_moderation_rules")})


def apply_channel(channel: Channel, body: Json) -> None:
    """Set what the body says about a channel. Raises ApiError 50035 for a bad name."""
    name = body.get("name", channel.name)
    if not name or len(name) > 100:
        raise errors.invalid_form("name", "Must be between 1 and 100 in length.")
    channel.name = name
    channel.topic = body.get("topic", channel.topic)
    channel.parent_id = int(body["parent_id"]) if body.get("parent_id") else channel.parent_id
    if body.get("permission_overwrites") is not None:
        channel.overwrites = {
            int(each["id"]): Overwrite(
                kind=int(each["type"]), allow=int(each.get("allow") or 0), deny=int(each.get("deny") or 0)
            )
            for each in body["permission_overwrites"]
        }
