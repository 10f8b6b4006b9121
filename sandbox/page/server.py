"""The DISCORD pane: the demo server as one person sees it, with its channels, messages and members."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice

from markupsafe import Markup

from sandbox.discord.permissions import Permission, permissions_in
from sandbox.discord.walking import walk
from sandbox.discord.world import Channel, Guild, Json, Member, Message, Role, User
from sandbox.page.desk import Desk
from sandbox.page.discord_text import to_html

MESSAGES_SHOWN = 12
MEMBERS_SHOWN = 12
DIRECT = "direct"

_BUTTON, _LINK_STYLE = 2, 5
_TONES = {0x2E8B57: "ok", 0xD64545: "bad", 0xE0A020: "warn", 0x3B7DD8: "info"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """A channel in the list; a locked one is not open to the person."""

    key: str
    name: str
    is_open: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """A box in a message."""

    tone: str
    title: Markup
    text: Markup
    footer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button under a message: a link, or something that the bot answers."""

    label: str
    url: str
    custom_id: str
    is_disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message as it is read; `is_private` ones are seen by the person alone."""

    id: int
    author: str
    face: str
    is_bot: bool
    at: datetime
    text: Markup
    embeds: tuple[Embed, ...] = ()
    buttons: tuple[Button, ...] = ()
    is_private: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPane:
    """The whole pane."""

    name: str
    is_inside: bool
    channels: tuple[ChannelRow, ...]
    channel: ChannelRow
    messages: tuple[Said, ...]
    members: tuple[MemberRow, ...]
    members_hidden: int
    is_vip_above_bot: bool


def server_pane(desk: Desk) -> ServerPane:
    """Look at the server as the person at the desk."""
    server = desk.world.seed.server
    guild = server.guild
    rows = tuple(_channels(desk))
    chosen = next((row for row in rows if row.is_chosen), rows[0])
    shown = list(islice(_in_order(desk), MEMBERS_SHOWN))
    return ServerPane(
        name=guild.name,
        is_inside=desk.person.id in guild.members,
        channels=rows,
        channel=chosen,
        messages=tuple(_messages(desk, chosen)),
        members=tuple(_member(desk, member) for member in shown),
        members_hidden=len(guild.members) - len(shown),
        is_vip_above_bot=desk.is_vip_above_bot,
    )


def _channels(desk: Desk) -> Iterator[ChannelRow]:
    server = desk.world.seed.server
    member = server.guild.members.get(desk.person.id)
    for channel in server.guild.channels.values():
        is_open = member is not None and bool(permissions_in(server.guild, member, channel) & Permission.VIEW_CHANNEL)
        yield ChannelRow(
            key=channel.name or str(channel.id),
            name=f"#{channel.name}",
            is_open=is_open,
            is_chosen=channel is desk.channel,
        )
    is_direct = desk.channel.recipient is not None
    yield ChannelRow(key=DIRECT, name="Direct messages", is_open=True, is_chosen=is_direct)


def _messages(desk: Desk, row: ChannelRow) -> Iterator[Said]:
    guild, world = desk.world.seed.server.guild, desk.world.discord.world
    if not row.is_open:
        return
    if row.key == DIRECT:
        posted = desk.world.discord.direct_messages(desk.person)
    else:
        posted = desk.world.discord.messages(desk.channel)
    said = [_said(desk, message) for message in posted[-MESSAGES_SHOWN:] if not message.is_ephemeral]
    whispers = [
        Said(
            id=0,
            author=world.portal.name,
            face="bot",
            is_bot=True,
            at=whisper.at,
            text=to_html(whisper.text, world, guild),
            is_private=True,
        )
        for whisper in desk.whispers
        if whisper.user is desk.person and whisper.channel is desk.channel
    ]
    yield from sorted([*said, *whispers], key=lambda each: each.at)[-MESSAGES_SHOWN:]


def _said(desk: Desk, message: Message) -> Said:
    guild, world = desk.world.seed.server.guild, desk.world.discord.world
    return Said(
        id=message.id,
        author=world.portal.name if message.author.is_bot else _name(message.author),
        face="bot" if message.author.is_bot else desk.face(message.author),
        is_bot=message.author.is_bot,
        at=message.timestamp,
        text=to_html(message.content, world, guild),
        embeds=tuple(_embed(desk, each) for each in message.embeds),
        buttons=tuple(_button(each) for each in walk(message.components) if each["type"] == _BUTTON),
    )


def _embed(desk: Desk, given: Json) -> Embed:
    guild, world = desk.world.seed.server.guild, desk.world.discord.world
    fields = [f"**{field['name']}**\n{field['value']}" for field in given.get("fields") or ()]
    text = "\n".join(filter(None, [given.get("description") or "", *fields]))
    return Embed(
        tone=embed_tone(given),
        title=to_html(given.get("title") or "", world, guild),
        text=to_html(text, world, guild),
        footer=(given.get("footer") or {}).get("text", ""),
    )


def _button(given: Json) -> Button:
    emoji = (given.get("emoji") or {}).get("name") or ""
    return Button(
        label=f"{emoji} {given.get('label') or ''}".strip() or "Button",
        url=given.get("url", "") if given.get("style") == _LINK_STYLE else "",
        custom_id=given.get("custom_id", ""),
        is_disabled=bool(given.get("disabled")),
    )


def _in_order(desk: Desk) -> Iterator[Member]:
    """Return the cast first, then the bot, then everybody else as they came."""
    cast, members = desk.world.seed.cast, desk.world.seed.server.guild.members
    known = [user.id for user in (cast.ada, cast.ben, cast.kim, cast.olga, desk.world.discord.world.bot)]
    first = (members[user_id] for user_id in known if user_id in members)
    return chain(first, (member for user_id, member in members.items() if user_id not in known))


def _member(desk: Desk, member: Member) -> MemberRow:
    guild = desk.world.seed.server.guild
    return MemberRow(
        name=desk.world.discord.world.portal.name if member.user.is_bot else _name(member.user),
        face="bot" if member.user.is_bot else desk.face(member.user),
        is_you=member.user is desk.person,
        is_owner=member.user.id == guild.owner_id,
        is_bot=member.user.is_bot,
        chips=tuple(_chips(desk, guild, member)),
    )


def _chips(desk: Desk, guild: Guild, member: Member) -> Iterator[Chip]:
    server = desk.world.seed.server
    tones: dict[Role, str] = {server.vip: "info", server.trial: "ok", server.past_due: "warn"}
    held = sorted((guild.roles[role_id] for role_id in member.roles), key=lambda role: role.rank, reverse=True)
    for role in held:
        if not role.is_managed:
            yield Chip(name=role.name, tone=tones.get(role, "off"))


def _name(user: User) -> str:
    return user.global_name or user.username


def channel_of(desk: Desk, key: str) -> Channel:
    """Return a channel by its key in the list. Raises LookupError."""
    if key == DIRECT:
        return desk.world.discord.world.dm_with(desk.person)
    for channel in desk.world.seed.server.guild.channels.values():
        if channel.name == key:
            return channel
    raise LookupError("There is no such channel.")


def embed_tone(given: Json) -> str:
    """Return the tone that is nearest to an embed's colour."""
    return _TONES.get(given.get("color") or 0, "off")
