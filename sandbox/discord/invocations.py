"""What people do with commands, menus, buttons, selects and forms, as INTERACTION_CREATE payloads.

Built the way Discord builds them: option types come from the registered command, forms from what the bot sent. The
client refuses what was not offered (PermissionError, LookupError, ValueError); forged ones send it all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sandbox.discord import payloads
from sandbox.discord.command_rules import USER_MENU
from sandbox.discord.component_rules import BUTTON
from sandbox.discord.files import Upload
from sandbox.discord.filling import Filled, Value, check_form, check_pick, fill, many
from sandbox.discord.gateway import Gateway, Intents
from sandbox.discord.interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    Interaction,
    Interactions,
)
from sandbox.discord.offers import MENTIONABLE, USER, OptionValue, check_options, may_use, registered
from sandbox.discord.permissions import permissions_in
from sandbox.discord.resolving import BY_OPTION, BY_SELECT, USERS, Resolved
from sandbox.discord.walking import walk
from sandbox.discord.world import Channel, Guild, Json, Message, User, World

ATTACHMENT_LIMIT = 10 * 1024 * 1024
Options = Mapping[str, OptionValue]


class Invocations:
    """Sends interactions to the bot."""

    def __init__(self, world: World, gateway: Gateway, interactions: Interactions) -> None:
        self._world = world
        self._gateway = gateway
        self._interactions = interactions

    def command(
        self, user: User, channel: Channel, name: str, options: Options | None = None, *, is_forged: bool = False
    ) -> Interaction:
        """Invoke a slash command by its full name ("plan create").

        Raises LookupError when it is not registered or an option is unknown or missing, PermissionError when the
        person is not offered it, ValueError for a value that does not fit. Forged: none of it but the first.
        """
        command = registered(self._world, name.partition(" ")[0], channel)
        self._require_offered(user, channel, command, is_forged=is_forged)
        data, declared = self._command_data(channel, name, options or {})
        if not is_forged:
            check_options(declared, options or {})
        return self._send(self._interactions.open(COMMAND, user, channel, data))

    def autocomplete(
        self,
        user: User,
        channel: Channel,
        name: str,
        typed: tuple[str, str | int | float],
        options: Options | None = None,
    ) -> Interaction:
        """Type into an option, `typed` being its name and the text so far; `choices` of the result has the answer."""
        data, _ = self._command_data(channel, name, {**(options or {}), typed[0]: typed[1]}, focused=typed[0])
        return self._send(self._interactions.open(AUTOCOMPLETE, user, channel, data))

    def user_menu(
        self, user: User, channel: Channel, name: str, target: User, *, is_forged: bool = False
    ) -> Interaction:
        """Choose a User command in a person's context menu. Raises LookupError, PermissionError."""
        command = registered(self._world, name, channel, USER_MENU)
        self._require_offered(user, channel, command, is_forged=is_forged)
        resolved = Resolved(self._world, channel)
        resolved.add(USERS, [target.id])
        data = {"id": command["id"], "name": name, "type": USER_MENU, "target_id": str(target.id)} | resolved.as_part()
        return self._send(self._interactions.open(COMMAND, user, channel, data))

    def component(
        self,
        user: User,
        message: Message,
        custom_id: str,
        values: Sequence[Value] = (),
        *,
        forged_kind: int | None = None,
    ) -> Interaction:
        """Click a button or choose in a select.

        Raises LookupError when the message has no such enabled component, ValueError for values that it does not
        offer. With a `forged_kind` (2 is a button, 3 a select) anything is sent.
        """
        found = next((each for each in walk(message.components) if each.get("custom_id") == custom_id), None)
        if forged_kind is None:
            if found is None or found.get("disabled") or message.is_deleted:
                raise LookupError(f"no enabled component {custom_id!r} on the message")
            check_pick(found, values)
        kind = forged_kind or (found or {"type": BUTTON})["type"]
        channel = self._world.channels[message.channel_id]
        data: Json = {"custom_id": custom_id, "component_type": kind, "id": (found or {"id": 1})["id"]}
        if kind != BUTTON:
            data["values"] = [str(each) for each in values]
            resolved = Resolved(self._world, channel)
            resolved.add(BY_SELECT.get(kind), values)
            data |= resolved.as_part()
        return self._send(self._interactions.open(COMPONENT, user, channel, data, message=message))

    def modal(
        self, form: Interaction, values: Filled, *, user: User | None = None, is_forged: bool = False
    ) -> Interaction:
        """Fill in and submit the form that answered `form`; fields left out keep their default or stay empty.

        Raises LookupError without a form or for a field that it lacks, ValueError for what its client would refuse.
        """
        if form.modal is None:
            raise LookupError("the interaction was not answered with a form")
        if not is_forged:
            check_form(form.modal, values)
        resolved = Resolved(self._world, form.channel)
        uploads = {
            key: [self._upload(form.channel, each) for each in many(value) if isinstance(each, Upload)]
            for key, value in values.items()
        }
        data: Json = {
            "custom_id": form.modal["custom_id"],
            "components": [fill(each, values, uploads, resolved) for each in form.modal["components"]],
        } | resolved.as_part()
        opened = self._interactions.open(MODAL_SUBMIT, user or form.user, form.channel, data, message=form.message)
        opened.form = form
        return self._send(opened)

    def forged_modal(self, user: User, channel: Channel, custom_id: str, fields: Mapping[str, str]) -> Interaction:
        """Submit a form of text fields that nobody offered."""
        labels = [
            {
                "type": 18,
                "id": 2 * number,
                "component": {"type": 4, "id": 2 * number + 1, "custom_id": key, "value": text},
            }
            for number, (key, text) in enumerate(fields.items())
        ]
        data: Json = {"custom_id": custom_id, "components": labels}
        opened = self._interactions.open(MODAL_SUBMIT, user, channel, data)
        opened.form = self._interactions.open(COMMAND, user, channel, {})
        return self._send(opened)

    def _require_offered(self, user: User, channel: Channel, command: Json, *, is_forged: bool) -> None:
        if not is_forged and not may_use(self._world, user, channel, command):
            raise PermissionError(f"{user.global_name or user.username} is not offered {command['name']} here")

    def _command_data(
        self, channel: Channel, name: str, options: Options, *, focused: str | None = None
    ) -> tuple[Json, list[Json]]:
        """Return an interaction's data and the options that the command declares. Raises LookupError."""
        first, *rest = name.split()
        command = registered(self._world, first, channel)
        data: Json = {"id": command["id"], "name": command["name"], "type": 1, "options": []}
        if command.get("guild_id"):
            data["guild_id"] = command["guild_id"]
        level, declared = data["options"], command.get("options") or []
        for word in rest:
            branch = next((each for each in declared if each["name"] == word), None)
            if branch is None:
                raise LookupError(f"the bot registered no command /{name}")
            inner: Json = {"name": word, "type": branch["type"], "options": []}
            level.append(inner)
            level, declared = inner["options"], branch.get("options") or []
        types = {each["name"]: each["type"] for each in declared}
        resolved = Resolved(self._world, channel)
        for key, value in options.items():
            option: Json = {"name": key, "type": types.get(key, 3)} | self._option_value(channel, types, key, value)
            resolved.add(BY_OPTION.get(option["type"]), [option["value"]])
            if isinstance(value, Upload):
                resolved.add_attachment(option.pop("attachment"))
            level.append(option | {"focused": True} if key == focused else option)
        return data | resolved.as_part(), declared

    def _option_value(self, channel: Channel, types: Mapping[str, int], key: str, value: OptionValue) -> Json:
        if isinstance(value, Upload):
            attachment = self._upload(channel, value)
            return {"value": attachment["id"], "attachment": attachment}
        return {"value": str(value) if USER <= types.get(key, 3) <= MENTIONABLE else value}

    def _upload(self, channel: Channel, upload: Upload) -> Json:
        stored = self._world.files.keep(upload, file_id=self._world.ids.next(), channel_id=channel.id)
        return stored | {"ephemeral": True}

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
            "locale": interaction.user.locale,
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
            "guild": {"id": str(guild.id), "locale": guild.preferred_locale, "features": []},
            "guild_locale": guild.preferred_locale,
            "app_permissions": str(permissions_in(guild, bot, interaction.channel)),
            "member": payloads.member(member) | {"permissions": str(permissions)},
        }
