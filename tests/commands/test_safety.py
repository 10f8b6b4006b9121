"""Deciding held removals, pausing and resuming, changing settings and taking it back, from Discord."""

from __future__ import annotations

from pathlib import Path

from membership.policy import Policy
from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage, stage


async def test_held_removals_are_listed_tried_on_one_and_released(tmp_path: Path) -> None:
    names = ("ada", "ben")
    async with stage(tmp_path, policy=Policy(brake_removals=0, brake_removal_percent=0)) as s:
        olga = Keyboard.of(s, "olga")
        bought = await s.are_members(*names)
        for each in bought.values():
            s.stripe.cancel_now(each.subscription)
        await s.settled()
        held = await olga.types("doorlist brake")
        assert "2 removals of" in held.text
        assert "2 × “cancelled”" in held.text, held.text
        assert all(s.has(name) for name in names)

        listed = await held.presses("List")
        assert all(f"<@{s.person(name).id}>" in listed.text for name in names)
        back = await listed.presses("Back")
        tried = await back.presses("Release 1 to test")
        assert "Held: 1 removal" in tried.text
        await s.settled()
        assert [s.has(name) for name in names].count(False) == 1

        sure = await tried.presses("Release 1")
        assert sum(s.has(name) for name in names) == 1, "asking releases nothing"
        await sure.presses("Remove from 1 member")
        await s.settled()
        assert not any(s.has(name) for name in names)
        assert "Nothing is held" in (await olga.types("doorlist brake")).text


async def test_a_pause_stops_roles_and_resume_shows_first_what_waits(s: Stage, olga: Keyboard) -> None:
    bought = await s.is_member("ada")
    paused = await olga.types("doorlist pause", reason="moving house")
    assert "moving house" in paused.text
    s.stripe.cancel_now(bought.subscription)
    await s.settled()
    assert s.has("ada")

    waiting = await paused.presses("Resume…")
    assert "− 1 role would be taken" in waiting.text
    assert s.has("ada"), "the preview starts nothing"
    await waiting.presses("Resume")
    await s.settled_until(lambda: not s.has("ada"), "the end")


async def test_a_setting_is_changed_in_a_form_and_taken_back_in_place(s: Stage, olga: Keyboard) -> None:
    shown = await olga.types("doorlist settings", setting="dms")
    assert "**Direct messages**: On" in shown.text
    form = await shown.presses("Change")
    changed = await form.fills(value="no")
    assert "Off (default: On)" in changed.text
    assert "Undone" in (await changed.presses("Undo")).text
    assert "**Direct messages**: On" in (await olga.types("doorlist settings", setting="dms")).text


async def test_a_change_is_undone_once_and_only_if_nobody_changed_it_again(s: Stage, olga: Keyboard) -> None:
    await olga.types("doorlist settings", setting="time_zone", value="Europe/Rome")
    await olga.types("doorlist settings", setting="time_zone", value="Europe/Berlin")
    (newer, newer_id), (older, older_id) = (await olga.offered("doorlist undo", "change", ""))[:2]
    assert "Europe/Rome → Europe/Berlin" in newer
    assert "UTC → Europe/Rome" in older

    assert "time_zone is Europe/Berlin" in (await olga.types("doorlist undo", change=older_id)).text
    assert "Undone" in (await olga.types("doorlist undo", change=newer_id)).text
    assert "undone already" in (await olga.types("doorlist undo", change=newer_id)).text
    assert "Undone" in (await olga.types("doorlist undo", change=older_id)).text


async def test_about_says_how_this_doorlist_is(s: Stage, olga: Keyboard) -> None:
    text = (await olga.types("doorlist about")).text
    assert "SQLite" in text
    assert "queue 0 due" in text


async def test_a_channel_of_another_server_is_no_setting_here(s: Stage, olga: Keyboard) -> None:
    elsewhere = s.outside.discord.create_channel(s.outside.seed.neighbour.guild, "theirs")
    refused = await olga.types("doorlist settings", setting="event_channel_id", value=str(elsewhere.id))
    assert "no such text channel in this server" in refused.text
