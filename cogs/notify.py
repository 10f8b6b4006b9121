"""`/doorlist notify` and `/doorlist digest`: which events go where; and the Retry button under posts."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs.cards import notice
from cogs.frame import Frame
from cogs.notify_cards import MODES, digest_card, rows_card, tested
from cogs.panel import own_channel
from cogs.requests import Request
from cogs.suggestions import Choices, choices
from membership import binding, notifying, server_settings
from membership.desk import NotifyMode
from membership.errors import UserError
from membership.events import EVENTS, Group
from membership.model import Lane, MemberKey, RoleId, UserId
from membership.notifying import Wish
from membership.records import DigestRhythm

MODE_CHOICES = [app_commands.Choice(name=label, value=mode.value) for mode, label in MODES.items()]


async def events(_interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest groups and events, the groups first."""
    groups = [(f"All of {group.value}", group.value) for group in Group]
    single = [(f"{event.group.value}: {event.title}", event.name) for event in EVENTS.values()]
    named = [(label, name) for label, name in [*groups, *single] if typed and typed.strip().lower() in name]
    return choices(named) if named else choices([*groups, *single], typed)


async def hours(_interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest the hours of the day."""
    return choices([(f"{hour:02}:00", str(hour)) for hour in range(24)], typed)


async def zones(_interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest time zones."""
    return choices([(zone, zone) for zone in server_settings.time_zones()], typed)


class Notify(commands.Cog):
    """Sets what a server hears of."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        self._services = frame.services
        frame.add_to_doorlist("notify", "Choose which events are posted where", self.notify)
        frame.add_to_doorlist("digest", "Choose when the daily digest is posted", self.digest)
        frame.on("notify-test", self._test)
        frame.on("digest-change", self._show_digest)
        frame.on("retry", self._retry)

    @app_commands.describe(
        event="An event, or a whole group",
        mode="Post every one, count it in the digest, or neither",
        channel="Where it is posted; leave it empty for the group's channel or the event log",
        ping="A role to ping with it",
    )
    @app_commands.autocomplete(event=events)
    @app_commands.choices(mode=MODE_CHOICES)
    async def notify(
        self,
        interaction: discord.Interaction,
        event: str,
        mode: str,
        channel: discord.TextChannel | None = None,
        ping: discord.Role | None = None,
    ) -> None:
        """Set where an event or a group goes, and show it among its neighbours."""
        request = Request.of(interaction)
        wish = Wish(
            name=_event_name(event),
            mode=_mode(mode),
            channel_id=None if channel is None else own_channel(request, channel.id),
            ping_role_id=None if ping is None else RoleId(ping.id),
        )
        change_id = await notifying.choose(self._services, request.actor, wish)
        rows = await notifying.matrix(self._services, request.guild_id)
        await request.show(rows_card(notifying.neighbours(rows, wish.name), wish.name, change_id))

    @app_commands.describe(
        time="The hour it is posted",
        timezone="Your time zone, such as Europe/Rome",
        weekly_only="Only on Mondays, about the week",
    )
    @app_commands.autocomplete(time=hours, timezone=zones)
    async def digest(
        self, interaction: discord.Interaction, time: str, timezone: str = "", weekly_only: bool | None = None
    ) -> None:
        """Set when the digest is posted."""
        request = Request.of(interaction)
        values: dict[str, object] = {"digest_hour": _hour(time)}
        if timezone:
            values["time_zone"] = timezone
        if weekly_only is not None:
            values["digest"] = DigestRhythm.WEEKLY if weekly_only else DigestRhythm.DAILY
        changed = await server_settings.change(self._services, request.actor, values)
        await request.show(digest_card(changed.guild, changed.change_id))

    async def _show_digest(self, request: Request) -> None:
        async with self._services.store.read() as tx:
            guild = await tx.guilds.get(request.guild_id)
        if guild is not None:
            await request.show(digest_card(guild))

    async def _test(self, request: Request) -> None:
        name = request.args[0] if request.args else ""
        await request.add(notice(tested(await notifying.send_tests(self._services, request.actor, name))))

    async def _retry(self, request: Request) -> None:
        """Look at a member now: law 1, whoever asks only marks."""
        user_id = request.args[0] if request.args else ""
        if not user_id.isdecimal():
            raise UserError("This button is from an older version of Doorlist.")
        key = MemberKey(request.guild_id, UserId(int(user_id)))
        async with self._services.store.write() as tx:
            if not (await tx.members.facts(key)).claims:
                raise UserError("There is no such member with a purchase in this server.")
            await binding.mark(tx, [key], Lane.PERSON, self._services.clock.now())
        self._services.wake()
        await request.say("I am trying again now. The post changes when it worked.")


def _mode(text: str) -> NotifyMode:
    if text not in set(NotifyMode):
        raise UserError("Choose one of the three: every event, daily digest, off.")
    return NotifyMode(text)


def _event_name(text: str) -> str:
    """Return the name that a title stands for, when somebody typed it instead of choosing; else the text."""
    wanted = text.strip().lower()
    return next((event.name for event in EVENTS.values() if event.title.lower() == wanted), wanted)


def _hour(text: str) -> int:
    hour, _, minutes = text.strip().partition(":")
    if not hour.isdecimal() or int(hour) > 23 or minutes.strip("0"):
        raise UserError("Choose a full hour from 00:00 to 23:00.")
    return int(hour)
