"""Tell a server that something happened: the audit entry, and the event-log post by the server's notification matrix.

Called where something changed, in the transaction that changes it: the entry's number makes the post unique (law 8).
How posts are sent and edited is in posting.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict, Unpack

from membership.desk import NotifyMode, Post
from membership.events import EVENTS, Event, Route, in_group, route
from membership.ledgers import Transaction
from membership.model import (
    BatchId,
    ChannelId,
    CustomerId,
    GrantId,
    GuildId,
    MessageId,
    Purchase,
    PurchaseKind,
    PurchaseStatus,
    UserId,
)
from membership.records import AuditEntry, Draft

OPEN, SOLVED = "open", "solved"
SOLUTION = "solved"
"""The template of a message that edits a post instead of sending one."""

NOT_POSTED_YET = MessageId(0)
MOST_OPEN = 1000


class About(TypedDict, total=False):
    """Whom and what an event concerns. `problem` is a key that opening and solving events share ("grant:118").

    `key` names what is told once, where that is not the audit entry; `is_silent`: the post of another event tells it.
    """

    actor: str
    user_id: UserId | None
    customer_id: CustomerId | None
    grant_id: GrantId | None
    problem: str
    key: str
    is_silent: bool


async def tell(
    tx: Transaction,
    event: str,
    guild_id: GuildId | None,
    facts: Mapping[str, object],
    now: datetime,
    **about: Unpack[About],
) -> int:
    """Write what happened into the audit, queue its post, and return the audit number.

    `facts` are plain JSON values, without e-mail addresses or a provider's ids; what they may be called is in
    cogs/event_texts.py. An event that is not in EVENTS, and one outside an active server, is written down alone.
    """
    number = await tx.audit.add(_entry(event, guild_id, facts, about), now)
    if guild_id is not None and event in EVENTS and not about.get("is_silent"):
        await _post(tx, EVENTS[event], _told(guild_id, facts, about, number, now))
    return number


async def post(
    tx: Transaction,
    event: str,
    guild_id: GuildId,
    facts: Mapping[str, object],
    now: datetime,
    **about: Unpack[About],
) -> None:
    """Queue the post of what is in the audit already: `facts["number"]` is the entry's. `event` is one of EVENTS."""
    number = int(str(facts["number"]))
    await _post(tx, EVENTS[event], _told(guild_id, facts, about, number, now))


async def tell_everybody(
    tx: Transaction, event: str, facts: Mapping[str, object], now: datetime, **about: Unpack[About]
) -> int:
    """Write down once what concerns the whole of Doorlist, and queue a post in every active server (one of EVENTS)."""
    number = await tell(tx, event, None, facts, now, **about)
    for guild in await tx.guilds.all():
        await _post(tx, EVENTS[event], _told(guild.id, facts, about, number, now))
    return number


async def rhythm(tx: Transaction, event: str, guild_id: GuildId, purchase: Purchase) -> dict[str, object]:
    """Return how often a purchase is paid and when next, as `interval` and `next_at`: only what is known.

    The prices are read only for an event that is posted somewhere.
    """
    guild = await tx.guilds.get(guild_id)
    if event not in EVENTS or guild is None or purchase.kind is not PurchaseKind.SUBSCRIPTION:
        return {}
    way = route(EVENTS[event], await tx.rules.of_guild(guild_id), guild)
    if way.mode is not NotifyMode.EVERY or way.channel_id is None:
        return {}
    bought = {item.price_id for item in purchase.items}
    prices = await tx.accounts.prices(purchase.account_id)
    interval = next((price.interval for price in prices if price.external_id in bought), "")
    known: dict[str, object] = {"interval": interval} if interval else {}
    is_renewing = purchase.status is PurchaseStatus.ACTIVE and purchase.ends_at is None
    if is_renewing and purchase.period_ends_at is not None:
        known["next_at"] = purchase.period_ends_at.isoformat()
    return known


async def solve(tx: Transaction, guild_id: GuildId, problem: str, now: datetime) -> bool:
    """Let the posts about a problem say that it is solved; say whether there was one."""
    openers = [event for event in EVENTS.values() if event.opens]
    return await _settle_problem(tx, guild_id, _keys(problem, openers), now)


async def solve_batches(tx: Transaction, guild_id: GuildId, batches: Sequence[BatchId], now: datetime) -> None:
    """Let the posts about held removals say that there is nothing left to decide."""
    for batch_id in batches:
        await solve(tx, guild_id, brake_problem(batch_id), now)


def brake_problem(batch_id: BatchId) -> str:
    """Name what the brake holds, for its post."""
    return f"brake:{batch_id}"


async def channel_trouble(tx: Transaction, channel_id: ChannelId) -> str:
    """Return why posts to a channel do not arrive, a Reason's value or "channel_gone"; "" while they do."""
    return await tx.cursors.get(_trouble_name(channel_id)) or ""


