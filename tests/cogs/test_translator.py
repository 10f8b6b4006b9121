"""How commands are described to people who use Discord in another language."""

from __future__ import annotations

from typing import cast

import discord
import pytest
from discord import app_commands

from cogs.claim_command import ClaimCommand
from cogs.translator import CommandTranslator

Payload = dict[str, dict[str, str]]


@pytest.fixture
async def claim() -> Payload:
    tree = app_commands.CommandTree(discord.Client(intents=discord.Intents.none()))
    command = cast("app_commands.Command[ClaimCommand, ..., None]", ClaimCommand.claim)
    return cast(Payload, await command.get_translated_payload(tree, CommandTranslator()))


async def test_a_members_command_and_its_options_are_described_in_italian(claim: Payload) -> None:
    assert claim["description_localizations"] == {"it": "Riscatta il codice della tua e-mail di acquisto"}
    (option,) = cast(list[Payload], claim["options"])
    assert option["description_localizations"].keys() == {"it"}


async def test_names_stay_english(claim: Payload) -> None:
    assert claim["name_localizations"] == {}
