"""`/doorlist doctor` over the wire: what a manager sees, again after the repair, and as a file."""

from __future__ import annotations

from sandbox.discord.permissions import Permission
from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage


async def test_it_shows_what_is_wrong_with_the_fix_and_the_rest_as_a_count(s: Stage, olga: Keyboard) -> None:
    s.role("VIP").position = 90
    s.outside.discord.people.changes.role_changed(s.guild, s.role("VIP"), by=olga.user.id)
    await s.settled()
    screen = await olga.types("doorlist doctor")
    assert screen.is_private
    assert "D08" in screen.text
    assert "VIP (position 90) is above Doorlist (position 10)" in screen.text.replace("\\", "")
    assert "drag" in screen.text
    assert "D01" not in screen.text


async def test_it_looks_again_in_place(s: Stage, olga: Keyboard) -> None:
    bot_role = s.outside.discord.bot_role(s.guild)
    bot_role.permissions |= Permission.ADMINISTRATOR
    s.outside.discord.people.changes.role_changed(s.guild, bot_role, by=olga.user.id)
    await s.settled()
    screen = await olga.types("doorlist doctor")
    assert "D10" in screen.text
    bot_role.permissions &= ~Permission.ADMINISTRATOR
    s.outside.discord.people.changes.role_changed(s.guild, bot_role, by=olga.user.id)
    await s.settled()
    again = await screen.presses("Run again")
    assert "D10" not in again.text


async def test_a_key_that_was_revoked_since_the_start_is_noticed(s: Stage, olga: Keyboard) -> None:
    s.outside.stripe.keys.revoke(s.settings.payments.stripe.api_key.get_secret_value())
    screen = await olga.types("doorlist doctor")
    assert "P01" in screen.text
    assert s.settings.payments.stripe.api_key.get_secret_value() not in screen.text


async def test_the_report_is_a_file_without_secrets(s: Stage, olga: Keyboard) -> None:
    screen = await olga.types("doorlist doctor")
    report = await screen.presses("Download report")
    (file,) = report.message.attachments
    assert file["filename"] == "doorlist-doctor.txt"


async def test_a_name_is_no_markup(s: Stage, olga: Keyboard) -> None:
    role = s.role("VIP")
    role.position, role.name = 90, "**@everyone** https://evil.example"
    s.outside.discord.people.changes.role_changed(s.guild, role, by=olga.user.id)
    await s.settled()
    text = (await olga.types("doorlist doctor")).text
    assert "**@everyone" not in text
    assert "https://evil.example" not in text


async def test_a_member_is_told_nothing(s: Stage, ben: Keyboard) -> None:
    assert "D01" not in (await ben.types("doorlist doctor", is_forged=True)).text
