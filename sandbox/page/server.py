"""The DISCORD pane: the demo server as one person sees it, with its channels, messages and members."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from sandbox.discord.command_rules import USER_MENU
from sandbox.discord.offers import Offer, offers
from sandbox.discord.permissions import Permission, permissions_in
from sandbox.discord.world import Channel, Guild, Json, Member, Role
from sandbox.page.composing import OptionField, option_fields
from sandbox.page.conversation import CommandDraft
from sandbox.page.desk import Desk
from sandbox.page.messages import Said, messages, name_of

MEMBERS_SHOWN = 12
DIRECT = "direct"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """A channel in the list; a locked one is not open to the person, one with news is unread."""

    key: str
    name: str
    is_open: bool
    is_chosen: bool
    has_news: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A role on a member."""

    name: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """Somebody in the server."""

    name: str
    face: str
    is_you: bool
    is_owner: bool
    is_bot: bool
    chips: tuple[Chip, ...]
    user_id: int
    menu: tuple[Offer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPane:
    """The whole pane."""

    name: str
    others: tuple[Guild, ...]
    is_inside: bool
    is_bot_below: bool
    channels: tuple[ChannelRow, ...]
    channel: ChannelRow
    messages: tuple[Said, ...]
    members: tuple[MemberRow, ...]
    members_hidden: int
    is_vip_above_bot: bool
    commands: tuple[Offer, ...]
    draft: CommandDraft | None
    options: tuple[OptionField, ...]
    form: Json | None


def server_pane(desk: Desk) -> ServerPane:
    """Look at the server as the person at the desk."""
    guild, world = desk.guild, desk.world.discord.world
    rows = tuple(_channels(desk))
    chosen = next((row for row in rows if row.is_chosen), rows[0])
    shown = list(islice(_in_order(desk), MEMBERS_SHOWN))
    draft, form = desk.talk.draft_of(desk.person), desk.talk.form_of(desk.person)
    menu = tuple(offers(world, desk.person, desk.channel, kind=USER_MENU))
    return ServerPane(
        name=guild.name,
        others=tuple(each for each in desk.servers if each is not guild),
        is_bot_below=bool(roles_above_bot(desk)),
        is_inside=desk.person.id in guild.members,
        channels=rows,
        channel=chosen,
        messages=tuple(messages(desk)) if chosen.is_open else (),
        members=tuple(_member(desk, member, menu) for member in shown),
        members_hidden=len(guild.members) - len(shown),
        is_vip_above_bot=desk.is_vip_above_bot,
        commands=tuple(offers(world, desk.person, desk.channel)) if chosen.is_open else (),
        draft=draft,
        options=tuple(option_fields(draft, world, guild)) if draft else (),
        form=form.modal if form else None,
    )


def roles_above_bot(desk: Desk) -> list[Role]:
    """Return the roles of the server on the page that the bot cannot give."""
    own = desk.world.discord.bot_role(desk.guild)
    return [role for role in desk.guild.roles.values() if role.rank > own.rank]


def _channels(desk: Desk) -> Iterator[ChannelRow]:
    guild = desk.guild
    member = guild.members.get(desk.person.id)
    for channel in guild.channels.values():
        is_open = member is not None and bool(permissions_in(guild, member, channel) & Permission.VIEW_CHANNEL)
        yield ChannelRow(
            key=channel.name or str(channel.id),
            name=f"#{channel.name}",
            is_open=is_open,
            is_chosen=channel is desk.channel,
        )
    is_direct = desk.channel.recipient is not None
    yield ChannelRow(
        key=DIRECT, name="Direct messages", is_open=True, is_chosen=is_direct, has_news=desk.has_unread_message
    )


def _in_order(desk: Desk) -> Iterator[Member]:
    """Return the cast first, then the bot, then everybody else as they came."""
    members = desk.guild.members
    known = [user.id for user in (*desk.people, desk.world.discord.world.bot)]
    first = (members[user_id] for user_id in known if user_id in members)
    return chain(first, (member for user_id, member in members.items() if user_id not in known))


def _member(desk: Desk, member: Member, menu: tuple[Offer, ...]) -> MemberRow:
    guild = desk.guild
    return MemberRow(
        name=desk.world.discord.world.portal.name if member.user.is_bot else name_of(member.user),
        face="bot" if member.user.is_bot else desk.face(member.user),
        is_you=member.user is desk.person,
        is_owner=member.user.id == guild.owner_id,
        is_bot=member.user.is_bot,
        chips=tuple(_chips(desk, guild, member)),
        user_id=member.user.id,
        menu=menu,
    )


def _chips(desk: Desk, guild: Guild, member: Member) -> Iterator[Chip]:
    server = desk.world.seed.server
    tones: dict[Role, str] = {server.vip: "info", server.trial: "ok", server.past_due: "warn", server.staff: "bad"}
    held = sorted((guild.roles[role_id] for role_id in member.roles), key=lambda role: role.rank, reverse=True)
    for role in held:
        if not role.is_managed:
            yield Chip(name=role.name, tone=tones.get(role, "off"))


def channel_of(desk: Desk, key: str) -> Channel:
    """Return a channel by its key in the list. Raises LookupError."""
    if key == DIRECT:
        return desk.world.discord.world.dm_with(desk.person)
    for channel in desk.guild.channels.values():
        if channel.name == key:
            return channel
    raise LookupError("There is no such channel.")
