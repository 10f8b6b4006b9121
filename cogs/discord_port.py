"""`ports.Discord` over discord.py: what membership asks for, one call each. Waiting lives in lanes and queries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import discord
from discord.ext import commands
from discord.http import Route

from cogs import approval_cards, posting, rendering, server_look
from cogs.calls import Calls
from cogs.connection import Connection
from cogs.direct_texts import direct_text
from cogs.lanes import Action, Lanes, Write
from cogs.member_rights import server_rights
from cogs.pacing import RoleLimits
from cogs.queries import MemberQueries, seen
from cogs.roles import Refusal, guild_roles
from membership.errors import Audience, Blocked, Gone, Reason, Retry
from membership.model import ChannelId, GuildId, Lane, MemberKey, MessageId, Observation, RoleId, Seen, UserId
from membership.ports import ChannelMessage, GuildRole, Icon, JoinOutcome, ServerRights

if TYPE_CHECKING:
    from discord.types.member import MemberWithUser

LOOK_UPS_AT_ONCE = 3
MOST_LOOK_UPS = 5
INVITE_SECONDS = 7 * 24 * 3600
AUDIT_REASON_LENGTH = 450
MEMBERS_PER_PAGE = 1000
MOST_MEMBER_PAGES = 2000
"""Two million members."""
LONGEST_ROLE_NAME = 100
NEWS_SECONDS = 0.02
NEWS_LOOKS = 100


class DiscordPort:
    """Implements `membership.ports.Discord`; its failures are the four names, everything else is a bug."""

    def __init__(self, calls: Calls, queries: MemberQueries, site_url: str, limits: RoleLimits | None = None) -> None:
        """Take the way to make calls and to ask the gateway, and the address that invites are made of."""
        self._calls = calls
        self._queries = queries
        self._site_url = site_url.rstrip("/")
        self.lanes = Lanes(self._perform, limits)

    @property
    def _connection(self) -> Connection:
        return self._calls.connection

    # ------------------------------------------------------------------------------------------------- observing

    async def observe(
        self, guild_id: GuildId, user_ids: Sequence[UserId], *, lane: Lane
    ) -> Mapping[UserId, Observation]:
        """Ask the gateway, and REST for what it left out. Raises Retry unless every id has a definite answer."""
        self._connection.require_guild(guild_id)
        if not user_ids:
            return {}
        try:
            answers = dict(await self._queries.ask(guild_id, user_ids, lane))
        except Retry:
            if lane > Lane.EVENT or len(user_ids) > MOST_LOOK_UPS:
                raise
            answers = {}
        missing = [user_id for user_id in user_ids if user_id not in answers]
        return answers | await self._look_up(guild_id, missing)

    async def _look_up(self, guild_id: GuildId, user_ids: Sequence[UserId]) -> dict[UserId, Observation]:
        """Read single members by REST: its 404 with code 10007 or 10013 is a definite "not here"."""
        at_once = asyncio.Semaphore(LOOK_UPS_AT_ONCE)

        async def look_up(user_id: UserId) -> Observation:
            async with at_once:
                try:
                    member = await self._calls.make(lambda bot: bot.http.get_member(guild_id, user_id))
                except (Gone, Blocked) as failure:
                    if _says_absent(failure):
                        return None
                    raise
                return seen(dict(member))

        return dict(zip(user_ids, await asyncio.gather(*map(look_up, user_ids)), strict=True))

    def is_available(self, guild_id: GuildId) -> bool:
        """Say whether the gateway shows the guild as available."""
        return self._connection.guild(guild_id) is not None

    def roles(self, guild_id: GuildId) -> Mapping[RoleId, GuildRole]:
        """Return the guild's roles as the gateway last showed them."""
        guild = self._connection.guild(guild_id)
        return {} if guild is None else guild_roles(guild)

    def permissions(self, guild_id: GuildId) -> frozenset[str]:
        """Return the bot's own permissions in a guild."""
        guild = self._connection.guild(guild_id)
        return frozenset() if guild is None else frozenset(name for name, has in guild.me.guild_permissions if has)

    def guild_name(self, guild_id: GuildId) -> str:
        """Return the server's name, "" when unknown."""
        bot = self._connection.bot
        guild = bot.get_guild(guild_id) if bot else None
        return guild.name if guild else ""

    async def rights(self, key: MemberKey) -> ServerRights | None:
        """Ask Discord about the member and add up what their roles give. Raises Retry, Blocked when it cannot tell."""
        guild = self._connection.require_guild(key.guild_id)
        seen_now = (await self.observe(key.guild_id, [key.user_id], lane=Lane.PERSON))[key.user_id]
        return None if seen_now is None else server_rights(guild, key, seen_now)

    def icon_key(self, guild_id: GuildId) -> str:
        """Return what names the server's picture, "" for none."""
        return server_look.icon_key(self._connection.guild(guild_id))

    async def icon(self, guild_id: GuildId) -> Icon | None:
        """Read the server's picture from Discord's CDN. Raises Retry."""
        return await server_look.read_icon(self._connection.require_guild(guild_id))

    def text_channels(self, guild_id: GuildId) -> Mapping[ChannelId, str]:
        """Return the text channels that the bot sees."""
        return server_look.text_channels(self._connection.guild(guild_id))

    def channels_opened(self, guild_id: GuildId, roles: Collection[RoleId], limit: int) -> Sequence[str]:
        """Return what the roles open, by what the gateway shows."""
        return server_look.channels_opened(self._connection.guild(guild_id), roles, limit)

    def server_size(self, guild_id: GuildId) -> int:
        """Return how many are in the server, 0 when unknown."""
        return server_look.server_size(self._connection.guild(guild_id))

    # --------------------------------------------------------------------------------------------------- writing

    async def add_role(self, key: MemberKey, role_id: RoleId, *, lane: Lane, why: str) -> None:
        """Put one role, by its own PUT: a whole list would overwrite what others do at the same time."""
        await self.lanes.submit(Write(key=key, action=Action.ADD, role_id=role_id, why=why), lane)

    async def remove_role(self, key: MemberKey, role_id: RoleId, *, lane: Lane, why: str) -> None:
        """Take one role away."""
        await self.lanes.submit(Write(key=key, action=Action.REMOVE, role_id=role_id, why=why), lane)

    async def kick(self, key: MemberKey, *, lane: Lane, why: str) -> None:
        """Remove the member from the guild."""
        await self.lanes.submit(Write(key=key, action=Action.KICK, why=why), lane)

    async def _perform(self, write: Write) -> None:
        guild_id, user_id = write.key
        reason = write.why[:AUDIT_REASON_LENGTH] or None
        self._connection.require_guild(guild_id)
        # No time limit here: the call that takes the last token returns when the window resets, long after the act.
        try:
            match write.action, write.role_id:
                case Action.KICK, _:
                    await self._calls.make(lambda bot: bot.http.kick(user_id, guild_id, reason=reason), seconds=None)
                case Action.ADD, int(role_id):
                    await self._calls.make(
                        lambda bot: bot.http.add_role(guild_id, user_id, role_id, reason=reason), seconds=None
                    )
                case Action.REMOVE, int(role_id):
                    await self._calls.make(
                        lambda bot: bot.http.remove_role(guild_id, user_id, role_id, reason=reason), seconds=None
                    )
        except Blocked as failure:
            raise self._named(failure, write) from failure

    def _named(self, failure: Blocked, write: Write) -> Blocked:
        """Tell "the role is above the bot" from "Manage Roles is missing": Discord has one code for both."""
        if failure.reason is not Reason.MISSING_PERMISSION:
            return failure
        if write.action is Action.KICK:
            detail = "Kick Members is missing, or the member's highest role is above mine"
            return Blocked(failure.reason, audience=Audience.OWNER, detail=detail)
        role = self.roles(write.key.guild_id).get(write.role_id) if write.role_id else None
        if role and role.refusal == Refusal.ABOVE_BOT:
            return Blocked(Reason.ROLE_ABOVE_BOT, audience=Audience.OWNER, detail=role.name)
        return failure

    # --------------------------------------------------------------------------------------------------- joining

    async def join(self, key: MemberKey, access_token: str, roles: Sequence[RoleId]) -> JoinOutcome:
        """Add the user to the guild with their own token (guilds.join); discord.py does not wrap this route."""
        guild_id, user_id = key
        route = Route("PUT", "/guilds/{guild_id}/members/{user_id}", guild_id=guild_id, user_id=user_id)
        body = {"access_token": access_token, "roles": [str(role_id) for role_id in roles]}
        added = await self._calls.make(lambda bot: bot.http.request(route, json=body))
        # 201 carries the member; 204 has no body, and Discord has ignored the roles.
        return JoinOutcome.JOINED if added else JoinOutcome.ALREADY_THERE

    async def invite(self, guild_id: GuildId, channel_id: ChannelId | None, roles: Sequence[RoleId]) -> str:
        """Make an invite for one person and a week; with the roles on it where Discord accepts that."""
        guild = self._connection.require_guild(guild_id)
        channel = channel_id or _first_open_channel(guild)
        if channel is None:
            raise Blocked(Reason.MISSING_PERMISSION, audience=Audience.OWNER, detail="no channel to make an invite in")
        route = Route("POST", "/channels/{channel_id}/invites", channel_id=channel)
        plain = {"max_uses": 1, "max_age": INVITE_SECONDS, "unique": True}
        granting = plain | {"role_ids": [str(role_id) for role_id in roles]}
        if roles:
            try:
                return self._invite_url(await self._calls.make(lambda bot: bot.http.request(route, json=granting)))
            except (Blocked, discord.HTTPException):
                # Role-granting invites are new (2026-01) and ask for more; the role follows the join anyway.
                pass
        return self._invite_url(await self._calls.make(lambda bot: bot.http.request(route, json=plain)))

    def _invite_url(self, invite: Mapping[str, object]) -> str:
        return f"{self._site_url}/invite/{invite['code']}"

    async def create_role(self, guild_id: GuildId, name: str, *, why: str) -> RoleId:
        """Make a role: Discord puts a new one at the bottom, where we may give it. Raises Blocked, Retry."""
        self._connection.require_guild(guild_id)
        made = await self._calls.make(
            lambda bot: bot.http.create_role(
                guild_id, reason=why[:AUDIT_REASON_LENGTH], name=name[:LONGEST_ROLE_NAME], permissions="0"
            )
        )
        role_id = RoleId(int(made["id"]))
        # discord.py learns of it from the gateway, some milliseconds after the answer.
        for _ in range(NEWS_LOOKS):
            if role_id in self.roles(guild_id):
                break
            await asyncio.sleep(NEWS_SECONDS)
        return role_id

    # -------------------------------------------------------------------------------------------------- speaking

    async def direct_message(self, user_id: UserId, template: str, facts: Mapping[str, object], *, nonce: str) -> None:
        """Send a direct message, in the member's `language` or the guild's. Raises Blocked(DMS_CLOSED)."""
        card = approval_cards.direct_card(template, facts)
        channel = await self._calls.make(lambda bot: bot.create_dm(discord.Object(user_id)))
        if card is not None:
            await self._calls.make(lambda _bot: channel.send(view=rendering.view(card), nonce=posting.nonce(nonce)))
            return
        guild_id = int(str(facts.get("guild_id") or 0))
        text = direct_text(self._connection.words(guild_id, str(facts.get("language") or "")), template, facts)
        await self._calls.make(lambda _bot: channel.send(text, nonce=posting.nonce(nonce)))

    async def post(self, channel_id: ChannelId, event: str, facts: Mapping[str, object], *, nonce: str) -> MessageId:
        """Post one event-log entry and return the message."""
        return await posting.send(self._calls, channel_id, event, facts, key=nonce)

    async def edit_post(
        self, channel_id: ChannelId, message_id: MessageId, event: str, facts: Mapping[str, object]
    ) -> None:
        """Put another entry in place of a posted one, or say that its problem is over."""
        await posting.edit(self._calls, channel_id, message_id, event, facts)

    async def tell_owner(self, guild_id: GuildId, event: str, facts: Mapping[str, object], *, nonce: str) -> None:
        """Send an event-log entry to the server's owner."""
        guild = self._connection.require_guild(guild_id)
        await posting.tell_owner(self._calls, guild, event, facts, key=nonce)

    async def members_named(self, guild_id: GuildId, beginning: str, limit: int) -> Mapping[UserId, Seen]:
        """Search by REST: unlike the member list it needs no privileged intent; discord.py does not wrap this route."""
        self._connection.require_guild(guild_id)
        route = Route("GET", "/guilds/{guild_id}/members/search", guild_id=guild_id)
        asked = {"query": beginning[:100], "limit": limit}
        found = await self._calls.make(lambda bot: bot.http.request(route, params=asked))
        return {UserId(int(member["user"]["id"])): seen(member) for member in found}

    async def role_holders(self, guild_id: GuildId, role_id: RoleId) -> AsyncIterator[Sequence[UserId]]:
        """List the people who have a role, a page of the member list at a time; Discord cannot filter by role."""
        after = 0
        for _ in range(MOST_MEMBER_PAGES):
            page = await self._calls.make(partial(_read_members, guild_id, after))
            yield [
                UserId(int(member["user"]["id"]))
                for member in page
                if str(role_id) in member["roles"] and not member["user"].get("bot")
            ]
            if len(page) < MEMBERS_PER_PAGE:
                return
            after = max(int(member["user"]["id"]) for member in page)

    async def messages_after(self, channel_id: ChannelId, after: MessageId, limit: int) -> Sequence[ChannelMessage]:
        """Return the messages newer than `after`, oldest first, at most `limit`."""
        return await self._calls.make(lambda bot: _read_messages(bot.get_partial_messageable(channel_id), after, limit))

    async def handle(self, user_id: UserId) -> str:
        """Return how people know a user; a name is a kindness, so trouble gives none."""
        try:
            user = await self._calls.make(lambda bot: bot.http.get_user(user_id))
        except (Retry, Blocked, Gone):
            return ""
        return f"@{user['username']}"

    def channel_name(self, channel_id: ChannelId) -> str:
        """Return a channel's name, "" when unknown."""
        bot = self._connection.bot
        channel = bot.get_channel(channel_id) if bot else None
        return channel.name if isinstance(channel, discord.abc.GuildChannel) else ""

    async def close(self) -> None:
        """Stop queues and queries; whoever waits gets Retry."""
        await self._queries.close()
        await self.lanes.close()


async def _read_members(guild_id: GuildId, after: int, bot: commands.Bot) -> list[MemberWithUser]:
    return await bot.http.get_members(guild_id, MEMBERS_PER_PAGE, after)


async def _read_messages(channel: discord.PartialMessageable, after: MessageId, limit: int) -> list[ChannelMessage]:
    history = channel.history(after=discord.Object(after), limit=limit, oldest_first=True)
    return [posting.channel_message(message) async for message in history]


def _first_open_channel(guild: discord.Guild) -> ChannelId | None:
    """Find a channel that an invite may point at: the system channel, else the first text channel."""
    candidates = ([guild.system_channel] if guild.system_channel else []) + guild.text_channels
    for channel in candidates:
        if channel.permissions_for(guild.me).create_instant_invite:
            return ChannelId(channel.id)
    return None


def _says_absent(failure: Gone | Blocked) -> bool:
    if isinstance(failure, Gone):
        return failure.what == "member"
    return failure.reason is Reason.ACCOUNT_GONE
