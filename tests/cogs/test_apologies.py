"""What a person reads when a command fails, played over the wire through a command that fails on purpose."""

from __future__ import annotations

import discord
import pytest
from discord import app_commands

from cogs import texts
from cogs.bot import CommandTree
from membership.errors import Retry, UserError
from tests.cogs.connected import connected
from tests.sandbox.discord_stage import until


class Refused(app_commands.CheckFailure):
    """A check that says no."""


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (UserError("That plan is archived. Choose another one."), "That plan is archived. Choose another one."),
        (Retry("the database is locked"), texts.TRY_AGAIN),
        (Refused(), texts.NOT_ALLOWED),
    ],
)
@pytest.mark.parametrize("is_deferred", [True, False])
async def test_an_expected_failure_is_said_in_words(failure: Exception, said: str, is_deferred: bool) -> None:
    async with connected() as here:
        stage = here.stage
        bot = here.side.connection.require()

        async def fail(interaction: discord.Interaction) -> None:
            if is_deferred:
                await interaction.response.defer(ephemeral=True)
            raise failure

        tree = bot.tree
        assert isinstance(tree, CommandTree)
        tree.add_command(app_commands.Command(name="fail", description="Fails", callback=fail))
        await tree.sync()
        asked = stage.local.invoke.command(stage.charlie, stage.channel, "fail")
        await until(lambda: bool(asked.messages) and not asked.is_loading)
        assert asked.messages[-1].content == said
        assert asked.messages[-1].is_ephemeral


async def test_an_answer_that_comes_too_late_is_let_go() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.interactions.first_answer_seconds = 0.0
        stage.local.invoke.command(stage.charlie, stage.channel, "claim", {"code": "x"})
        await until(lambda: 404 in here.requests("POST", "/callback"))
        stage.local.interactions.first_answer_seconds = 3.0
        asked = stage.local.invoke.command(stage.charlie, stage.channel, "claim", {"code": "x"})
        await until(lambda: bool(asked.messages) and not asked.is_loading)
        assert "does not exist" in asked.messages[-1].content
