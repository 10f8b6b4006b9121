"""Somebody at a keyboard in Discord: types commands, presses buttons, picks from lists, fills in forms, reads answers.

`Keyboard(stage, "olga").types("plan list")` returns a `Screen`; `screen.presses("Edit")` goes on from there. Channels
are those of the demo server; an answer in place is the same message with new content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cogs.cards import read_custom_id
from sandbox.discord.interactions import Interaction
from sandbox.discord.screen import controls, visible_text
from sandbox.discord.walking import walk
from sandbox.discord.world import Channel, Json, Message, User
from tests.scenarios.stage import Stage

LINK = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyboard:
    """A person in a channel, the welcome channel unless said otherwise."""

    stage: Stage
    user: User
    channel: Channel

    @classmethod
    def of(cls, stage: Stage, name: str) -> Keyboard:
        """Sit down as somebody of the cast."""
        return cls(stage=stage, user=stage.person(name), channel=stage.outside.seed.server.welcome)

    async def types(self, command: str, *, is_forged: bool = False, **options: str | int | bool) -> Screen:
        """Type a slash command and wait for its answer."""
        invoke = self.stage.outside.discord.invoke
        asked = invoke.command(self.user, self.channel, command, options, is_forged=is_forged)
        return await self._seen(asked)

    async def chooses(self, menu: str, target: str, *, is_forged: bool = False) -> Screen:
        """Right-click somebody and choose a menu command."""
        invoke = self.stage.outside.discord.invoke
        person = self.stage.person(target)
        return await self._seen(invoke.user_menu(self.user, self.channel, menu, person, is_forged=is_forged))

    async def suggestions(self, command: str, option: str, typed: str, **options: str | int | bool) -> list[str]:
        """Type into an option and return the labels that are suggested."""
        return [label for label, _ in await self.offered(command, option, typed, **options)]

    async def offered(
        self, command: str, option: str, typed: str, **options: str | int | bool
    ) -> list[tuple[str, str]]:
        """Type into an option and return the suggestions as (label, value)."""
        invoke = self.stage.outside.discord.invoke
        asked = await invoke.autocomplete(self.user, self.channel, command, (option, typed), options).answered()
        return [(str(each["name"]), str(each["value"])) for each in asked.choices or ()]

    async def presses_on(self, message: Message, label: str) -> Screen:
        """Press a button under a message that stands in a channel."""
        return await self._click(message, _control(message.components, label)["custom_id"])

    async def forges(self, message: Message, custom_id: str, *values: str, kind: int = 2) -> Screen:
        """Send a click that nobody offered."""
        invoke = self.stage.outside.discord.invoke
        return await self._seen(invoke.component(self.user, message, custom_id, values, forged_kind=kind))

    async def _click(self, message: Message, custom_id: str, values: Sequence[str | int] = ()) -> Screen:
        return await self._seen(self.stage.outside.discord.invoke.component(self.user, message, custom_id, values))

    async def _seen(self, asked: Interaction) -> Screen:
        return Screen(keyboard=self, asked=await asked.answered())


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What somebody sees after what they did: an answer, or a form."""

    keyboard: Keyboard
    asked: Interaction

    @property
    def message(self) -> Message:
        """Return the newest answer; the pressed message itself where it was changed in place."""
        if self.asked.messages:
            return self.asked.messages[-1]
        assert self.asked.original is not None, "there is no answer"
        return self.asked.original

    @property
    def text(self) -> str:
        """Return everything that is written on it."""
        if self.asked.modal is not None:
            return str(self.asked.modal["title"])
        return visible_text(self.message)

    @property
    def is_private(self) -> bool:
        """Say whether only this person sees it."""
        return self.message.is_ephemeral

    @property
    def labels(self) -> list[str]:
        """Return the labels of the buttons, links included."""
        return [str(each.get("label", "")) for each in walk(self.message.components) if each["type"] == 2]

    @property
    def fields(self) -> list[str]:
        """Return the labels of the form's fields."""
        assert self.asked.modal is not None, f"no form, but: {self.text}"
        return [str(each["label"]) for each in walk(self.asked.modal["components"]) if each["type"] == 18]

    def offered(self, label: str) -> tuple[tuple[str, str], ...]:
        """Return what a list of the form offers, as (value, label)."""
        assert self.asked.modal is not None, f"no form, but: {self.text}"
        return next(each.choices for each in controls(self.asked.modal["components"]) if each.label == label)

    def arguments(self, label: str) -> tuple[str, ...]:
        """Return what a button carries beside its action."""
        found = read_custom_id(_control(self.message.components, label)["custom_id"])
        assert found is not None, f"{label!r} is none of ours"
        return found[1]

    async def presses(self, label: str) -> Screen:
        """Press a button by its label."""
        return await self.keyboard._click(self.message, _control(self.message.components, label)["custom_id"])

    async def picks(self, *values: str | int, hint: str = "") -> Screen:
        """Choose in a list, the only one or the one whose placeholder begins with `hint`."""
        lists = [each for each in walk(self.message.components) if each["type"] in (3, 5, 6, 7, 8)]
        found = [each for each in lists if str(each.get("placeholder", "")).startswith(hint)]
        assert len(found) == 1, f"lists: {[each.get('placeholder') for each in lists]}"
        return await self.keyboard._click(self.message, found[0]["custom_id"], values)

    async def fills(self, **values: str | int | bool | Sequence[str | int]) -> Screen:
        """Fill in the form by the names of its fields and send it; the others keep what they show."""
        invoke = self.keyboard.stage.outside.discord.invoke
        return await self.keyboard._seen(invoke.modal(self.asked, values))


def _control(components: Sequence[Json], label: str) -> Json:
    buttons = [each for each in walk(components) if each["type"] == 2 and each.get("style") != LINK]
    for each in buttons:
        if each.get("label") == label:
            return each
    raise AssertionError(f"no button {label!r}, but {[each.get('label') for each in buttons]}")
