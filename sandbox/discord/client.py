"""Somebody's Discord client in one channel: types commands, presses, picks, fills in forms, reads the answers.

The words of tests and of scripted tours. It sends only what a real client would; forging is on Shown and Invocations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.discord.filling import Filled, Value
from sandbox.discord.interactions import Interaction
from sandbox.discord.invocations import Invocations
from sandbox.discord.offers import Offer, OptionValue, offers
from sandbox.discord.screen import Control, controls, form_text, visible_text
from sandbox.discord.world import Channel, Json, Message, User, World

ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One person looking at one channel (of any guild, or their direct messages with the bot)."""

    world: World
    invoke: Invocations
    user: User
    channel: Channel
    answer_seconds: float = field(default=ANSWER_SECONDS)

    def offers(self) -> list[Offer]:
        """Return the slash commands that the person is offered here."""
        return list(offers(self.world, self.user, self.channel))

    async def types(self, name: str, **options: OptionValue) -> Shown:
        """Send a slash command ("plan create") and wait for the answer.

        Raises LookupError, PermissionError or ValueError for what the client would not send, TimeoutError.
        """
        return await self._shown(self.invoke.command(self.user, self.channel, name, options))

    async def forges(self, name: str, **options: OptionValue) -> Shown:
        """Send a slash command whatever the client offers: without the permission, with any option values."""
        return await self._shown(self.invoke.command(self.user, self.channel, name, options, is_forged=True))

    async def forges_form(self, custom_id: str, **fields: str) -> Shown:
        """Submit a form of text fields that nobody offered."""
        return await self._shown(self.invoke.forged_modal(self.user, self.channel, custom_id, fields))

    async def suggestions(self, name: str, option: str, typed: str = "", **options: OptionValue) -> dict[str, Value]:
        """Type into an option with autocomplete; return the suggested names with their values."""
        asked = self.invoke.autocomplete(self.user, self.channel, name, (option, typed), options)
        answered = await asked.answered(self.answer_seconds)
        return {each["name"]: each["value"] for each in answered.choices or ()}

    async def opens_menu(self, name: str, target: User) -> Shown:
        """Right-click somebody and choose a User command."""
        return await self._shown(self.invoke.user_menu(self.user, self.channel, name, target))

    def sees(self, message: Message) -> Shown:
        """Look at a message that was posted, to press its buttons."""
        return Shown(client=self, posted=message)

    async def _shown(self, asked: Interaction) -> Shown:
        return Shown(client=self, asked=await asked.answered(self.answer_seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the person sees now: the message or form that answered `asked`, always in its latest state."""

    client: Client
    asked: Interaction | None = None
    posted: Message | None = None

    @property
    def message(self) -> Message:
        """Return the message: the last thing the bot showed. Raises LookupError when there is none."""
        answers = [self.asked.original, *self.asked.messages] if self.asked else [self.posted]
        found = [each for each in answers if each and not each.is_deleted]
        if not found:
            raise LookupError("the bot showed no message")
        return found[-1]

    @property
    def form(self) -> Json:
        """Return the form. Raises LookupError when the answer was none."""
        form: Json = self._opener.modal or {}
        return form

    @property
    def is_form(self) -> bool:
        """Say whether the answer was a form."""
        return self.asked is not None and self.asked.modal is not None

    @property
    def is_private(self) -> bool:
        """Say whether only this person sees it."""
        return self.is_form or self.message.is_ephemeral

    @property
    def text(self) -> str:
        """Return everything that is written there."""
        return form_text(self.form) if self.is_form else visible_text(self.message)

    @property
    def tree(self) -> list[Json]:
        """Return the components as Discord stores them."""
        return list(self.form["components"]) if self.is_form else self.message.components

    @property
    def controls(self) -> tuple[Control, ...]:
        """Return everything that can be used there."""
        return controls(self.tree)

    @property
    def labels(self) -> list[str]:
        """Return what is read on the controls that can be used."""
        return [each.label for each in self.controls if not each.is_disabled]

    def control(self, name: str) -> Control:
        """Return a control by label or custom_id. Raises LookupError."""
        for each in self.controls:
            if each.is_called(name) or each.custom_id.startswith(name + ":"):
                return each
        raise LookupError(
            f"there is no {name!r}; there are {', '.join(each.label for each in self.controls) or 'none'}"
        )

    async def press(self, name: str, *, by: User | None = None) -> Shown:
        """Press a button by label or custom_id. Raises LookupError when it is missing or disabled, TimeoutError."""
        return await self._use(self.control(name).custom_id, (), by)

    async def pick(self, name: str, *values: Value | User, by: User | None = None) -> Shown:
        """Choose in a select by placeholder or custom_id; people, roles and channels by id. Labels of options do too.

        Raises LookupError, ValueError, TimeoutError.
        """
        control = self.control(name)
        by_label = {label: value for value, label in control.choices}
        picked: list[Value] = [by_label.get(str(each), _plain(each)) for each in values]
        return await self._use(control.custom_id, picked, by)

    async def submit(self, values: Filled | None = None, **fields: Value | Sequence[Value]) -> Shown:
        """Fill in the form, by custom_id or label, and send it. Raises LookupError, ValueError, TimeoutError."""
        given = {self.control(key).custom_id: value for key, value in {**(values or {}), **fields}.items()}
        return await self._answer(self.client.invoke.modal(self._opener, given))

    async def forge(self, custom_id: str, *values: Value, kind: int = 2, by: User | None = None) -> Shown:
        """Send a click (`kind` 2) or a choice (3) on this message that was never offered."""
        user = by or self.client.user
        return await self._answer(self.client.invoke.component(user, self.message, custom_id, values, forged_kind=kind))

    async def forge_form(self, values: Filled) -> Shown:
        """Send the form with values that its client would refuse."""
        return await self._answer(self.client.invoke.modal(self._opener, values, is_forged=True))

    @property
    def _opener(self) -> Interaction:
        if self.asked is None or self.asked.modal is None:
            raise LookupError("the bot opened no form")
        return self.asked

    async def _use(self, custom_id: str, values: Sequence[Value], by: User | None) -> Shown:
        user = by or self.client.user
        return await self._answer(self.client.invoke.component(user, self.message, custom_id, values))

    async def _answer(self, asked: Interaction) -> Shown:
        return Shown(client=self.client, asked=await asked.answered(self.client.answer_seconds))


def _plain(value: Value | User) -> Value:
    return value.id if isinstance(value, User) else value
