"""Olga asks in Discord how her server does, and takes her members out and in as a file."""

from __future__ import annotations

from tests.commands.keyboard import Keyboard, Screen
from tests.scenarios.stage import Stage


def file_of(s: Stage, screen: Screen, name: str) -> bytes:
    """Return a file of an answer, as a download would."""
    found = next(each for each in screen.message.attachments if each["filename"] == name)
    kept = s.outside.discord.world.files.find(int(found["id"]))
    assert kept is not None
    return kept.content


async def test_reports_show_a_picture_three_lines_and_a_file(s: Stage, olga: Keyboard) -> None:
    await s.are_members("ben", "kim")
    seen = await olga.types("report members", period=7)
    assert "**2 active**, 0 at the beginning: 2 began, 0 ended" in seen.text
    assert file_of(s, seen, "report.png").startswith(b"\x89PNG")
    alt = next(each["description"] for each in seen.message.attachments if each["filename"] == "report.png")
    assert "Active members rose from 0 to 2 between" in alt
    assert file_of(s, seen, "members.csv").decode("utf-8-sig").splitlines()[-1].endswith(",2,2,0,0")
    money = await olga.types("report revenue")
    assert "18.00 € paid** (0 renewals, 2 new), 0.00 € refunded (0), 0 failed" in money.text
    assert "VIP 18.00 €" in money.text
    speed = await olga.types("report delivery")
    assert "Half of 2 within" in speed.text
    year = await speed.presses("12 months")
    assert "Half of 2 within" in year.text
