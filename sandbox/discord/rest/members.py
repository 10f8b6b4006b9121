"""Members: look, list, search, change, put in (guilds.join), kick, ban, give and take single roles."""

from __future__ import annotations

from sandbox.discord import errors, payloads
from sandbox.discord.faults import Answer
from sandbox.discord.permissions import (
    Permission,
    permissions_of,
    require,
    require_above_member,
    require_assignable,
)
from sandbox.discord.rest.call import NO_CONTENT, Call, RouteTable, ok
from sandbox.discord.world import Guild, Json, Member, Role, User

routes = RouteTable()
ROLE_PATH = "/guilds/{guild_id}/members/{user_id}/roles/{role_id}"
MEMBER_PATH = "/guilds/{guild_id}/members/{user_id}"


@routes.add("PUT", ROLE_PATH, bucket="member-role")
async def add_role(call: Call) -> Answer:
    """Give one role."""
    guild, member, role = _role_write(call)
    call.state.changes.roles_set(guild, member, member.roles | {role.id}, by=call.bot.id, reason=call.reason)
    return NO_CONTENT


@routes.add("DELETE", ROLE_PATH, bucket="member-role")
async def remove_role(call: Call) -> Answer:
    """Take one role."""
    guild, member, role = _role_write(call)
    call.state.changes.roles_set(guild, member, member.roles - {role.id}, by=call.bot.id, reason=call.reason)
    return NO_CONTENT


@routes.add("GET", "/guilds/{guild_id}/members/search", bucket="member-list")
async def search_members(call: Call) -> Answer:
    """Find members by the beginning of a name."""
    guild, _ = call.guild()
    limit = call.limit(default=1, most=1_000)
    return ok([payloads.member(each) for each in guild.members_named(call.query.get("query", ""), limit)])


@routes.add("GET", MEMBER_PATH, bucket="member-get")
async def get_member(call: Call) -> Answer:
    """Return one member."""
    guild, _ = call.guild()
    return ok(payloads.member(call.member(guild)))


@routes.add("GET", "/guilds/{guild_id}/members", bucket="member-list")
async def list_members(call: Call) -> Answer:
    """Return a page of the member list; needs the members intent to be switched on in the portal."""
    guild, _ = call.guild()
    if not call.world.portal.has_members_intent:
        raise errors.missing_access()
    after, limit = int(call.query.get("after", "0")), call.limit(default=1, most=1_000)
    return ok([payloads.member(each) for each in guild.members_after(after, limit)])


@routes.add("PATCH", "/guilds/{guild_id}/members/@me")
async def change_own_member(call: Call) -> Answer:
    """Set the bot's own nickname."""
    guild, me = call.guild()
    me.nick = call.body.get("nick", me.nick)
    call.state.changes.member_changed(guild, me)
    return ok(payloads.member(me))


@routes.add("PATCH", MEMBER_PATH, bucket="member-patch")
async def change_member(call: Call) -> Answer:
    """Change nickname, timeout or the whole roles list; only roles that differ must be below the bot."""
    guild, me = call.guild()
    member = call.member(guild)
    if call.body.get("roles") is not None:
        require(guild, me, Permission.MANAGE_ROLES)
        roles = call.role_ids(guild, call.body["roles"]) - {guild.id}
        for role_id in roles ^ member.roles:
            require_assignable(guild, me, guild.roles[role_id])
        call.state.changes.roles_set(guild, member, roles, by=call.bot.id, reason=call.reason)
    if "nick" in call.body or "communication_disabled_until" in call.body:
        require_above_member(guild, me, member)
        member.nick = call.body.get("nick", member.nick)
        until = call.body.get("communication_disabled_until", member.communication_disabled_until)
        member.communication_disabled_until = until
        call.state.changes.member_changed(guild, member)
    return ok(payloads.member(member))


