"""The settings of a server in words for its page: groups, names, what each is for, and what it takes. Pure.

What Discord's command says of them: cogs/settings_catalogue.py, in the words of commands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from locales.catalogue import translatable
from membership.model import ManualChange
from membership.records import DigestRhythm


class Kind(StrEnum):
    """What a setting takes."""

    CHANNEL = "channel"
    TEXT = "text"
    LONG = "long"
    CHOICE = "choice"
    LANGUAGE = "language"
    ZONE = "zone"
    HOUR = "hour"
    SWITCH = "switch"
    COLOUR = "colour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting; `name` is its field in Guild. `choices` are pairs of value and label."""

    name: str
    kind: Kind
    title: str
    about: str = ""
    choices: Sequence[tuple[str, str]] = ()
    longest: int = 200


GROUPS: Mapping[str, tuple[str, Sequence[Setting]]] = {
    "look": (
        translatable("Look and small print"),
        (
            Setting(
                name="accent",
                kind=Kind.COLOUR,
                title=translatable("Accent colour"),
                about=translatable("Of buttons and links on your pages and mails, such as 3b46c4. Empty: ours."),
                longest=7,
            ),
            Setting(
                name="support_address",
                kind=Kind.TEXT,
                title=translatable("Support address"),
                about=translatable("A mail address for questions. It stands below every page and mail."),
                longest=254,
            ),
            Setting(
                name="imprint",
                kind=Kind.LONG,
                title=translatable("Imprint"),
                about=translatable("Your name and postal address, where the law asks for them."),
                longest=500,
            ),
        ),
    ),
    "delivery": (
        translatable("Delivery"),
        (
            Setting(
                name="claim_channel_id",
                kind=Kind.CHANNEL,
                title=translatable("Verification channel"),
                about=translatable("Where members type !claim and their code."),
            ),
            Setting(
                name="invite_channel_id",
                kind=Kind.CHANNEL,
                title=translatable("Invite channel"),
                about=translatable("Where invites for buyers from outside lead to."),
            ),
            Setting(
                name="invite_url",
                kind=Kind.TEXT,
                title=translatable("Invite address"),
                about=translatable("A lasting invite of your own, shown where a personal one cannot be made."),
            ),
            Setting(
                name="manual_change",
                kind=Kind.CHOICE,
                title=translatable("When somebody takes a paid role away by hand"),
                choices=(
                    (ManualChange.RESTORE, translatable("Put it back (up to three times a day)")),
                    (ManualChange.ACCEPT, translatable("Leave it away")),
                    (ManualChange.REPORT, translatable("Leave it away and tell staff")),
                ),
            ),
            Setting(
                name="dms",
                kind=Kind.SWITCH,
                title=translatable("Write direct messages to members"),
                about=translatable("Otherwise they get mails alone."),
            ),
        ),
    ),
    "notifications": (
        translatable("What staff see in Discord"),
        (
            Setting(
                name="event_channel_id",
                kind=Kind.CHANNEL,
                title=translatable("Event log"),
                about=translatable("Where staff see what happened. Choose a private channel."),
            ),
            Setting(
                name="payment_channel_id",
                kind=Kind.CHANNEL,
                title=translatable("Payment channel"),
                about=translatable("For payments, where they should not go to the event log."),
            ),
            Setting(
                name="membership_channel_id",
                kind=Kind.CHANNEL,
                title=translatable("Membership channel"),
                about=translatable("For memberships, where they should not go to the event log."),
            ),
            Setting(
                name="digest",
                kind=Kind.CHOICE,
                title=translatable("Digest"),
                about=translatable("A summary in the event log."),
                choices=(
                    (DigestRhythm.DAILY, translatable("Every day")),
                    (DigestRhythm.WEEKLY, translatable("Every week")),
                    (DigestRhythm.OFF, translatable("Never")),
                ),
            ),
            Setting(
                name="digest_hour",
                kind=Kind.HOUR,
                title=translatable("Hour of the digest"),
                about=translatable("0 to 23, in the server's time zone."),
                longest=2,
            ),
        ),
    ),
    "language": (
        translatable("Language and time"),
        (
            Setting(
                name="language",
                kind=Kind.LANGUAGE,
                title=translatable("Language"),
                about=translatable("Of pages and messages for people who chose none."),
            ),
            Setting(
                name="time_zone",
                kind=Kind.ZONE,
                title=translatable("Time zone"),
                about=translatable("Such as Europe/Rome: for the digest, and for dates on these pages."),
                longest=60,
            ),
        ),
    ),
}
"""Every setting of a server, by the id of its group on the page."""


def every_setting() -> Sequence[Setting]:
    """Return the settings of all groups, in order."""
    return [setting for _, settings in GROUPS.values() for setting in settings]
