"""Comparing with what was paid, from Discord."""

from __future__ import annotations

from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage


async def test_drift_is_foretold_found_and_put_right(s: Stage, olga: Keyboard) -> None:
    await s.is_member("ada")
    assert "0 roles would be given" in (await olga.types("sync now", dry_run=True)).text
    assert "No drift" in (await olga.types("sync drift")).text
    ran = await olga.types("sync now")
    assert "Compared with what was paid" in ran.text
    status = await ran.presses("Status")
    assert "nothing in the queue" in status.text
    assert "stripe" in status.text


async def test_earlier_holders_are_counted_before_they_get_notice(s: Stage, olga: Keyboard) -> None:
    server = s.outside.seed.server
    role = server.vip.id
    alone = await olga.types("sync adopt", role=role, policy="leave")
    assert "left alone" in alone.text
    assert "nothing to decide" in (await olga.types("sync adopt", role=role, policy="remove")).text
