"""Codes over the wire: made, redeemed, listed, switched off."""

from __future__ import annotations

from typing import Any

from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage


async def test_codes_are_made_redeemed_listed_and_switched_off(s: Stage, olga: Keyboard, ben: Keyboard) -> None:
    plan = (await olga.offered("code create", "plan", "vip"))[0][1]
    lasting: Any = {"for": "30d"}
    made = await olga.types("code create", plan=plan, count=12, label="raffle", **lasting)
    codes = [word for word in made.text.split() if len(word) == 19 and word.count("-") == 3]
    assert len(codes) == 10, made.text
    assert made.message.attachments[0]["filename"] == "codes.txt"

    assert "Gift unlocked: VIP for 30 days" in (await ben.types("claim", code=codes[0])).text
    await s.settled_until(lambda: s.has("ben"), "the role")

    ((label, value),) = await olga.offered("code list", "label", "raf")
    assert label == "raffle · 12 codes"
    listed = await olga.types("code list", label=value)
    assert "12 codes · 1 of 12 uses" in listed.text
    sure = await (await listed.presses("Next")).presses("Void all")
    voided = await sure.presses("Void 12 codes")
    assert "12 codes switched off" in voided.text
    assert "no longer valid" in (await ben.types("claim", code=codes[1])).text
    assert s.has("ben"), "what was redeemed stays"
    assert "Undone" in (await voided.presses("Undo")).text
