"""Nothing that can be pressed lives in memory: it works after a restart, and what is stale says how it is now."""

from __future__ import annotations

from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage


async def test_every_kind_of_control_works_after_a_restart(s: Stage, olga: Keyboard, ben: Keyboard) -> None:
    await olga.types("doorlist panel", channel=s.outside.seed.server.get_access.id)
    panel = s.outside.discord.messages(s.outside.seed.server.get_access)[-1]
    card = await olga.types("plan show", plan="VIP")
    listed = await olga.types("doorlist settings")
    form = await olga.types("plan edit", plan="VIP year")
    preview = await olga.types("plan rules", plan="VIP", grace_days=9)
    sam = Keyboard(stage=s, user=s.outside.seed.cast.sam, channel=olga.channel)
    await s.reopen()

    assert "Preview — plan VIP" in (await card.presses("Preview")).text
    assert "Settings · Messages" in (await listed.picks("MESSAGES")).text
    assert "**VIP** — 9.00 €" in (await ben.presses_on(panel, "Buy a plan")).text
    assert "Preview — plan VIP year" in (await form.fills(grace="4")).text
    assert "is saved" in (await preview.presses("Apply exactly this")).text
    assert "Membership" in (await sam.chooses("Membership card", "ben")).text


async def test_a_preview_of_what_somebody_else_changed_meanwhile_changes_nothing(s: Stage, olga: Keyboard) -> None:
    preview = await (await olga.types("plan edit", plan="VIP")).fills(grace="8")
    await (await olga.types("plan rules", plan="VIP", grace_days=1)).presses("Apply exactly this")
    await s.reopen()
    refused = await preview.presses("Apply exactly this")
    assert refused.text.startswith("Somebody has changed this plan meanwhile.")
    assert "for 1 day" in (await olga.types("plan show", plan="VIP")).text


async def test_buttons_of_what_is_over_answer_with_how_it_is_now(s: Stage, olga: Keyboard) -> None:
    duration = {"for": "30d"}
    granted = await olga.types("member grant", is_forged=False, member=s.person("kim").id, plan="VIP", **duration)
    undo = f"door:undo:{granted.arguments('Undo')[0]}"
    await s.settled()
    why = await olga.types("member why", member=s.person("kim").id)
    await granted.presses("Undo")
    await s.settled()
    assert not s.has("kim")
    await s.reopen()

    assert "undone" in (await olga.forges(why.message, undo)).text.lower()
    why = await olga.types("member why", member=s.person("kim").id)
    assert "does not have it" in why.text
    assert "There is no such held batch" in (await olga.forges(why.message, "door:brake-show:77")).text
    assert "older version" in (await olga.forges(why.message, "door:no-such-action:1")).text
