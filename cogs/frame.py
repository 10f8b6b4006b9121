"""What stands around every command, button, list and form: rights, the server's set-up, deferring, and the last answer.

One place checks them all, so that a feature cannot forget to. A feature is a cog that takes the frame and registers
what can be pressed with `on`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol, cast

import discord
from discord import app_commands
from discord.ext import commands

from cogs.apologies import apologise, or_apologise
from cogs.cards import read_custom_id
from cogs.paces import Paces
from cogs.requests import Request, actor_of, words_of
from cogs.rights import ACTIONS, COMMANDS, Right, Rule, has_right, permissions_of
from cogs.turnstile import Turnstile
from locales.catalogue import translatable
from membership.errors import Retry, UserError
from membership.services import Services

_NOT_SET_UP = translatable(
    "Doorlist is not set up in this server yet. Somebody with Manage Server runs /doorlist setup."
)

Handler = Callable[[Request], Awaitable[None]]
MenuMethod = Callable[[discord.Interaction, discord.User], Coroutine[object, object, None]]
CommandMethod = Callable[..., Coroutine[Any, Any, None]]


class Frame:
    """Opens a request for every interaction, or says why not. One per life of the bot."""

    def __init__(self, services: Services, *, paces: Paces | None = None) -> None:
        """Take the use-cases' services."""
        self.services = services
        self._handlers: dict[str, Handler] = {}
        self._turnstile = Turnstile(paces or Paces())
        self.menus: list[app_commands.ContextMenu] = []
        self.doorlist = app_commands.Group(
            name="doorlist",
            description="Set up and run paid membership in this server",
            default_permissions=permissions_of(Right.MANAGER),
            guild_only=True,
        )

    def add_menu(self, name: str, method: MenuMethod) -> None:
        """Offer a method of a feature on a right click on somebody, to staff."""
        menu = app_commands.ContextMenu(name=name, callback=method)
        menu.default_permissions = permissions_of(Right.STAFF)
        menu.guild_only = True
        self.menus.append(menu)

    def add_to_doorlist(self, name: str, description: str, method: CommandMethod) -> None:
        """Put a method of a feature under `/doorlist`, which several features share.

        Options are described and completed with discord.py's decorators on the method.
        """
        self.doorlist.add_command(app_commands.Command(name=name, description=description, callback=method))

    def on(self, action: str, handler: Handler) -> None:
        """Let a handler answer an action. Raises ValueError for one without a rule or with a handler."""
        if action not in ACTIONS or action in self._handlers:
            raise ValueError(f"the action {action} has no rule in cogs/rights.py, or two handlers")
        self._handlers[action] = handler

    @property
    def actions(self) -> frozenset[str]:
        """Return what can be pressed."""
        return frozenset(self._handlers)

    async def admits(self, interaction: discord.Interaction) -> bool:
        """Open the request of a command, or answer why not and return False."""
        admitted = False

        async def admit() -> None:
            nonlocal admitted
            command = interaction.command
            rule = COMMANDS.get(command.qualified_name if command else "")
            await self._open(interaction, rule)
            admitted = True

        if interaction.type is discord.InteractionType.autocomplete:
            return await self._admits_typing(interaction)
        await or_apologise(interaction, admit)
        return admitted

    async def press(self, interaction: discord.Interaction) -> None:
        """Answer a button, a list or a form of ours; others' are none of our business."""
        data: Mapping[str, object] = dict(interaction.data or {})
        found = read_custom_id(str(data.get("custom_id", "")))
        if found is not None:
            await or_apologise(interaction, lambda: self._press(interaction, *found))

    async def _press(self, interaction: discord.Interaction, action: str, args: tuple[str, ...]) -> None:
        rule = ACTIONS.get(action)
        handler = self._handlers.get(action)
        request = await self._open(interaction, None if handler is None else rule, args)
        if handler is not None:
            await handler(request)

    async def _open(self, interaction: discord.Interaction, rule: Rule | None, args: tuple[str, ...] = ()) -> Request:
        """Check the rights, defer, and check that the server is set up. Raises UserError or CheckFailure."""
        words = words_of(interaction)
        actor = actor_of(interaction, self.services.operators.ids)
        if rule is None:
            raise UserError(words.say("This is from an older version of Doorlist. Use the command again."))
        data: Mapping[str, object] = dict(interaction.data or {})
        request = Request(
            interaction=interaction,
            services=self.services,
            actor=actor,
            words=words,
            args=args,
            values=_strings(data.get("values")),
            fields=_fields(data),
        )
        self._check_right(request, rule)
        await self._check_pace(request, rule)
        if not rule.opens_form:
            await request.think()
        await self._check_active(request, rule)
        request.remember()
        return request

    async def _admits_typing(self, interaction: discord.Interaction) -> bool:
        """Suggest nothing to whoever may not use the command here: no text can be answered to typing."""
        command = interaction.command
        rule = COMMANDS.get(command.qualified_name if command else "")
        actor = actor_of(interaction, self.services.operators.ids)
        request = Request(interaction=interaction, services=self.services, actor=actor, words=words_of(interaction))
        if rule is None or not await self._may_type(request, rule):
            await interaction.response.autocomplete([])
            return False
        request.remember()
        return True

    async def _may_type(self, request: Request, rule: Rule) -> bool:
        try:
            self._check_right(request, rule)
            await self._check_active(request, rule)
        except (UserError, app_commands.CheckFailure, Retry):
            return False
        return True

    def _check_right(self, request: Request, rule: Rule) -> None:
        if not request.guild_id and not rule.is_everywhere:
            raise UserError(request.words.say("Use this in a server."))
        if not has_right(request.actor, rule.right):
            raise app_commands.CheckFailure

    async def _check_pace(self, request: Request, rule: Rule) -> None:
        if not await self._turnstile.passes(request.actor.user_id, rule.right):
            raise UserError(
                request.words.say(
                    "That was a lot at once. Wait ten seconds and go on; nothing was changed by this one."
                )
            )

    async def _check_active(self, request: Request, rule: Rule) -> None:
        if not rule.needs_active:
            return
        async with self.services.store.read() as tx:
            guild = await tx.guilds.get(request.guild_id)
        if guild is None or not guild.is_active:
            raise UserError(request.words.say(_NOT_SET_UP))


class Presses(commands.Cog):
    """Hears every button, list and form."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        self._frame = frame

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Pass on what was pressed; commands have their own way in."""
        if interaction.type in (discord.InteractionType.component, discord.InteractionType.modal_submit):
            await self._frame.press(interaction)


class Framed(Protocol):
    """A bot that has a frame."""

    frame: Frame


class CommandTree(app_commands.CommandTree[commands.Bot]):
    """Slash commands behind the frame, whose failures never reach a person as an exception."""

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Let the frame decide, for commands, context menus and what is typed into options."""
        return await cast(Framed, self.client).frame.admits(interaction)

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """Answer every failure of a command in plain words."""
        await apologise(interaction, error.__cause__ or error)


def _strings(values: object) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if isinstance(values, list | tuple) else ()


def _fields(data: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """Read a sent form: its fields come nested in labels or rows, with a value or several."""
    found: dict[str, tuple[str, ...]] = {}
    pending: list[object] = [data.get("components")]
    while pending:
        part = pending.pop()
        if isinstance(part, list | tuple):
            pending.extend(part)
        elif isinstance(part, Mapping):
            if "custom_id" in part:
                value = part.get("value")
                single = () if value in (None, "", False) else (str(value),)
                found[str(part["custom_id"])] = _strings(part.get("values")) or single
            pending.extend((part.get("component"), part.get("components")))
    return found
