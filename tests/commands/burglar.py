"""Somebody with every right in one server who forges the ids of another into whatever Discord's client can send.

Everything that is answered is read in full: text, buttons, lists, forms, suggestions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.discord.command_rules import SUB_COMMAND, USER_MENU
from sandbox.discord.component_rules import (
    CHANNEL_SELECT,
    CHECKBOX,
    ROLE_SELECT,
    STRING_SELECT,
    TEXT_INPUT,
    USER_SELECT,
)
from sandbox.discord.interactions import Interaction
from sandbox.discord.offers import ATTACHMENT, BOOLEAN, CHANNEL, INTEGER, NUMBER, ROLE, USER
from sandbox.discord.walking import walk
from sandbox.discord.world import Json, User
from tests.commands.keyboard import Keyboard

TOO_OFTEN = "That was a lot at once"
"""The answer that would hide all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loot:
    """What somebody might know of the other server, and the secrets that no answer may say.

    `ids` are ours, as text; `arguments` are those of a custom_id; `letter` is in every name, to be typed into options.
    Nothing here is written as a secret is: what people of the own server write down is shown to them again.
    """

    letter: str
    ids: tuple[str, ...]
    arguments: tuple[tuple[str, ...], ...]
    plan: str
    mail: str
    users: tuple[User, ...]
    role: int
    channel: int
    secrets: frozenset[str]


@dataclass(slots=True, kw_only=True)
class Burglar:
    """Sends what was forged from several seats in turn, since nobody may press that often; `found` are the leaks."""

    seats: Sequence[Keyboard]
    loot: Loot
    found: list[str] = field(default_factory=list)
    sent: int = 0
    _cards: dict[int, Interaction] = field(default_factory=dict)

    async def invokes(self, command: Json, path: str, options: Sequence[Json]) -> None:
        """Invoke a command with every option forged, as names and as ids, and type into its options."""
        forged: dict[str, Any] = {}
        for turn in range(2 if options or command["type"] == USER_MENU else 1):
            forged = {each["name"]: self._option(each, turn) for each in options if each["type"] != ATTACHMENT}
            at, invoke = self._next()
            if command["type"] == USER_MENU:
                asked = invoke.user_menu(at.user, at.channel, path, self.loot.users[turn], is_forged=True)
            else:
                asked = invoke.command(at.user, at.channel, path, forged, is_forged=True)
            await self._fills_in(path, await self._reads(f"{path} {forged}", asked))
        for option in (each["name"] for each in options if each.get("autocomplete")):
            at, invoke = self._next()
            asked = invoke.autocomplete(at.user, at.channel, path, (option, self.loot.letter), forged)
            await self._reads(f"suggestions of {path} {option}", asked)

    async def presses(self, action: str) -> None:
        """Press an action with its arguments and choices forged."""
        for args in self.loot.arguments:
            at, invoke = self._next()
            card = (await self._card(at)).messages[-1]
            custom_id, values = ":".join(("door", action, *args)), (args[0], self.loot.role)
            asked = invoke.component(at.user, card, custom_id, values, forged_kind=STRING_SELECT)
            await self._fills_in(action, await self._reads(f"{action} {args}", asked))

    async def _fills_in(self, what: str, opened: Interaction) -> None:
        if opened.modal is None:
            return
        fields = [each for each in walk(opened.modal["components"]) if "custom_id" in each]
        for turn in range(2):
            filled = {each["custom_id"]: self._field(each, turn) for each in fields}
            _, invoke = self._next()
            await self._reads(f"form of {what} {filled}", invoke.modal(opened, filled, is_forged=True))

    async def _reads(self, what: str, asked: Interaction) -> Interaction:
        answered = await asked.answered()
        messages = [[each.content, each.components, each.embeds] for each in answered.messages]
        shown = json.dumps([answered.modal, answered.choices, messages], ensure_ascii=False)
        said = [secret for secret in (*self.loot.secrets, TOO_OFTEN) if secret in shown]
        if said:
            self.found.append(f"{what} says {said}: {shown[:600]}")
        return answered

    async def _card(self, at: Keyboard) -> Interaction:
        """Return an answer of the bot to press on."""
        if at.user.id not in self._cards:
            asked = at.stage.outside.discord.invoke.command(at.user, at.channel, "membership")
            self._cards[at.user.id] = await asked.answered()
        return self._cards[at.user.id]

    def _next(self) -> tuple[Keyboard, Any]:
        self.sent += 1
        at = self.seats[self.sent % len(self.seats)]
        return at, at.stage.outside.discord.invoke

    def _option(self, option: Json, turn: int) -> Any:
        if option.get("choices"):
            return option["choices"][turn % len(option["choices"])]["value"]
        kind = option["type"]
        if kind in (INTEGER, NUMBER):
            return max(option.get("min_value", 1), 1)
        by_kind = {BOOLEAN: True, USER: self.loot.users[turn].id, ROLE: self.loot.role, CHANNEL: self.loot.channel}
        name = self.loot.plan if option["name"] == "plan" else self.loot.mail
        return by_kind.get(kind, self.loot.ids[0] if turn else name)

    def _field(self, given: Json, turn: int) -> Any:
        kind, loot = given["type"], self.loot
        if kind == TEXT_INPUT:
            return (loot.mail, str(loot.users[0].id))[turn][: given.get("max_length", 100)]
        by_kind = {USER_SELECT: loot.users[turn].id, ROLE_SELECT: loot.role, CHANNEL_SELECT: loot.channel}
        if kind in by_kind:
            return [by_kind[kind]]
        return True if kind == CHECKBOX else [loot.ids[turn]] if kind == STRING_SELECT else loot.ids[turn]


def leaves(commands: Iterable[Json]) -> list[tuple[Json, str, list[Json]]]:
    """Return every command as (what was registered, full name, options)."""
    found = []
    for command in commands:
        branches = [each for each in command.get("options") or () if each["type"] == SUB_COMMAND]
        found += [(command, f"{command['name']} {each['name']}", each.get("options") or []) for each in branches]
        if not branches:
            found.append((command, command["name"], command.get("options") or []))
    return found
