"""`/doorlist notify` and `/doorlist digest` over the wire."""

from __future__ import annotations

from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage


async def test_a_manager_sends_payments_to_a_channel_tries_it_and_takes_it_back(s: Stage, olga: Keyboard) -> None:
    money = s.outside.discord.create_channel(s.guild, "money")
    screen = await olga.types("doorlist notify", event="payment", mode="every", channel=money.id)
    assert "Notifications: payment" in screen.text
    assert f"(`payment.succeeded`): every event → <#{money.id}>" in screen.text
    await screen.presses("Send a test of each")
    await s.eventually(lambda: len(s.outside.discord.messages(money)) == 5, "the tests")
    undone = await screen.presses("Undo")
    assert "Undone" in undone.text


async def test_an_event_is_found_by_its_name_and_taken_by_its_title(olga: Keyboard) -> None:
    found = await olga.offered("doorlist notify", "event", "payment.failed")
    assert [value for _, value in found] == ["payment.failed"]
    assert "(`payment.failed`): off" in (await olga.types("doorlist notify", event="Payment failed", mode="off")).text


async def test_a_manager_chooses_the_hour_of_the_digest(s: Stage, olga: Keyboard) -> None:
    screen = await olga.types("doorlist digest", time="7", timezone="Europe/Rome", weekly_only=True)
    assert "on Mondays at 07:00, Europe/Rome" in screen.text
    for wrong in ("25", "18:30"):
        assert "Choose a full hour" in (await olga.types("doorlist digest", time=wrong)).text
