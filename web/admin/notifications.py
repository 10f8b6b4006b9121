"""What the server hears of, and where: the matrix of events, a form for one of them or a whole group, and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from locales.catalogue import Words, translatable
from membership import notifying
from membership.desk import NotifyMode
from membership.errors import Gone, UserError
from membership.events import EVENTS, Group
from membership.model import ChannelId, RoleId
from membership.notifying import Row, Wish
from web.admin.staff_words import event_title, group_title, reason_text
from web.site import Site
from web.visits import Form, StaffVisit

MOST_CHOICES = 300
MODES: Mapping[NotifyMode, str] = {
    NotifyMode.EVERY: translatable("Post every one"),
    NotifyMode.DIGEST: translatable("Count it in the daily digest"),
    NotifyMode.OFF: translatable("Neither"),
}
_SHORT: Mapping[NotifyMode, tuple[str, str]] = {
    NotifyMode.EVERY: ("ok", translatable("every one")),
    NotifyMode.DIGEST: ("info", translatable("digest")),
    NotifyMode.OFF: ("off", translatable("off")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLine:
    """An event of the matrix in words. `channel` and `ping` are names; `trouble`: why posts do not arrive."""

    name: str
    title: str
    tone: str
    mode: str
    channel: str
    ping: str
    trouble: str
    is_own: bool


def install(site: Site) -> None:
    """Register the pages."""
    site.manager.get("/admin/{guild}/notifications", show_matrix)
    site.manager.get("/admin/{guild}/notifications/{event}", show_form)
    site.manager.post("/admin/{guild}/notifications/{event}", save)
    site.manager.post("/admin/{guild}/notifications/{event}/test", send_test)


async def show_matrix(visit: StaffVisit) -> web.Response:
    """Show how the server hears of every event."""
    rows = await notifying.matrix(visit.services, visit.guild.id)
    groups = [
        (group, group_title(visit.words, group), [_line(visit, row) for row in rows if row.event.group is group])
        for group in Group
    ]
    has_channel = any(row.route.channel_id is not None for row in rows)
    return visit.page("admin/notifications.html", groups=groups, has_channel=has_channel)


async def show_form(visit: StaffVisit) -> web.Response:
    """Ask how an event, or all of a group without a rule of its own, is heard of."""
    name = _name(visit)
    rows = notifying.neighbours(await notifying.matrix(visit.services, visit.guild.id), name)
    row = next((row for row in rows if row.event.name == name), rows[0])
    return await _form(visit, name, row)


async def save(visit: StaffVisit) -> web.Response:
    """Set the rule."""
    name, form = _name(visit), await visit.form()
    errors = _errors(visit, form)
    if not errors:
        wish = Wish(
            name=name,
            mode=NotifyMode(form.text("mode")),
            channel_id=ChannelId(int(form.text("channel"))) if form.text("channel") else None,
            ping_role_id=RoleId(int(form.text("ping"))) if form.text("ping") else None,
        )
        try:
            await notifying.choose(visit.services, visit.actor, wish)
        except UserError as refusal:
            errors = {"ping": visit.why(refusal)}
    if errors:
        rows = notifying.neighbours(await notifying.matrix(visit.services, visit.guild.id), name)
        return await _form(visit, name, rows[0], form=form, errors=errors)
    said = visit.words.say("Saved: {event}.", event=_title(visit.words, name))
    return await visit.go(visit.here("/notifications"), say=said)


async def send_test(visit: StaffVisit) -> web.Response:
    """Post a test of an event, or of each event of a group."""
    name = _name(visit)
    sent = await notifying.send_tests(visit.services, visit.actor, name, is_alone=name in EVENTS)
    if sent:
        said = visit.words.count("{number} test is on its way.", "{number} tests are on their way.", sent)
        return await visit.go(visit.here("/notifications"), say=said)
    said = visit.words.say(
        "Nothing was sent: it is not posted at once, no channel is chosen, or there was a test this minute."
    )
    return await visit.go(visit.here("/notifications"), say=said, tone="info")


# -------------------------------------------------------------------------------------------------------------- parts


async def _form(
    visit: StaffVisit, name: str, row: Row, *, form: Form | None = None, errors: Mapping[str, str] | None = None
) -> web.Response:
    route = row.route
    kept = {
        "mode": form.text("mode") if form else route.mode.value,
        "channel": form.text("channel") if form else (route.channel_id or "") if route.is_own else "",
        "ping": form.text("ping") if form else route.ping_role_id or "",
    }
    return visit.page(
        "admin/notification.html",
        status=422 if errors else 200,
        name=name,
        title=_title(visit.words, name),
        is_group=name in set(Group),
        modes=[(mode.value, visit.words.say(text)) for mode, text in MODES.items()],
        channels=_channels(visit),
        roles=_roles(visit),
        kept=kept,
        errors=errors or {},
    )


def _errors(visit: StaffVisit, form: Form) -> dict[str, str]:
    """Say what was chosen that is not among the choices: forms come from somebody's browser."""
    errors: dict[str, str] = {}
    if form.text("mode") not in set(NotifyMode):
        errors["mode"] = visit.words.say("Choose one of the three.")
    if form.text("channel") not in {value for value, _ in _channels(visit)}:
        errors["channel"] = visit.words.say("Choose a channel of this server from the list.")
    if form.text("ping") not in {value for value, _ in _roles(visit)}:
        errors["ping"] = visit.words.say("Choose a role of this server from the list.")
    return errors


def _channels(visit: StaffVisit) -> Sequence[tuple[str, str]]:
    known = visit.services.discord.text_channels(visit.guild.id)
    listed = [(str(channel_id), f"#{name}") for channel_id, name in list(known.items())[:MOST_CHOICES]]
    return [("", visit.words.say("The group's channel, else the event log")), *listed]


def _roles(visit: StaffVisit) -> Sequence[tuple[str, str]]:
    known = visit.services.discord.roles(visit.guild.id)
    listed = sorted(
        (f"@{role.name}", str(role_id)) for role_id, role in known.items() if int(role_id) != int(visit.guild.id)
    )
    return [("", visit.words.say("Nobody")), *((value, name) for name, value in listed[:MOST_CHOICES])]


def _line(visit: StaffVisit, row: Row) -> RowLine:
    words, discord, route = visit.words, visit.services.discord, row.route
    tone, mode = _SHORT[route.mode]
    is_posted = route.mode is NotifyMode.EVERY
    channel = discord.channel_name(route.channel_id) if route.channel_id and is_posted else ""
    role = discord.roles(visit.guild.id).get(route.ping_role_id) if route.ping_role_id else None
    return RowLine(
        name=row.event.name,
        title=event_title(words, row.event.name),
        tone=tone,
        mode=words.say(mode),
        channel=f"#{channel or route.channel_id}" if route.channel_id and is_posted else "",
        ping=f"@{role.name}" if role else "",
        trouble=_trouble(words, row.trouble) if is_posted else "",
        is_own=route.is_own,
    )


def _trouble(words: Words, why: str) -> str:
    return words.say("the channel was deleted") if why == "channel_gone" else reason_text(words, why) if why else ""


def _title(words: Words, name: str) -> str:
    return group_title(words, Group(name)) if name in set(Group) else event_title(words, name)


def _name(visit: StaffVisit) -> str:
    """Return the event or group of the address. Raises Gone for one that is not in the list."""
    name = visit.path("event")
    if name not in EVENTS and name not in set(Group):
        raise Gone("event")
    return name
