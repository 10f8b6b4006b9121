"""What a server wants to hear of, and the posts about problems that are edited when those are solved."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.desk import NotificationRule, Post
from membership.model import GuildId
from storage.desk_tables import notification_rules, posts
from storage.statements import insert_into


class NotificationRules:
    """A server's own rules, which one transaction reads once."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._known: dict[GuildId, Sequence[NotificationRule]] = {}

    async def of_guild(self, guild_id: GuildId) -> Sequence[NotificationRule]:
        """Return a guild's rules, by event."""
        if guild_id not in self._known:
            found = await self._connection.execute(
                select(notification_rules)
                .where(notification_rules.c.guild_id == guild_id)
                .order_by(notification_rules.c.event)
            )
            self._known[guild_id] = [NotificationRule(**row) for row in found.mappings()]
        return self._known[guild_id]

    async def put(self, rule: NotificationRule) -> None:
        """Set the rule for an event or a group."""
        self._known.clear()
        values = asdict(rule)
        key = [notification_rules.c.guild_id, notification_rules.c.event]
        await self._connection.execute(
            insert_into(self._connection, notification_rules)
            .values(values)
            .on_conflict_do_update(index_elements=key, set_=values)
        )

    async def clear(self, guild_id: GuildId, event: str) -> None:
        """Go back to the default."""
        self._known.clear()
        await self._connection.execute(
            delete(notification_rules).where(
                notification_rules.c.guild_id == guild_id, notification_rules.c.event == event
            )
        )


class Posts:
    """Problems that were posted."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, guild_id: GuildId, problem_key: str) -> Post | None:
        """Return the post about a problem."""
        found = await self._connection.execute(
            select(posts).where(posts.c.guild_id == guild_id, posts.c.problem_key == problem_key)
        )
        row = found.mappings().one_or_none()
        return None if row is None else Post(**row)

    async def open_among(self, guild_id: GuildId, problem_keys: Collection[str]) -> Sequence[Post]:
        """Return those of these problems' posts that are not solved."""
        found = await self._connection.execute(
            select(posts).where(
                posts.c.guild_id == guild_id, posts.c.problem_key.in_(problem_keys), posts.c.state == "open"
            )
        )
        return [Post(**row) for row in found.mappings()]

    async def put(self, post: Post) -> None:
        """Remember where a problem was posted, and whether it is solved."""
        values = asdict(post)
        await self._connection.execute(
            insert_into(self._connection, posts)
            .values(values)
            .on_conflict_do_update(index_elements=[posts.c.guild_id, posts.c.problem_key], set_=values)
        )

    async def open(self, guild_id: GuildId, limit: int) -> Sequence[Post]:
        """Return the posts about problems that are not solved."""
        found = await self._connection.execute(
            select(posts)
            .where(posts.c.guild_id == guild_id, posts.c.state == "open")
            .order_by(posts.c.problem_key)
            .limit(limit)
        )
        return [Post(**row) for row in found.mappings()]
