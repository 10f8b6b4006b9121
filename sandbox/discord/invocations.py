"""What people do with commands, buttons, selects and forms, as INTERACTION_CREATE payloads.

Built the way Discord builds them: option types come from the registered command, forms from what the bot sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sandbox.discord import payloads
from sandbox.discord.gateway import Gateway, Intents
from sandbox.discord.interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    Interaction,
    Interactions,
)
from sandbox.discord.permissions import permissions_in
from sandbox.discord.world import Channel, Guild, Json, Message, User, World

SUB_COMMAND, SUB_COMMAND_GROUP = 1, 2
OPTION_USER, OPTION_CHANNEL, OPTION_ROLE, OPTION_MENTIONABLE = 6, 7, 8, 9
SELECT_TEXT, SELECT_USER, SELECT_ROLE, SELECT_CHANNEL = 3, 5, 6, 8
ATTACHMENT_LIMIT = 10 * 1024 * 1024
Value = str | int | float | bool


class Invocations:
    """Sends interactions to the bot."""

    def __init__(self, world: World, gateway: Gateway, interactions: Interactions) -> None:
        self._world = world
        self._gateway = gateway
        self._interactions = interactions

    def command(
        self, user: User, channel: Channel, name: str, options: Mapping[str, Value] | None = None
    ) -> Interaction:
        """Invoke a slash command by its full name ("plan create"). Raises LookupError when it is not registered."""
        data = self._command_data(channel, name, options or {})
        return self._send(self._interactions.open(COMMAND, user, channel, data))

    def autocomplete(
        self,
        user: User,
        channel: Channel,
        name: str,
        typed: tuple[str, Value],
        options: Mapping[str, Value] | None = None,
    ) -> Interaction:
        """Type into an option, `typed` being its name and the text so far; `choices` of the result has the answer."""
        data = self._command_data(channel, name, {**(options or {}), typed[0]: typed[1]}, focused=typed[0])
        return self._send(self._interactions.open(AUTOCOMPLETE, user, channel, data))

    def component(self, user: User, message: Message, custom_id: str, values: Sequence[Value] = ()) -> Interaction:
        """Click a button or choose in a select. Raises LookupError when the message has no such component."""
        component = next((each for each in walk(message.components) if each.get("custom_id") == custom_id), None)
        if component is None or component.get("disabled"):
            raise LookupError(f"no enabled component {custom_id!r} on the message")
        channel = self._world.channels[message.channel_id]
        data: Json = {"custom_id": custom_id, "component_type": component["type"], "id": component["id"]}
        if component["type"] != 2:
            data["values"] = [str(each) for each in values]
            resolved = self._resolve(channel, [(component["type"], each) for each in values], _SELECT_RESOLVES)
            data |= {"resolved": resolved} if resolved else {}
        return self._send(self._interactions.open(COMPONENT, user, channel, data, message=message))

    def modal(
        self, form: Interaction, values: Mapping[str, Value | Sequence[Value]], *, user: User | None = None
    ) -> Interaction:
        """Fill in and submit the form that answered `form`; fields left out keep their default or stay empty."""
        if form.modal is None:
            raise LookupError("the interaction was not answered with a form")
        chosen: list[tuple[int, Value]] = []
        data: Json = {
            "custom_id": form.modal["custom_id"],
            "components": [_filled(each, values, chosen) for each in form.modal["components"]],
        }
        resolved = self._resolve(form.channel, chosen, _SELECT_RESOLVES)
        data |= {"resolved": resolved} if resolved else {}
        opened = self._interactions.open(MODAL_SUBMIT, user or form.user, form.channel, data, message=form.message)
        opened.form = form
        return self._send(opened)

    def _command_data(
        self, channel: Channel, name: str, options: Mapping[str, Value], *, focused: str | None = None
    ) -> Json:
        first, *rest = name.split()
        command = self._registered(first, channel.guild_id)
        data: Json = {"id": command["id"], "name": command["name"], "type": 1, "options": []}
        if command.get("guild_id"):
            data["guild_id"] = command["guild_id"]
        level, declared = data["options"], command.get("options") or []
        for word in rest:
            branch = next(each for each in declared if each["name"] == word)
            inner: Json = {"name": word, "type": branch["type"], "options": []}
            level.append(inner)
            level, declared = inner["options"], branch.get("options") or []
        types = {each["name"]: each["type"] for each in declared}
        for key, value in options.items():
            given = str(value) if OPTION_USER <= types[key] <= OPTION_MENTIONABLE else value
            option: Json = {"name": key, "type": types[key], "value": given}
            level.append(option | {"focused": True} if key == focused else option)
        chosen = [(types[key], value) for key, value in options.items()]
        resolved = self._resolve(channel, chosen, _OPTION_RESOLVES)
        return data | ({"resolved": resolved} if resolved else {})

    def _registered(self, name: str, guild_id: int | None) -> Json:
        for scope in (str(guild_id), None):
            for command in self._world.commands.values():
                if command["name"] == name and command.get("guild_id") == scope and command["type"] == 1:
                    return command
        raise LookupError(f"the bot registered no command /{name}")

    def _resolve(self, channel: Channel, chosen: Sequence[tuple[int, Value]], kinds: Mapping[int, str]) -> Json:
        """Return the objects behind chosen ids, as Discord sends them along."""
        guild = self._world.guilds.get(channel.guild_id or 0)
        found: Json = {}
        for kind, value in chosen:
            word = kinds.get(kind)
            if word == "users" and int(value) in self._world.users:
                found.setdefault("users", {})[str(value)] = payloads.user(self._world.users[int(value)])
                if guild and int(value) in guild.members:
                    member = payloads.member_without_user(guild.members[int(value)]) | {"permissions": "0"}
                    found.setdefault("members", {})[str(value)] = member
            elif word == "roles" and guild:
                found.setdefault("roles", {})[str(value)] = payloads.role(guild.roles[int(value)])
            elif word == "channels" and guild:
                body = payloads.channel(guild.channels[int(value)]) | {"permissions": "0"}
                found.setdefault("channels", {})[str(value)] = body
        return found

    def _send(self, interaction: Interaction) -> Interaction:
        guild_id = interaction.channel.guild_id
        self._gateway.dispatch(
            "INTERACTION_CREATE", lambda: self._payload(interaction), intent=Intents.NONE, guild_id=guild_id
        )
        return interaction

    def _payload(self, interaction: Interaction) -> Json:
        channel, portal = interaction.channel, self._world.portal
        guild = self._world.guilds.get(channel.guild_id or 0)
        body: Json = {
            "id": str(interaction.id),
            "application_id": str(portal.application_id),
            "type": interaction.kind,
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": str(channel.id),
            "channel": payloads.channel(channel),
            "locale": "en-US",
            "entitlements": [],
            "attachment_size_limit": ATTACHMENT_LIMIT,
            "authorizing_integration_owners": {"0": str(guild.id) if guild else "0"},
            "context": 0 if guild else 1,
            "app_permissions": "0",
        }
        if interaction.message:
            body["message"] = payloads.message(interaction.message)
        return body | (self._guild_part(guild, interaction) if guild else {"user": payloads.user(interaction.user)})

    def _guild_part(self, guild: Guild, interaction: Interaction) -> Json:
        bot, member = guild.members[self._world.bot.id], guild.members[interaction.user.id]
        permissions = permissions_in(guild, member, interaction.channel)
        return {
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "app_permissions": str(permissions_in(guild, bot, interaction.channel)),
            "member": payloads.member(member) | {"permissions": str(permissions)},
        }


def walk(components: Sequence[Json]) -> Iterator[Json]:
    """Iterate all components of a message or form, outer before inner."""
    for each in components:
        yield each
        yield from walk(each.get("components") or ())
        yield from walk([each[key] for key in ("accessory", "component") if each.get(key)])


def _filled(given: Json, values: Mapping[str, Value | Sequence[Value]], chosen: list[tuple[int, Value]]) -> Json:
    """Return a form's component as it is submitted, and note what was chosen in its selects."""
    body: Json = {"type": given["type"], "id": given.get("id", 0)}
    if "component" in given:
        return body | {"component": _filled(given["component"], values, chosen)}
    if "components" in given:
        return body | {"components": [_filled(each, values, chosen) for each in given["components"]]}
    if "custom_id" not in given:
        return body
    key = given["custom_id"]
    body["custom_id"] = key
    if given["type"] in (SELECT_TEXT, SELECT_USER, SELECT_ROLE, 7, SELECT_CHANNEL, 22):
        many = values.get(key, _default_choices(given))
        picked: list[Value] = [many] if isinstance(many, str | int | float) else list(many)
        chosen.extend((given["type"], each) for each in picked)
        return body | {"values": [str(each) for each in picked]}
    return body | {"value": values.get(key, _default_value(given))}


def _default_choices(given: Json) -> list[Value]:
    listed = [each["value"] for each in given.get("options") or () if each.get("default")]
    return listed + [each["id"] for each in given.get("default_values") or ()]


def _default_value(given: Json) -> Value | None:
    if "options" in given:
        return next((each["value"] for each in given["options"] if each.get("default")), None)
    if "default" in given:
        return bool(given["default"])
    return str(given.get("value") or "")


_OPTION_RESOLVES = {OPTION_USER: "users", OPTION_CHANNEL: "channels", OPTION_ROLE: "roles"}
_SELECT_RESOLVES = {SELECT_USER: "users", SELECT_ROLE: "roles", SELECT_CHANNEL: "channels"}
