"""Support staff at the keyboard: who is this, why is there no role, and put it right."""

from __future__ import annotations

from sandbox.discord.permissions import Permission
from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage


def support(s: Stage) -> Keyboard:
    """Sue may manage roles, and nothing else."""
    role = s.outside.discord.create_role(s.guild, "support", permissions=Permission.MANAGE_ROLES)
    s.outside.discord.create_member(s.guild, s.person("sue"), role)
    return Keyboard.of(s, "sue")


async def test_support_finds_a_buyer_links_them_and_moves_the_purchase(s: Stage) -> None:
    sue, ben, kim = support(s), s.person("ben"), s.person("kim")
    s.buys("ben")
    await s.invitation("ben")
    ((label, value),) = await sue.offered("member link", "customer", "ben@example.com", member=kim.id)
    assert label.startswith("Ben · b••@example.com · VIP · pending link")
    found = await sue.types("member find", query="ben@example.com")
    assert "⏳ Waiting for Discord" in found.text
    assert "b••@" in found.text
    assert found.is_private
    assert "nothing is known" in (await sue.types("member find", query="@kim")).text.lower()
    linked = await sue.types("member link", member=kim.id, customer=value, reason="sent a receipt")
    await s.settled_until(lambda: s.has("kim"))
    await sue.types("member move", from_member=kim.id, to_member=ben.id)
    await s.settled_until(lambda: s.has("ben") and not s.has("kim"))
    assert "sent a receipt" in (await sue.types("member history", member=kim.id)).text
    # Pressed late: what it would take back was changed again meanwhile.
    assert "changed again meanwhile" in (await linked.presses("Undo")).text
    assert s.has("ben")


async def test_support_revokes_after_a_question_and_takes_it_back(s: Stage) -> None:
    sue, ben = support(s), s.person("ben")
    await s.is_member("ben")
    ((_, grant),) = await sue.offered("member revoke", "grant", "", member=ben.id)
    asked = await sue.types("member revoke", member=ben.id, grant=grant, when="now", reason="spam")
    assert asked.labels == ["Take VIP from @ben now", "Keep it"]
    assert "still pays" in asked.text
    assert s.has("ben")
    done = await asked.presses("Take VIP from @ben now")
    assert "⚪ Ended" in done.text
    assert not s.has("ben")
    await done.presses("Undo")
    await s.settled_until(lambda: s.has("ben"))
    assert "ten minutes old" in (await sue.forges(asked.message, "door:member-revoke-now:1")).text


async def test_support_is_told_the_cause_the_fix_and_has_a_button_for_it(s: Stage) -> None:
    sue, ben = support(s), s.person("ben")
    people, olga = s.outside.discord.people, s.person("olga")
    role = s.role("VIP")
    people.move_role(s.guild, role, 90, by=olga)
    s.buys("ben")
    await s.connects("ben")
    await s.settled()
    why = await sue.chooses("Why these roles?", "ben")
    assert "does not have it, should have it ❌" in why.text
    assert "above my own role" in why.text
    assert "Fix: Server Settings" in why.text
    people.move_role(s.guild, role, 2, by=olga)
    assert "read again" in (await why.presses("I did that, retry now")).text
    await s.settled_until(lambda: s.has("ben"))
    card = await sue.types("member card", member=ben.id)
    form = await card.presses("Exempt")
    assert form.fields == ["Until", "Reason"]
    exempted = await form.fills(until="30d", reason="guest of honour")
    assert "never touched" in exempted.text
    assert "Look after again" in (await exempted.presses("Card")).labels
