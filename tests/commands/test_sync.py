"""Comparing with what was paid, from Discord."""

from __future__ import annotations

from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage


async def test_a_run_is_foretold_made_and_its_state_shown(s: Stage, olga: Keyboard) -> None:
    await s.is_member("ada")
    assert "0 roles would be given" in (await olga.types("sync now", dry_run=True)).text
    assert "No drift" in (await olga.types("sync drift")).text
    ran = await olga.types("sync now")
    assert "Compared with what was paid" in ran.text
    status = await ran.presses("Status")
    assert "nothing in the queue" in status.text
    assert "stripe" in status.text


async def test_an_earlier_holder_is_found_shown_and_given_the_plan(s: Stage, olga: Keyboard) -> None:
    server = s.outside.seed.server
    held_by = server.guild.members[s.person("ben").id]
    server.guild.set_roles(held_by, held_by.roles | {server.vip.id})
    drift = await olga.types("sync drift")
    assert f"1 member with <@&{server.vip.id}>" in drift.text
    assert f"<@{held_by.user.id}>" in (await drift.presses("Decide")).text

    assert "left alone" in (await olga.types("sync adopt", role=server.vip.id, policy="leave")).text
    asked = await olga.types("sync adopt", role=server.vip.id, policy="grandfather")
    assert "For 1 member," in asked.text
    assert "Decided" in (await asked.presses("Give to 1")).text
    await s.settled()
    assert "No drift" in (await olga.types("sync drift")).text
