"""Olga asks in Discord how her server does, and takes her members out and in as a file."""

from __future__ import annotations

from typing import Any

from sandbox.discord.files import Upload
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


async def test_a_list_comes_in_by_what_was_shown_and_goes_out_and_back(s: Stage, olga: Keyboard) -> None:
    ben = s.person("ben").id
    listed = f"email,name,discord_id,plan\nben@example.com,=Ben,{ben},Gold\nkim@example.com,Kim,,Gold\n,Nobody,,Gold\n"
    file: Any = Upload(filename="list.csv", content=listed.encode())
    seen = await olga.types("data import", file=file)
    assert "**0 members** would be imported" in seen.text
    assert "row 4: It has neither" in seen.text
    vip = (await olga.offered("data export", "plan", "VIP"))[0][1]
    mapped = await seen.picks(vip)
    assert "**2 members** would be imported (2 new, 0 changed, 0 there already)" in mapped.text
    assert mapped.labels == ["Import 2 members", "Import 2 members and mail 1", "Download unclear rows"]
    done = await mapped.presses("Import 2 members")
    assert "**2 members imported.**" in done.text
    await s.settled()
    assert s.roles("ben") == {"VIP"}
    taken = await olga.types("data export")
    assert b"'=Ben" in file_of(s, taken, str(taken.message.attachments[0]["filename"]))
    await done.presses("Undo")
    await s.settled()
    assert s.roles("ben") == set()
