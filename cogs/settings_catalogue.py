"""Every setting of `/doorlist settings`: its group, its words, what it takes, and how a typed value is read. Pure.

Those of a server are changed here; those of the whole Doorlist (Policy) are shown locked, with where they were set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

from locales.catalogue import language_name, locales
from membership.errors import UserError
from membership.model import ChannelId, ManualChange
from membership.policy import POLICY_WORDS, Policy
from membership.records import DigestRhythm, Guild


class Group(StrEnum):
    """What settings are about, in the order in which they are shown."""

    DELIVERY = "Delivery"
    MESSAGES = "Messages"
    NOTIFICATIONS = "Notifications"
    SAFETY = "Safety"
    LANGUAGE = "Language & time"
    PRIVACY = "Privacy"
    LOOK = "Look of pages & mails"


class Kind(StrEnum):
    """What a setting takes."""

    CHANNEL = "channel"
    TEXT = "text"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of a server; `name` is its field in Guild. `choices` are pairs of value and label."""

    name: str
    group: Group
    title: str
    about: str
    kind: Kind
    choices: tuple[tuple[str, str], ...] = ()
    example: str = ""


def _channel(name: str, group: Group, title: str, about: str) -> Setting:
    return Setting(name=name, group=group, title=title, about=about, kind=Kind.CHANNEL)


SETTINGS: Sequence[Setting] = (
    _channel("claim_channel_id", Group.DELIVERY, "Verification channel", "Where members type !claim and their code"),
    _channel("invite_channel_id", Group.DELIVERY, "Invite channel", "Where invites for buyers outside lead to"),
    Setting(
        name="invite_url",
        group=Group.DELIVERY,
        title="Invite address",
        about="A lasting invite of your own, shown where a personal one cannot be made",
        kind=Kind.TEXT,
        example="https://discord.gg/…",
    ),
    Setting(
        name="manual_change",
        group=Group.DELIVERY,
        title="Role taken by hand",
        about="What happens when somebody takes a paid role away by hand",
        kind=Kind.CHOICE,
        choices=(
            (ManualChange.RESTORE.value, "Put it back (up to three times a day)"),
            (ManualChange.ACCEPT.value, "Leave it away"),
            (ManualChange.REPORT.value, "Leave it away and tell staff"),
        ),
    ),
    Setting(
        name="dms",
        group=Group.MESSAGES,
        title="Direct messages",
        about="Write to members in Discord; otherwise they get mails alone",
        kind=Kind.CHOICE,
        choices=(("yes", "On"), ("no", "Off")),
    ),
    _channel("event_channel_id", Group.NOTIFICATIONS, "Event log", "Where staff see what happened"),
    _channel("payment_channel_id", Group.NOTIFICATIONS, "Payment channel", "Payments, where not to the event log"),
    _channel(
        "membership_channel_id",
        Group.NOTIFICATIONS,
        "Membership channel",
        "Memberships, where not to the event log",
    ),
    Setting(
        name="digest",
        group=Group.NOTIFICATIONS,
        title="Digest",
        about="A summary instead of single messages",
        kind=Kind.CHOICE,
        choices=tuple((rhythm.value, rhythm.value.title()) for rhythm in DigestRhythm),
    ),
    Setting(
        name="digest_hour",
        group=Group.NOTIFICATIONS,
        title="Digest hour",
        about="When it is posted, in the server's time zone",
        kind=Kind.TEXT,
        example="9",
    ),
    Setting(
        name="language",
        group=Group.LANGUAGE,
        title="Language",
        about="Of the panel and of messages to members who chose none",
        kind=Kind.CHOICE,
        choices=(("auto", "As in Discord"), *((name, language_name(name)) for name in sorted(locales()))),
    ),
    Setting(
        name="time_zone",
        group=Group.LANGUAGE,
        title="Time zone",
        about="For the digest and for dates that are typed",
        kind=Kind.TEXT,
        example="Europe/Rome",
    ),
    Setting(
        name="accent",
        group=Group.LOOK,
        title="Accent colour",
        about="Of buttons and links; it has to be dark enough to be read on white",
        kind=Kind.TEXT,
        example="3b46c4",
    ),
    Setting(
        name="support_address",
        group=Group.LOOK,
        title="Support address",
        about="A mail address for questions, below every page and mail",
        kind=Kind.TEXT,
        example="help@example.com",
    ),
)
"""Every setting of a server but its imprint, which takes several lines."""

POLICY_GROUPS: Mapping[str, Group] = {
    "reminder_hours": Group.DELIVERY,
    "code_days": Group.DELIVERY,
    "claim_tries": Group.DELIVERY,
    "claim_window_minutes": Group.DELIVERY,
    "moves_per_30_days": Group.DELIVERY,
    "repairs_per_day": Group.DELIVERY,
    "sweep_members": Group.DELIVERY,
    "reconcile_minutes": Group.DELIVERY,
    "job_attempts": Group.DELIVERY,
    "mails_per_hour": Group.MESSAGES,
    "mails_per_day": Group.MESSAGES,
}
"""Where the settings of the whole Doorlist are shown; what is not here is about safety."""


def policy_words(name: str) -> str:
    """Say what a setting of Policy is about."""
    return POLICY_WORDS.get(name, name)


def policy_group(name: str) -> Group:
    """Return the group of a setting of Policy."""
    return POLICY_GROUPS.get(name, Group.SAFETY)


def policy_names(group: Group) -> list[str]:
    """Return the settings of Policy in a group."""
    return [each.name for each in fields(Policy) if policy_group(each.name) is group]


def named(name: str) -> Setting:
    """Return a setting. Raises UserError for one that does not exist."""
    for setting in SETTINGS:
        if setting.name == name:
            return setting
    raise UserError("There is no such setting. Choose one from the list.")


def read(setting: Setting, text: str) -> object:
    """Read what somebody chose or typed for a setting. Raises UserError.

    A channel is an id, and whoever asks has to check that it is one of the server's.
    """
    value = text.strip()
    match setting.kind:
        case Kind.CHANNEL:
            if value and not value.isdecimal():
                raise UserError("Choose a text channel of this server.")
            return ChannelId(int(value)) if value else None
        case Kind.CHOICE:
            if value not in dict(setting.choices):
                labels = ", ".join(label for _, label in setting.choices)
                raise UserError(f"{setting.title} can be: {labels}.")
            return _CHOSEN[setting.name](value)
        case Kind.TEXT:
            if setting.name == "accent":
                return value.removeprefix("#").lower()
            if setting.name != "digest_hour":
                return value
            if not value.isdecimal() or len(value) > 2:
                raise UserError("The hour of the digest is a number from 0 to 23.")
            return int(value)


def written(setting: Setting, guild: Guild) -> str:
    """Return the present value as a form or a list has it."""
    value = getattr(guild, setting.name)
    match setting.name:
        case "dms":
            return "yes" if value else "no"
        case "language":
            return value or "auto"
        case _:
            return "" if value is None else str(value)


def shown(setting: Setting, guild: Guild) -> str:
    """Return a value for people."""
    value = written(setting, guild)
    match setting.kind:
        case Kind.CHANNEL:
            return f"<#{value}>" if value else "none"
        case Kind.CHOICE:
            return dict(setting.choices).get(value, value)
        case Kind.TEXT:
            return value or "none"


_CHOSEN: Mapping[str, Callable[[str], object]] = {
    "manual_change": ManualChange,
    "digest": DigestRhythm,
    "dms": lambda value: value == "yes",
    "language": lambda value: "" if value == "auto" else value,
}
