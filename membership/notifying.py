"""What a server wants to hear of: the matrix as it stands, a rule for an event or a group, and a test of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from membership import notices
from membership.actors import Actor
from membership.change_kinds import ChangeKind, rule_json
from membership.desk import Change, NotificationRule, NotifyMode
from membership.errors import UserError
from membership.events import EVENTS, Event, Group, Route, in_group, route
from membership.ledgers import Transaction
from membership.model import ChangeId, ChannelId, GuildId, RoleId
from membership.records import Draft, Guild
from membership.services import Services

SAMPLE: Mapping[str, object] = {
    "plan": "VIP",
    "name": "ada",
    "detail": "This is a test: nothing happened.",
    "summary": "This is a test: nothing happened.",
    "amount": 900,
    "currency": "eur",
}
"""What a test of a row tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event of the matrix and where it goes; `trouble`: why posts to its channel do not arrive, "" when they do."""

    event: Event
    route: Route
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A rule as a person asks for it. `name`: an event's or a group's; a channel or role of None: none of its own."""

    name: str
    mode: NotifyMode
    channel_id: ChannelId | None = None
    ping_role_id: RoleId | None = None


async def matrix(services: Services, guild_id: GuildId) -> Sequence[Row]:
    """Return how a server hears of every event, in the order of the list."""
    async with services.store.read() as tx:
        guild = await _of(tx, guild_id)
        rules = await tx.rules.of_guild(guild_id)
        routes = [(event, route(event, rules, guild)) for event in EVENTS.values()]
        channels = {way.channel_id for _, way in routes if way.channel_id is not None}
        troubles = {channel_id: await notices.channel_trouble(tx, channel_id) for channel_id in sorted(channels)}
    return [
        Row(event=event, route=way, trouble=troubles.get(way.channel_id, "") if way.channel_id else "")
        for event, way in routes
    ]


async def troubled_channels(services: Services, guild: Guild) -> frozenset[ChannelId]:
    """Return those of a server's own channels that take no posts."""
    channels = {guild.event_channel_id, guild.payment_channel_id, guild.membership_channel_id}
    async with services.store.read() as tx:
        return frozenset([each for each in sorted(filter(None, channels)) if await notices.channel_trouble(tx, each)])


def neighbours(rows: Sequence[Row], name: str) -> Sequence[Row]:
    """Return the rows of the group that an event is in, or of the group itself. Raises UserError for neither."""
    group = group_of(name)
    return [row for row in rows if row.event.group is group]


def group_of(name: str) -> Group:
    """Return the group that a name stands for. Raises UserError for one that is not in the list."""
    if name in set(Group):
        return Group(name)
    if name not in EVENTS:
        raise UserError("There is no such event. Choose one from the list.")
    return EVENTS[name].group


async def choose(services: Services, actor: Actor, wish: Wish) -> ChangeId:
    """Set the actor's server's rule for an event or a group, to be taken back by its id. Raises UserError."""
    group_of(wish.name)
    _check_ping(services, actor, wish.ping_role_id)
    now = services.clock.now()
    rule = NotificationRule(
        guild_id=actor.guild_id,
        event=wish.name,
        mode=wish.mode,
        channel_id=wish.channel_id,
        ping_role_id=wish.ping_role_id,
    )
    async with services.store.write() as tx:
        await _of(tx, actor.guild_id)
        before = {known.event: known for known in await tx.rules.of_guild(actor.guild_id)}.get(wish.name)
        await tx.rules.put(rule)
        change = Change(
            guild_id=actor.guild_id,
            actor=str(actor),
            at=now,
            kind=ChangeKind.RULE,
            summary=f"Notifications of {wish.name}: {wish.mode.value}",
            before={} if before is None else rule_json(before),
            after=rule_json(rule),
        )
        change_id = await tx.changes.add(change)
        facts = {"summary": change.summary, "change_id": int(change_id)}
        await notices.tell(tx, "settings.changed", actor.guild_id, facts, now, actor=str(actor))
    services.wake()
    return change_id


async def send_tests(services: Services, actor: Actor, name: str, *, is_alone: bool = False) -> int:
    """Post a test of every row of an event's group that is posted at once; return how many. At most once a minute.

    `is_alone`: of this one event, and not of its neighbours. Raises UserError for a name that is not in the list.
    """
    now = services.clock.now()
    group = group_of(name)
    events = {name} if is_alone else {event.name for event in in_group(group)}
    rows = [row for row in await matrix(services, actor.guild_id) if row.event.name in events]
    sent = 0
    async with services.store.write() as tx:
        for row in rows:
            if row.route.mode is not NotifyMode.EVERY or row.route.channel_id is None:
                continue
            draft = Draft(
                dedupe_key=f"test:{actor.guild_id}:{row.event.name}:{now:%Y-%m-%dT%H:%M}",
                kind="post",
                target=str(row.route.channel_id),
                template=row.event.name,
                facts={**SAMPLE, "guild_id": str(actor.guild_id), "at": now.isoformat(), "actor": str(actor)},
            )
            sent += await tx.outbox.put(draft, now)
    services.wake()
    return sent


def _check_ping(services: Services, actor: Actor, role_id: RoleId | None) -> None:
    """Refuse to ping everybody, and roles of elsewhere."""
    if role_id is None:
        return
    if int(role_id) == int(actor.guild_id):
        raise UserError("I never ping everyone. Choose a role of your staff.")
    if role_id not in services.discord.roles(actor.guild_id):
        raise UserError("There is no such role in this server.")


async def _of(tx: Transaction, guild_id: GuildId) -> Guild:
    guild = await tx.guilds.get(guild_id)
    if guild is None:
        raise UserError("Doorlist is not set up in this server yet.")
    return guild
