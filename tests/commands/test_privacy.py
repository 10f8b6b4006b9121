"""Handing out and erasing what is held about one person, from Discord."""

from __future__ import annotations

from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage


async def test_a_person_is_handed_out_and_erased(s: Stage, olga: Keyboard) -> None:
    await s.is_member("ada")
    ((label, person),) = await olga.offered("doorlist privacy", "person", "ada")
    assert "ada@" in label
    handed = await olga.types("doorlist privacy", person=person, action="export")
    assert handed.message.attachments[0]["filename"] == "person.json"

    sure = await olga.types("doorlist privacy", person=person, action="erase")
    assert s.has("ada"), "asking erases nothing"
    done = await sure.presses(next(label for label in sure.labels if label.startswith("Erase this person (")))
    assert "Erased" in done.text
    await s.settled_until(lambda: not s.has("ada"), "the role to go")
    assert await olga.offered("doorlist privacy", "person", "ada@") == []
