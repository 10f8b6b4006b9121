"""Who may see which page: the rights, and what the bot says that somebody may do in a server now.

The answer is kept for a minute, so that staff who lose a role lose the pages within one (issue: "within 60 s").
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from membership.actors import Actor
from membership.browsing import SignIn
from membership.model import GuildId, MemberKey, UserId
from membership.ports import ServerRights
from membership.services import Services


class Right(StrEnum):
    """What somebody has to be to see a page. Of the last four each includes those before it."""

    ANYONE = "anyone"
    CUSTOMER = "customer"
    """Signed in to their own memberships."""
    DESK = "desk"
    """Signed in with Discord as staff, of whichever server, or of none."""
    OPERATOR = "operator"
    STAFF = "staff"
    """Manage Roles in the server of the address."""
    MANAGER = "manager"
    """Manage Server."""
    DATA = "data"
    """Administrator, or the owner."""


KEPT = timedelta(seconds=60)
_MOST_KEPT = 2000


class KnownRights:
    """What Discord said in the last minute."""

    def __init__(self, services: Services) -> None:
        """Take the services whose Discord is asked."""
        self._services = services
        self._known: dict[MemberKey, tuple[ServerRights | None, datetime]] = {}

    async def of(self, key: MemberKey) -> ServerRights | None:
        """Return what somebody may do in a server, None for nobody there. Raises Retry when Discord cannot say."""
        now = self._services.clock.now()
        rights, until = self._known.get(key, (None, now))
        if until > now:
            return rights
        rights = await self._services.discord.rights(key)
        if len(self._known) >= _MOST_KEPT:
            self._known = {each: kept for each, kept in self._known.items() if kept[1] > now}
        self._known[key] = (rights, now + KEPT)
        return rights

    def forget(self, guild_id: GuildId) -> None:
        """Ask again about everybody in a server: the bot has just joined it."""
        self._known = {key: kept for key, kept in self._known.items() if key.guild_id != guild_id}

    async def actor(self, sign_in: SignIn, guild_id: GuildId) -> Actor | None:
        """Return who is signed in as an actor in a server, None for somebody who is no staff there."""
        user_id = sign_in.user_id
        rights = None if user_id is None else await self.of(MemberKey(guild_id, user_id))
        if user_id is None or rights is None or not rights.can_manage_roles:
            return None
        return Actor(
            guild_id=guild_id,
            user_id=user_id,
            name=rights.name or sign_in.name,
            can_staff=True,
            can_manage=rights.can_manage_server,
            can_data=rights.is_administrator,
            is_operator=self.is_operator(user_id),
            top_position=rights.top_position,
        )

    def is_operator(self, user_id: UserId | None) -> bool:
        """Say whether somebody runs this Doorlist."""
        return user_id is not None and int(user_id) in self._services.operators.ids


def may(actor: Actor, right: Right) -> bool:
    """Say whether an actor in a server has a right there."""
    match right:
        case Right.STAFF:
            return actor.can_staff
        case Right.MANAGER:
            return actor.can_manage
        case Right.DATA:
            return actor.can_data
        case _:
            return True
