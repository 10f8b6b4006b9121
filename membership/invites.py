"""The single-use invite of somebody who is outside: what it may put is ours before it is there, and it serves once.

Whoever meets it: linking, verifying and mine show it, transitions forgets it when its member has come in.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from membership.entitlements import Access, decide
from membership.errors import Blocked, Gone, Reason, Retry
from membership.ledgers import Transaction
from membership.model import Grant, GrantId, GrantState, HoldingState, MemberKey, RoleId, UserId
from membership.records import Guild
from membership.services import Services

INVITE_LASTS = timedelta(days=6)
"""Discord ends an invite after a week; one that is shown has to work for a while yet."""

_JOIN_REFUSALS = (
    Reason.SERVER_LIMIT,
    Reason.JOIN_LIMITED,
    Reason.TOKEN_EXPIRED,
    Reason.SCOPE_MISSING,
    Reason.MISSING_ACCESS,
    Reason.MISSING_PERMISSION,
)


def is_outside(grant: Grant) -> bool:
    """Say whether a grant only waits for its member to join, by themselves or because they could not be added."""
    if grant.state is GrantState.PENDING:
        return grant.reason is Reason.NOT_IN_SERVER
    return grant.state is GrantState.FAILED and grant.reason in _JOIN_REFUSALS and not grant.is_over


async def needs_way_in(tx: Transaction, grant: Grant, user_id: UserId) -> bool:
    """Say whether a grant waits for its member to join, who was not seen inside.

    A refusal may be about a role as well as about the way in: whoever is inside needs no invite.
    """
    if not is_outside(grant):
        return False
    row = await tx.members.get(MemberKey(grant.guild_id, user_id))
    return row is None or not row.is_present


async def offer(services: Services, grant: Grant, guild: Guild, user_id: UserId) -> str:
    """Return how somebody outside gets in: the guild's own invite, or one made for them; "" where none can be made."""
    now = services.clock.now()
    if guild.invite_url:
        return guild.invite_url
    async with services.store.read() as tx:
        known = await url_of(tx, grant.id, user_id, now)
    if known:
        return known
    async with services.store.write() as tx:
        roles = await own_what_it_puts(tx, grant.id, MemberKey(guild.id, user_id), now)
    try:
        url = await services.discord.invite(guild.id, guild.invite_channel_id, roles)
    except (Retry, Blocked, Gone):
        # The roles still follow whoever finds another way in.
        return ""
    async with services.store.write() as tx:
        await keep(tx, grant.id, user_id, url, now)
    return url


async def own_what_it_puts(tx: Transaction, grant_id: GrantId, key: MemberKey, now: datetime) -> tuple[RoleId, ...]:
    """Write down as ours the roles that a grant gives its member now, and return them for the invite (law 4)."""
    outcomes = decide(await tx.members.facts(key), now=now).outcomes
    granted = [each for each in outcomes if each.claim.grant.id == grant_id and each.access is Access.GRANTED]
    roles = tuple(sorted(role for outcome in granted for role in outcome.roles))
    for role in roles:
        await tx.members.own(key, role, HoldingState.ADDING, now)
    return roles


async def url_of(tx: Transaction, grant_id: GrantId, user_id: UserId, now: datetime) -> str:
    """Return the invite that was made for this user, "" when there is none that works."""
    made_at, _, url = (await tx.cursors.get(_name(grant_id, user_id)) or "").partition(" ")
    return url if url and datetime.fromisoformat(made_at) + INVITE_LASTS > now else ""


async def keep(tx: Transaction, grant_id: GrantId, user_id: UserId, url: str, now: datetime) -> None:
    """Remember an invite with the moment it was made at."""
    await tx.cursors.put(_name(grant_id, user_id), f"{now.isoformat()} {url}")


async def forget(tx: Transaction, grant_id: GrantId, user_id: UserId) -> None:
    """Take note that an invite was used."""
    if await tx.cursors.get(_name(grant_id, user_id)):
        await tx.cursors.put(_name(grant_id, user_id), "")


def _name(grant_id: GrantId, user_id: UserId) -> str:
    return f"invite:{grant_id}:{user_id}"
