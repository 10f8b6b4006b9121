"""The settings of a server: one form, every change of which can be taken back. Those of the installation are locked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from aiohttp import web

from locales.catalogue import Words, language_name, locales
from membership import server_settings
from membership.colours import accent_of
from membership.errors import UserError
from membership.model import ChannelId
from membership.policy import POLICY_WORDS, Policy
from membership.records import Guild
from web.admin.setting_words import GROUPS, Kind, Setting, every_setting
from web.site import Site
from web.visits import Form, StaffVisit


def install(site: Site) -> None:
    """Register the pages."""
    site.manager.get("/admin/{guild}/settings", show)
    site.manager.post("/admin/{guild}/settings", send)


async def show(visit: StaffVisit) -> web.Response:
    """Show all settings."""
    return _page(visit, {setting.name: written(setting, visit.guild) for setting in every_setting()})


async def send(visit: StaffVisit) -> web.Response:
    """Store what was changed, all of it or nothing."""
    form = await visit.form()
    typed = {setting.name: _typed(setting, form) for setting in every_setting()}
    values: dict[str, object] = {}
    errors: dict[str, str] = {}
    for setting in every_setting():
        try:
            if typed[setting.name] != written(setting, visit.guild):
                values[setting.name] = _read(visit, setting, typed[setting.name])
                server_settings.check(setting.name, values[setting.name])
        except UserError as error:
            errors[setting.name] = visit.why(error)
    if errors:
        return _page(visit, typed, errors)
    changed = await server_settings.change(visit.services, visit.actor, values)
    if changed.change_id is None:
        return await visit.go(visit.here("/settings"), say=visit.words.say("These are the settings already."))
    return await visit.go(visit.here(f"/settings?changed={changed.change_id}"), say=visit.words.say("Saved."))


def written(setting: Setting, guild: Guild) -> str:
    """Return a present value as the form has it."""
    value = getattr(guild, setting.name)
    if setting.kind is Kind.SWITCH:
        return "on" if value else ""
    return "" if value is None else str(value)


def _page(visit: StaffVisit, typed: Mapping[str, str], errors: Mapping[str, str] | None = None) -> web.Response:
    change_id = visit.query("changed")
    languages = [(name, language_name(name)) for name in sorted(locales())]
    return visit.page(
        "admin/settings.html",
        status=422 if errors else 200,
        errors=errors or {},
        groups=GROUPS,
        typed=typed,
        channels=_channels(visit),
        languages_here=[("", visit.words.say("As in Discord")), *languages],
        change_id=change_id if change_id.isdecimal() else "",
        accent=accent_of(typed["accent"]),
        policy=_locked(visit) if visit.is_operator else [],
    )


def _locked(visit: StaffVisit) -> list[tuple[str, str, str, str]]:
    """Return the rules of the whole installation: name, what it is about, the value, and where that was set."""
    policy, origins = visit.services.policy, visit.parts.origins
    return [
        (
            f"policy.{each.name}",
            POLICY_WORDS[each.name],
            _plainly(getattr(policy, each.name), visit.words),
            origins.get(f"policy.{each.name}", ""),
        )
        for each in fields(Policy)
    ]


def _plainly(value: object, words: Words) -> str:
    if isinstance(value, bool):
        return words.say("yes") if value else words.say("no")
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _channels(visit: StaffVisit) -> list[tuple[str, str]]:
    """Return the text channels by name, and those that are set and cannot be seen now."""
    seen = visit.services.discord.text_channels(visit.guild.id)
    channels = [("", visit.words.say("none")), *((str(channel), f"#{name}") for channel, name in seen.items())]
    names = (setting.name for setting in every_setting() if setting.kind is Kind.CHANNEL)
    lost = {value for name in names if (value := getattr(visit.guild, name)) is not None} - seen.keys()
    return channels + [(str(channel), visit.words.say("a channel that I cannot see")) for channel in sorted(lost)]


def _typed(setting: Setting, form: Form) -> str:
    if setting.kind is Kind.SWITCH:
        return "on" if form.is_on(setting.name) else ""
    text = form.text(setting.name)
    if setting.kind is Kind.COLOUR:
        return text.removeprefix("#").lower()
    return "\n".join(text.splitlines()) if setting.kind is Kind.LONG else text


def _read(visit: StaffVisit, setting: Setting, text: str) -> object:
    """Read what somebody chose or typed for a setting. Raises UserError."""
    say = visit.words.say
    match setting.kind:
        case Kind.CHANNEL:
            known = {str(channel) for channel in visit.services.discord.text_channels(visit.guild.id)}
            if text and text not in known:
                raise UserError(say("Choose a text channel of this server."))
            return ChannelId(int(text)) if text else None
        case Kind.SWITCH:
            return text == "on"
        case Kind.HOUR:
            if not (text.isascii() and text.isdigit() and len(text) < 3):
                raise UserError(say("Write an hour from 0 to 23."))
            return int(text)
        case Kind.CHOICE:
            if text not in dict(setting.choices):
                raise UserError(say("Choose one from the list."))
            return server_settings.read({setting.name: text})[setting.name]
        case Kind.LANGUAGE if text and text not in locales():
            raise UserError(say("Choose one from the list."))
        case _:
            return text