@routes.add("PUT", MEMBER_PATH, bucket="member-join")
async def join_member(call: Call) -> Answer:
    """Put a user in with their access token (guilds.join): 201 joined, 204 was there and roles are ignored."""
    guild, me = call.guild_requiring(Permission.CREATE_INSTANT_INVITE)
    user = call.user()
    _check_access_token(call, user)
    if user.id in guild.members:
        return NO_CONTENT
    _check_may_join(guild, user)
    roles = _join_roles(call, guild, me)
    member = call.state.changes.member_joined(guild, user, roles)
    member.nick = call.body.get("nick")
    return ok(payloads.member(member), 201)


@routes.add("DELETE", MEMBER_PATH, bucket="member-kick")
async def kick_member(call: Call) -> Answer:
    """Remove a member below the bot."""
    guild, me = call.guild_requiring(Permission.KICK_MEMBERS)
    member = call.member(guild)
    require_above_member(guild, me, member)
    call.state.changes.member_kicked(guild, member.user, by=call.bot.id, reason=call.reason)
    return NO_CONTENT


@routes.add("GET", "/guilds/{guild_id}/bans")
async def list_bans(call: Call) -> Answer:
    """Return the bans."""
    guild, _ = call.guild_requiring(Permission.BAN_MEMBERS)
    return ok([_ban(call, guild, user_id) for user_id in sorted(guild.bans)][: call.limit(default=1_000, most=1_000)])


@routes.add("GET", "/guilds/{guild_id}/bans/{user_id}")
async def get_ban(call: Call) -> Answer:
    """Return one ban."""
    guild, _ = call.guild_requiring(Permission.BAN_MEMBERS)
    if call.id("user_id") not in guild.bans:
        raise errors.unknown("Ban")
    return ok(_ban(call, guild, call.id("user_id")))


@routes.add("PUT", "/guilds/{guild_id}/bans/{user_id}")
async def ban_user(call: Call) -> Answer:
    """Ban a user, below the bot if a member."""
    guild, me = call.guild_requiring(Permission.BAN_MEMBERS)
    user = call.user()
    if user.id in guild.members:
        require_above_member(guild, me, guild.members[user.id])
    call.state.changes.user_banned(guild, user, by=call.bot.id, reason=call.reason)
    return NO_CONTENT


@routes.add("DELETE", "/guilds/{guild_id}/bans/{user_id}")
async def unban_user(call: Call) -> Answer:
    """Lift a ban."""
    guild, _ = call.guild_requiring(Permission.BAN_MEMBERS)
    if call.id("user_id") not in guild.bans:
        raise errors.unknown("Ban")
    call.state.changes.user_unbanned(guild, call.user(), by=call.bot.id, reason=call.reason)
    return NO_CONTENT


def _role_write(call: Call) -> tuple[Guild, Member, Role]:
    guild, me = call.guild_requiring(Permission.MANAGE_ROLES)
    role = call.role(guild)
    member = call.member(guild)
    require_assignable(guild, me, role)
    return guild, member, role


def _check_access_token(call: Call, user: User) -> None:
    given = call.body.get("access_token")
    if not isinstance(given, str):
        raise errors.invalid_form("access_token", "This field is required")
    token = call.state.authorizations.token(given)
    if token is None or token.user.id != user.id:
        raise errors.ApiError(403, 50025, "Invalid OAuth2 access token")
    if "guilds.join" not in token.scopes:
        raise errors.ApiError(403, 50026, "Missing required OAuth2 scope")


def _check_may_join(guild: Guild, user: User) -> None:
    if user.id in guild.bans:
        raise errors.ApiError(403, 40007, "The user is banned from this guild.")
    if user.is_limited_from_joining:
        raise errors.ApiError(403, 340015, "This user is currently limited from joining servers.")
    if user.is_at_guild_cap:
        raise errors.ApiError(400, 30001, "Maximum number of guilds reached (100)")


def _join_roles(call: Call, guild: Guild, me: Member) -> frozenset[int]:
    roles = call.role_ids(guild, call.body.get("roles"))
    if roles and not permissions_of(guild, me) & Permission.MANAGE_ROLES:
        raise errors.missing_permissions()
    for role_id in roles:
        require_assignable(guild, me, guild.roles[role_id])
    return roles


def _ban(call: Call, guild: Guild, user_id: int) -> Json:
    return {"user": payloads.user(call.world.users[user_id]), "reason": guild.bans[user_id]}
