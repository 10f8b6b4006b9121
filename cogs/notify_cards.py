"""The cards of `/doorlist notify` and `/doorlist digest`. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from cogs.cards import Button, Buttons, Card, Divider, Line, Text, Tone
from cogs.words import reason_text
from membership.desk import NotifyMode
from membership.notifying import Row
from membership.records import DigestRhythm, Guild

MODES = {NotifyMode.EVERY: "every event", NotifyMode.DIGEST: "daily digest", NotifyMode.OFF: "off"}


def rows_card(rows: Sequence[Row], name: str, change_id: int | None = None) -> Card:
    """Show an event among its neighbours, or a group; `change_id`: what was changed just now."""
    lines: list[Line] = [Text("\n".join(_row(row, is_named=row.event.name == name) for row in rows))]
    troubled = {row.route.channel_id: row.trouble for row in rows if row.trouble}
    lines += [Text(_trouble(channel_id, why)) for channel_id, why in troubled.items()]
    buttons = [Button(label="Send a test of each", action="notify-test", args=(name,))]
    if change_id is not None:
        buttons.append(Button(label="Undo", action="undo", args=(change_id,)))
    lines += [Divider(), Buttons(tuple(buttons))]
    group = rows[0].event.group.value if rows else ""
    return Card(title=f"Notifications: {group}", lines=tuple(lines), tone=Tone.WARN if troubled else Tone.NEWS)


def digest_card(guild: Guild, change_id: int | None = None) -> Card:
    """Show when the digest is posted."""
    at = f"at {guild.digest_hour:02}:00, {guild.time_zone}"
    when = {
        DigestRhythm.OFF: "The digest is off.",
        DigestRhythm.WEEKLY: f"The digest is posted on Mondays {at}.",
        DigestRhythm.DAILY: f"The digest is posted every day {at}.",
    }[guild.digest]
    where = f"It goes to <#{guild.event_channel_id}>." if guild.event_channel_id else "No event log channel is set yet."
    lines: list[Line] = [
        Text(f"{when} {where} A day on which nothing happened has none."),
        Text("-# Change it with /doorlist digest; switch it off in /doorlist settings."),
    ]
    if change_id is not None:
        lines.append(Buttons((Button(label="Undo", action="undo", args=(change_id,)),)))
    return Card(title="Daily digest", lines=tuple(lines), tone=Tone.NEWS)


def tested(sent: int) -> str:
    """Say what a test did."""
    if sent:
        return f"{sent} tests are on their way, without a ping."
    return "Nothing was sent: none of these is posted at once, no channel is set, or there was a test this minute."


def _row(row: Row, *, is_named: bool) -> str:
    title = f"**{row.event.title}**" if is_named else row.event.title
    where = f" → <#{row.route.channel_id}>" if row.route.channel_id and row.route.mode is NotifyMode.EVERY else ""
    ping = f" · pings <@&{row.route.ping_role_id}>" if row.route.ping_role_id else ""
    sound = " · with a sound" if row.route.is_loud and not ping and row.route.mode is NotifyMode.EVERY else ""
    warning = "⚠️ " if row.trouble else ""
    return f"{warning}{title} (`{row.event.name}`): {MODES[row.route.mode]}{where}{ping}{sound}"


def _trouble(channel_id: object, why: str) -> str:
    cause = "it was deleted" if why == "channel_gone" else reason_text(why)
    return (
        f"⚠️ My posts to <#{channel_id}> do not arrive: {cause}. "
        "Choose another channel, or let me view it, send messages and embed links there."
    )