async def note_channel_trouble(tx: Transaction, channel_id: ChannelId, why: str) -> bool:
    """Remember how posts to a channel fare, "" for well; say whether that is news."""
    if await channel_trouble(tx, channel_id) == why:
        return False
    await tx.cursors.put(_trouble_name(channel_id), why)
    return True


def _trouble_name(channel_id: ChannelId) -> str:
    return f"channel:{channel_id}:trouble"


def _entry(event: str, guild_id: GuildId | None, facts: Mapping[str, object], about: About) -> AuditEntry:
    return AuditEntry(
        event=event,
        actor=about.get("actor", "doorlist"),
        guild_id=guild_id,
        user_id=about.get("user_id"),
        customer_id=about.get("customer_id"),
        grant_id=about.get("grant_id"),
        detail=dict(facts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    guild_id: GuildId
    facts: Mapping[str, object]
    problem: str
    key: str
    now: datetime


def _told(guild_id: GuildId, facts: Mapping[str, object], about: About, number: int, now: datetime) -> _Told:
    user_id, grant_id, actor = about.get("user_id"), about.get("grant_id"), about.get("actor", "doorlist")
    known: dict[str, object] = {"at": now.isoformat(), "number": number}
    if user_id is not None:
        known["user_id"] = str(user_id)
    if grant_id is not None:
        known["grant_id"] = int(grant_id)
    if actor != "doorlist":
        known["actor"] = actor
        # Nobody gives something to themselves silently.
        known["is_to_self"] = user_id is not None and actor == f"staff:{user_id}"
    key = about.get("key") or f"post:{number}:{guild_id}"
    return _Told(guild_id=guild_id, facts={**known, **facts}, problem=about.get("problem", ""), key=key, now=now)


async def _post(tx: Transaction, event: Event, told: _Told) -> None:
    if told.problem and not event.opens:
        keys = _keys(told.problem, [other for other in in_group(event.group) if other.opens])
        is_edited = await _settle_problem(tx, told.guild_id, keys, told.now, is_solved=event.solves)
        if is_edited and event.solves:
            return
    guild = await tx.guilds.get(told.guild_id)
    if guild is None or not guild.is_active:
        return
    way = route(event, await tx.rules.of_guild(told.guild_id), guild)
    if way.mode is NotifyMode.EVERY and way.channel_id is not None:
        await _put(tx, event, told, way, way.channel_id)


async def _put(tx: Transaction, event: Event, told: _Told, way: Route, channel_id: ChannelId) -> None:
    facts = {
        **told.facts,
        "guild_id": str(told.guild_id),
        "is_loud": way.is_loud or told.facts.get("is_to_self") is True,
        "ping_role_id": "" if way.ping_role_id is None else str(way.ping_role_id),
    }
    if told.problem and event.opens:
        facts["problem"] = problem = _key(told.problem, event)
        known = await tx.posts.get(told.guild_id, problem)
        if known is None or known.state != OPEN:
            await tx.posts.put(
                Post(
                    guild_id=told.guild_id,
                    problem_key=problem,
                    channel_id=channel_id,
                    message_id=NOT_POSTED_YET,
                )
            )
    draft = Draft(dedupe_key=told.key, kind="post", target=str(channel_id), template=event.name, facts=facts)
    await tx.outbox.put(draft, told.now)


def _key(problem: str, event: Event) -> str:
    """Name one post about a problem: another kind of trouble with the same thing is another post, and heard."""
    return f"{problem}/{event.name}"


def _keys(problem: str, openers: Sequence[Event]) -> list[str]:
    return [_key(problem, event) for event in openers]


async def _settle_problem(
    tx: Transaction, guild_id: GuildId, keys: Sequence[str], now: datetime, *, is_solved: bool = True
) -> bool:
    """Close open problems and queue the edit of their posts; False when nobody has read of one yet."""
    is_read = False
    for known in await tx.posts.open_among(guild_id, keys):
        await tx.posts.put(replace(known, state=SOLVED))
        if known.message_id != NOT_POSTED_YET:
            await queue_solution(tx, known, now, is_solved=is_solved)
            is_read = True
    return is_read


async def queue_solution(tx: Transaction, known: Post, now: datetime, *, is_solved: bool = True) -> None:
    """Queue the edit that says in a post that its problem is over, once no other problem in that post is open."""
    others = await tx.posts.open(known.guild_id, MOST_OPEN)
    if any(other.message_id == known.message_id for other in others):
        return
    facts = {
        "guild_id": str(known.guild_id),
        "message_id": str(known.message_id),
        "at": now.isoformat(),
        "is_solved": is_solved,
    }
    draft = Draft(
        dedupe_key=f"{SOLUTION}:{known.channel_id}:{known.message_id}",
        kind="post",
        target=str(known.channel_id),
        template=SOLUTION,
        facts=facts,
    )
    await tx.outbox.put(draft, now)
