"""What a person reads when a command fails, played over the wire."""

from __future__ import annotations

from tests.cogs.connected import connected
from tests.sandbox.discord_stage import until


async def test_a_refusal_is_said_in_its_own_words() -> None:
    async with connected() as here:
        stage = here.stage
        here.desk.refusal = "That plan is archived. Choose another one."
        asked = stage.local.invoke.command(stage.charlie, stage.channel, "claim", {"code": "x"})
        await until(lambda: bool(asked.messages) and not asked.is_loading)
        assert asked.messages[-1].content == "That plan is archived. Choose another one."
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
