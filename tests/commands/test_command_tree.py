"""What Discord is sent as our commands: inside its limits, as its own description says, in both languages, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cogs.bot import DoorlistBot
from cogs.command_sync import command_payload
from locales.catalogue import locales
from sandbox.discord.world import Json
from tests.sandbox import discord_contract
from tests.scenarios.stage import Stage

ROUTE = "/applications/{application_id}/commands"
SUBCOMMANDS = (1, 2)
MOST_CHARACTERS = 8_000
MEMBER_COMMANDS = {"membership", "claim", "buy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The commands on their way to Discord."""

    request: Any
    method: str = "PUT"
    template: str = ROUTE
    status: int = 200
    response: Any = None


@pytest.fixture
async def commands(s: Stage) -> list[Json]:
    """Return what Discord is sent."""
    bot = s.process.discord.connection.require()
    assert isinstance(bot, DoorlistBot)
    return await command_payload(bot)


def nested(command: Json) -> Iterator[Json]:
    """Iterate a command and everything in it."""
    yield command
    for each in command.get("options") or ():
        yield from nested(each)


def characters(part: Json) -> int:
    """Count as Discord does: names, descriptions and values, of translations the longest."""
    own = sum(
        max(len(str(text)) for text in (part.get(key) or "", *(part.get(f"{key}_localizations") or {}).values()))
        for key in ("name", "description")
    )
    choices = sum(len(str(each["name"])) + len(str(each["value"])) for each in part.get("choices") or ())
    return own + choices + sum(map(characters, part.get("options") or ()))


async def test_the_tree_fits_discords_limits(commands: list[Json]) -> None:
    assert len([each for each in commands if each["type"] == 1]) <= 100
    assert len([each for each in commands if each["type"] == 2]) <= 5
    for command in commands:
        assert characters(command) <= MOST_CHARACTERS, command["name"]
        for part in nested(command):
            options = part.get("options") or []
            assert len(options) <= 25, part["name"]
            assert len({each["name"] for each in options}) == len(options)
            takers = [bool(each.get("required")) for each in options if each["type"] not in SUBCOMMANDS]
            assert takers == sorted(takers, reverse=True), f"{part['name']}: what is required comes first"
            assert len(part.get("choices") or ()) <= 25
            assert all(1 <= len(str(each["value"])) <= 100 for each in part.get("choices") or ()), part["name"]


async def test_every_name_and_description_is_there_and_short_enough_in_every_language(commands: list[Json]) -> None:
    for part in (part for command in commands if command["type"] == 1 for part in nested(command)):
        names = [part["name"], *(part.get("name_localizations") or {}).values()]
        assert all(1 <= len(name) <= 32 and name == name.lower() and " " not in name for name in names), names
        texts = [part["description"], *(part.get("description_localizations") or {}).values()]
        assert all(1 <= len(text) <= 100 and text != "…" for text in texts), (part["name"], texts)


async def test_what_members_type_is_translated_with_all_its_options(commands: list[Json]) -> None:
    others = {locale for locale in locales() if locale != "en"}
    member = [command for command in commands if command["name"] in MEMBER_COMMANDS]
    assert {command["name"] for command in member} == MEMBER_COMMANDS
    for part in (part for command in member for part in nested(command)):
        assert set(part.get("description_localizations") or {}) >= others, part["name"]


async def test_discords_own_description_takes_them(commands: list[Json]) -> None:
    found = [each for each in discord_contract.violations(Exchange(request=commands)) if "request" in each.where]
    assert found == []
    broken = [commands[0] | {"name": 5}, *commands[1:]]
    assert discord_contract.violations(Exchange(request=broken)), "the description would tell"


async def test_they_are_sent_when_they_changed_and_only_then(s: Stage) -> None:
    def sent() -> int:
        listed = s.outside.discord.records.requests
        return sum(each.method == "PUT" and each.path.endswith("/commands") for each in listed)

    assert sent() == 1
    await s.reopen()
    assert sent() == 1
    async with s.process.database.write() as tx:
        await tx.cursors.put("discord:commands", "of an older version")
    await s.reopen()
    assert sent() == 2
