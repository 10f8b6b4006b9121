"""What a person's client offers and refuses: the commands they may use, and values that fit an option.

Discord's clients check these; a forged request can hold anything, so the bot may not rely on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sandbox.discord.command_rules import CHAT_INPUT, SUB_COMMAND, SUB_COMMAND_GROUP
from sandbox.discord.files import Upload
from sandbox.discord.permissions import ALL, Permission, permissions_in
from sandbox.discord.world import Channel, Json, User, World

STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(3, 12)
OptionValue = str | int | float | bool | Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A command as the picker lists it: full name, and both names and texts in the person's language."""

    name: str
    shown_name: str
    description: str
    options: tuple[Json, ...]
    kind: int


def offers(world: World, user: User, channel: Channel, *, kind: int = CHAT_INPUT) -> Iterator[Offer]:
    """Iterate the commands that a person is offered in a channel, by name, subcommands one by one."""
    found = [each for each in _in_reach(world, channel) if each["type"] == kind and may_use(world, user, channel, each)]
    for command in sorted(found, key=lambda each: str(each["name"])):
        yield from _leaves(command, user.locale, [], [])


def registered(world: World, name: str, channel: Channel, kind: int = CHAT_INPUT) -> Json:
    """Return a command by the first word of its name. Raises LookupError."""
    for command in _in_reach(world, channel):
        if command["name"] == name and command["type"] == kind:
            return command
    raise LookupError(f"the bot registered no command {'/' if kind == CHAT_INPUT else ''}{name}")


def may_use(world: World, user: User, channel: Channel, command: Json) -> bool:
    """Say whether the client shows a command: its contexts and its default_member_permissions."""
    guild = world.guilds.get(channel.guild_id or 0)
    contexts = command.get("contexts")
    if guild is None:
        return command.get("dm_permission") is not False and (not contexts or 1 in contexts)
    if (contexts and 0 not in contexts) or user.id not in guild.members:
        return False
    has = permissions_in(guild, guild.members[user.id], channel)
    if not has & Permission.USE_APPLICATION_COMMANDS:
        return False
    needed = command.get("default_member_permissions")
    if needed is None or has == ALL:
        return True
    return int(needed) != 0 and has & int(needed) == int(needed)


def check_options(declared: Sequence[Json], given: Mapping[str, OptionValue]) -> None:
    """Raise LookupError for an unknown or missing option, ValueError for a value that the client would not send."""
    known = {each["name"]: each for each in declared}
    for name in given:
        if name not in known:
            raise LookupError(f"there is no option {name!r}; there are {', '.join(known) or 'none'}")
    for name, option in known.items():
        if name in given:
            _check_value(option, given[name])
        elif option.get("required"):
            raise LookupError(f"the option {name!r} is required")


def _check_value(option: Json, value: OptionValue) -> None:
    name, kind = option["name"], option["type"]
    if kind == ATTACHMENT and not isinstance(value, Upload):
        raise ValueError(f"{name!r} takes a file")
    if kind in (INTEGER, NUMBER):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name!r} takes a number")
        if not option.get("min_value", value) <= value <= option.get("max_value", value):
            least, most = option.get("min_value", "any"), option.get("max_value", "any")
            raise ValueError(f"{name!r} takes a number from {least} to {most}")
    if kind == STRING:
        length = len(str(value))
        if not option.get("min_length", 0) <= length <= option.get("max_length", 6_000):
            raise ValueError(f"{name!r} is too short or too long")
    if kind == BOOLEAN and not isinstance(value, bool):
        raise ValueError(f"{name!r} takes true or false")
    choices = option.get("choices")
    if choices and value not in [each["value"] for each in choices]:
        raise ValueError(f"{name!r} takes one of {', '.join(str(each['value']) for each in choices)}")


def _in_reach(world: World, channel: Channel) -> list[Json]:
    """Return the commands of the channel's guild, then the global ones."""
    own = [each for each in world.commands.values() if each.get("guild_id") == str(channel.guild_id)]
    return own + [each for each in world.commands.values() if "guild_id" not in each]


def _leaves(command: Json, locale: str, names: list[str], shown: list[str]) -> Iterator[Offer]:
    names, shown = [*names, command["name"]], [*shown, localized(command, "name", locale)]
    options = command.get("options") or []
    branches = [each for each in options if each["type"] in (SUB_COMMAND, SUB_COMMAND_GROUP)]
    if branches:
        for each in branches:
            yield from _leaves(each, locale, names, shown)
        return
    yield Offer(
        name=" ".join(names),
        shown_name=" ".join(shown),
        description=localized(command, "description", locale),
        options=tuple(options),
        kind=command["type"],
    )


def localized(given: Json, key: str, locale: str) -> str:
    """Return a name or description in a language, else as it is."""
    return str((given.get(f"{key}_localizations") or {}).get(locale) or given.get(key) or "")
