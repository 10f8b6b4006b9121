"""The cards and forms of `/doorlist settings`. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cogs.cards import Button, Buttons, Card, Choice, Divider, Field, Form, Line, Option, Row, Shape, Text, Tone
from cogs.settings_catalogue import SETTINGS, Group, Kind, Setting, named, policy_names, policy_words, shown, written
from cogs.words import code_text
from membership.model import ChangeId, GuildId
from membership.policy import Policy
from membership.records import Guild

VALUE = "value"
_DEFAULTS = Guild(id=GuildId(0), name="")
_USUAL = Policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What is in force. `origins`: where each setting that is no default was set, by key ("policy.code_days").

    `troubled`: the channels that take no posts.
    """

    guild: Guild
    policy: Policy
    origins: Mapping[str, str] = field(default_factory=dict)
    troubled: Collection[int] = ()


def settings_card(group: Group, values: Values, note: str = "", change_id: ChangeId | None = None) -> Card:
    """Return one group of settings; `note` says what was just changed."""
    undo = () if change_id is None else (Buttons((Button(label="Undo", action="undo", args=(change_id,)),)),)
    lines: list[Line] = [Text(note), *undo, Divider()] if note else []
    lines += [_row(setting, values) for setting in SETTINGS if setting.group is group]
    locked = [_locked(name, values) for name in policy_names(group)]
    if locked:
        lines.append(Text("\n".join(("🔒 Set for this whole Doorlist by whoever runs it:", *locked))))
    lines += [Text(text) for text in (_NOTES.get(group),) if text]
    return Card(title=f"Settings · {group.value}", lines=(*lines, _groups(group)), tone=Tone.NEWS)


def setting_form(setting: Setting, guild: Guild) -> Form:
    """Return the form that changes one setting."""
    return Form(title=setting.title, action="settings-set", args=(setting.name,), fields=(_field(setting, guild),))


def setting_labels(guild: Guild) -> Sequence[tuple[str, str]]:
    """Return every setting with its present value, for suggestions: a channel has no name there."""
    return [(f"{setting.title}: {_plainly(setting, guild)}", setting.name) for setting in SETTINGS]


def changed_text(name: str, guild: Guild) -> str:
    """Say what a setting is now."""
    setting = named(name)
    return f"✅ {setting.title}: {_safely(setting, guild)}"


def _field(setting: Setting, guild: Guild) -> Field:
    value = written(setting, guild)
    asked = Field(name=VALUE, label=setting.title, about=setting.about)
    match setting.kind:
        case Kind.CHANNEL:
            chosen = (int(value),) if value else ()
            return replace(asked, shape=Shape.CHANNELS, is_needed=False, chosen=chosen)
        case Kind.CHOICE:
            options = tuple(
                Option(label=label, value=choice, is_chosen=choice == value) for choice, label in setting.choices
            )
            return replace(asked, shape=Shape.RADIO, options=options)
        case Kind.TEXT:
            is_needed = setting.name in ("time_zone", "digest_hour")
            return replace(asked, value=value, placeholder=setting.example, is_needed=is_needed)


def _row(setting: Setting, values: Values) -> Row:
    guild = values.guild
    usual = shown(setting, _DEFAULTS)
    now = shown(setting, guild)
    is_troubled = setting.kind is Kind.CHANNEL and getattr(guild, setting.name) in values.troubled
    default = "" if usual in (now, "none") else f" (default: {usual})"
    trouble = "\n⚠️ My posts there do not arrive: `/doorlist notify` says why." if is_troubled else ""
    text = f"**{setting.title}**: {_safely(setting, guild)}{default}{trouble}\n-# {setting.about}"
    return Row(text, Button(label="Change", action="settings-edit", args=(setting.name,)))


def _safely(setting: Setting, guild: Guild) -> str:
    value = shown(setting, guild)
    return code_text(value) if setting.kind is Kind.TEXT else value


def _plainly(setting: Setting, guild: Guild) -> str:
    value = shown(setting, guild)
    return "set" if setting.kind is Kind.CHANNEL and value != "none" else value


def _locked(name: str, values: Values) -> str:
    value, usual = getattr(values.policy, name), getattr(_USUAL, name)
    origin = values.origins.get(f"policy.{name}")
    where = f" · set in {code_text(origin)}" if origin else ""
    default = "" if value == usual else f" (default: {_plain(usual)})"
    return f"{policy_words(name)}: **{_plain(value)}**{default}\n-# `policy.{name}`{where}"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _groups(present: Group) -> Choice:
    options = tuple(Option(label=group.value, value=group.name, is_chosen=group is present) for group in Group)
    return Choice(action="settings-group", placeholder="Another group", options=options)


_NOTES: Mapping[Group, str] = {
    Group.LOOK: "-# The imprint has several lines: set it on the pages, which `/doorlist dashboard` opens.",
    Group.NOTIFICATIONS: "-# Single events: `/doorlist notify`. The digest's time: `/doorlist digest`.",
    Group.SAFETY: "-# Stop everything: `/doorlist pause`. What is held: `/doorlist brake`.",
    Group.PRIVACY: (
        "E-mail addresses are masked for everybody without Administrator, and no provider's ids are posted.\n"
        "Bodies of webhooks are kept for 90 days; the record of what was given and taken is kept.\n"
        "Export or erase one person: `/doorlist privacy`."
    ),
}
