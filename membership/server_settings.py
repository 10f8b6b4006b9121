"""What a server sets for itself: its channels, its language and time, its rules. Every change can be taken back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from membership import colours, notices
from membership.actors import Actor
from membership.change_kinds import ChangeKind, Json
from membership.desk import Change
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import ChangeId, ChannelId, GuildId, ManualChange, MessageId
from membership.records import DigestRhythm, Guild
from membership.services import Services

SETTABLE = frozenset(
    {
        "claim_channel_id",
        "invite_channel_id",
        "event_channel_id",
        "payment_channel_id",
        "membership_channel_id",
        "invite_url",
        "language",
        "time_zone",
        "digest",
        "digest_hour",
        "manual_change",
        "dms",
        "accent",
        "support_address",
        "imprint",
    }
)
LONGEST_URL = 200
LONGEST_ADDRESS = 254
LONGEST_IMPRINT = 500
MOST_IMPRINT_LINES = 8
_MAIL_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\".]+(\.[^\s@<>()\[\],;:\\\".]+)+")
"""One plain address: what stands below every page and mail is a place to write to, and no header of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A server's settings after a change; `change_id` None: they were so before."""

    guild: Guild
    change_id: ChangeId | None


async def change(services: Services, actor: Actor, values: Mapping[str, object]) -> Changed:
    """Set some of SETTABLE in the actor's server. Raises UserError for what cannot be set or makes no sense."""
    for name, value in values.items():
        check(name, value)
    now = services.clock.now()
    async with services.store.write() as tx:
        guild = await _of(tx, actor.guild_id)
        after = replace(guild, **values)  # type: ignore[arg-type]  # checked above, by name
        change_id = await write_down(tx, actor, (guild, after), now)
        await tx.guilds.replace(after)
    return Changed(guild=after, change_id=change_id)


async def panel_posted(services: Services, actor: Actor, channel_id: ChannelId, message_id: MessageId) -> None:
    """Remember where the panel stands. Not to be taken back: the message is there."""
    now = services.clock.now()
    async with services.store.write() as tx:
        guild = await _of(tx, actor.guild_id)
        await tx.guilds.replace(replace(guild, panel_channel_id=channel_id, panel_message_id=message_id))
        detail = {"channel_id": str(channel_id), "summary": "The panel was posted"}
        await notices.tell(tx, "settings.changed", actor.guild_id, detail, now, actor=str(actor))


async def write_down(
    tx: Transaction, actor: Actor, before_and_after: tuple[Guild, Guild], now: datetime
) -> ChangeId | None:
    """Write down what differs between two states of a server's settings, None for nothing."""
    before, after = map(plain, before_and_after)
    changed = {name for name in before if before[name] != after[name]}
    if not changed:
        return None
    summary = ", ".join(f"{_said(name)}: {_shown(name, before)} → {_shown(name, after)}" for name in sorted(changed))
    made = Change(
        guild_id=actor.guild_id,
        actor=str(actor),
        at=now,
        kind=ChangeKind.GUILD,
        summary=summary,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    change_id = await tx.changes.add(made)
    facts = {"summary": summary, "change_id": int(change_id)}
    await notices.tell(tx, "settings.changed", actor.guild_id, facts, now, actor=str(actor))
    return change_id


def plain(guild: Guild) -> Json:
    """Return what can be set as JSON has it."""
    found = {each.name: getattr(guild, each.name) for each in fields(guild) if each.name in SETTABLE}
    return {name: value.value if isinstance(value, StrEnum) else value for name, value in found.items()}


def read(written: Mapping[str, object]) -> Json:
    """Read back what `plain` wrote, ready for `check` and for a Guild."""
    kinds: Mapping[str, type[StrEnum]] = {"digest": DigestRhythm, "manual_change": ManualChange}
    return {name: kinds[name](str(value)) if name in kinds else value for name, value in written.items()}


def check(name: str, value: object) -> None:
    """Refuse what cannot be set, or not to this. Raises UserError."""
    if name not in SETTABLE:
        raise UserError("There is no such setting.")
    match name, value:
        case "invite_url", str(url) if url and not _is_web_address(url):
            raise UserError("An invite address begins with https:// and has no spaces, such as https://discord.gg/abc.")
        case "time_zone", str(zone) if zone not in time_zones():
            raise UserError(f"There is no time zone “{zone[:60]}”. Write one like Europe/Rome or UTC.")
        case "digest_hour", int(hour) if not 0 <= hour <= 23:
            raise UserError("The hour of the digest is 0 to 23.")
        case "accent", str(colour) if colour and not colours.is_colour(colour):
            raise UserError("A colour has six digits or letters from a to f, such as 3b46c4.")
        case "accent", str(colour) if colour and not colours.is_readable(colour):
            raise UserError("This colour cannot be read on white, where links have it. Choose a darker one.")
        case "support_address", str(address) if address and not _is_mail_address(address):
            raise UserError("Write one mail address, such as help@example.com.")
        case "imprint", str(text) if not _is_small_print(text):
            raise UserError(
                f"The imprint has {LONGEST_IMPRINT} characters and {MOST_IMPRINT_LINES} lines at most, of plain text."
            )
        case _:
            return


@cache
def time_zones() -> tuple[str, ...]:
    """Return the names of all time zones, in order. Kept: to look for them is to walk hundreds of files."""
    return tuple(sorted(available_timezones()))


def _is_web_address(text: str) -> bool:
    if len(text) > LONGEST_URL or any(sign.isspace() for sign in text):
        return False
    parts = urlsplit(text)
    return parts.scheme == "https" and bool(parts.hostname) and not parts.username


def _is_mail_address(text: str) -> bool:
    return len(text) <= LONGEST_ADDRESS and text.isprintable() and _MAIL_ADDRESS.fullmatch(text) is not None


def _is_small_print(text: str) -> bool:
    lines = text.splitlines()
    return len(text) <= LONGEST_IMPRINT and len(lines) <= MOST_IMPRINT_LINES and all(map(str.isprintable, lines))


async def _of(tx: Transaction, guild_id: GuildId) -> Guild:
    guild = await tx.guilds.get(guild_id)
    if guild is None:
        raise UserError("Doorlist is not set up in this server yet.")
    return guild


def _said(name: str) -> str:
    return name.removesuffix("_id").replace("_", " ")


def _shown(name: str, values: Json) -> str:
    value = values[name]
    if value in (None, ""):
        return "none"
    return f"<#{value}>" if name.endswith("_channel_id") else str(value)
