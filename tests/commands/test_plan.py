"""Olga makes and changes plans in Discord: she sees whom it touches, and nothing happens before she says so."""

from __future__ import annotations

from sandbox.discord.permissions import Permission
from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage


async def test_a_role_that_people_had_before_is_sold_and_they_get_it_for_free(s: Stage, olga: Keyboard) -> None:
    labels = await olga.offered("plan create", "product", "backst", name="Backstage")
    assert [label for label, _ in labels] == ["Backstage · 25.00 € / month (test)"]
    supporter = s.outside.seed.server.supporter
    seen = await olga.types("plan create", name="Backstage", product=labels[0][1], role=supporter.id)
    assert "**16** have" in seen.text
    assert "Nobody is touched" in seen.text
    done = await seen.presses("Create plan")
    assert "16 members have" in done.text
    decided = await (await done.presses("Decide")).presses("Give to 16")
    assert "16 members get" in decided.text
    await s.settled()
    again = await olga.types("plan list")
    assert "16 members" in again.text


async def test_a_form_makes_a_plan_with_a_role_of_its_own(s: Stage, olga: Keyboard) -> None:
    form = await olga.types("plan create", name="Patrons")
    assert form.fields == ["Name", "Roles", "Product", "When it ends", "Grace days"]
    patron = await olga.offered("plan create", "product", "patron", name="x")
    seen = await form.fills(products=[patron[0][1]], grace="5")
    assert "@Patrons** (new)" in seen.text
    done = await seen.presses("Create plan")
    assert "**Patrons** is saved" in done.text
    shown = await done.presses("Show plan")
    assert "Roles and products are fine" in shown.text
    assert "Patrons" in {role.name for role in s.guild.roles.values()}


async def test_a_changed_plan_shows_who_moves_does_exactly_that_and_is_taken_back(s: Stage, olga: Keyboard) -> None:
    await s.are_members("ben", "kim")
    form = await olga.types("plan edit", plan="VIP")
    seen = await form.fills(roles=[s.outside.seed.server.trial.id])
    assert "**~ 2** would move" in seen.text
    people = await seen.presses("See")
    assert "paid" in people.text
    done = await (await people.presses("Back")).presses("Apply exactly this to 2 members")
    assert "2 members are being changed now" in done.text
    await s.settled()
    assert s.roles("ben") == s.roles("kim") == {"VIP trial"}


async def test_a_deleted_role_is_said_everywhere_and_made_again_by_one_button(
    s: Stage, olga: Keyboard, ben: Keyboard
) -> None:
    await s.is_member("ben")
    old = s.role("VIP")
    s.outside.discord.people.delete_role(s.guild, old, by=s.person("olga"))
    await s.eventually(lambda: any("was deleted" in post for post in s.posts()), "the post")
    await s.settled()
    card = await ben.types("membership")
    assert "Not delivered: the role no longer exists" in card.text
    assert str(old.id) not in card.text
    why = await olga.types("member why", member=ben.user.id)
    assert "the deleted role of VIP: does not have it, should have it ❌" in why.text
    assert str(old.id) not in why.text
    made = await (await olga.types("plan show", plan="VIP")).presses("Make it again")
    assert "I made <@&" in made.text
    await s.settled()
    assert s.roles("ben") == {"VIP"}
    assert "Roles and products are fine" in (await made.presses("Show plan")).text


async def test_a_role_with_power_over_others_is_sold_only_when_that_is_confirmed(s: Stage, olga: Keyboard) -> None:
    staff = s.outside.seed.server.staff
    s.outside.discord.world.portal.has_members_intent = False
    seen = await olga.types("plan create", name="Helpers", role=staff.id)
    assert "Manage Roles" in seen.text
    assert "Could not count" in seen.text
    assert "Use it anyway: Create plan" in seen.labels
    above = s.role("Chief", position=12)
    refused = await olga.types("plan create", name="Chiefs", role=above.id)
    assert "above my own role" in refused.text
    assert refused.labels == []


async def test_rules_say_before_and_after_and_kicking_waits_for_the_permission(s: Stage, olga: Keyboard) -> None:
    seen = await olga.types("plan rules", plan="VIP", grace_days=1, past_due="remove")
    assert "for 3 days → remove it at once" in seen.text
    discord = s.outside.discord
    bot_role = discord.bot_role(s.guild)
    bot_role.permissions &= ~Permission.KICK_MEMBERS
    s.guild.roles[s.guild.id].permissions &= ~Permission.KICK_MEMBERS
    discord.people.move_role(s.guild, bot_role, bot_role.position + 1, by=olga.user)
    refused = await olga.types("plan rules", plan="VIP", on_cancel="kick")
    assert "Add permission" in refused.labels
    kept = await olga.types("plan rules", plan="VIP")
    assert "remove role" in kept.text


async def test_a_plan_is_tried_archived_and_sold_again(s: Stage, olga: Keyboard) -> None:
    tried = await olga.types("plan test", plan="VIP")
    assert "You have" in tried.text
    assert s.has("olga")
    await s.advance(minutes=6)
    assert not s.has("olga")
    asked = await olga.types("plan archive", plan="VIP")
    done = await (await asked.presses("Keep")).presses("Archive VIP")
    assert "saved" in done.text
    assert await olga.suggestions("plan restore", "plan", "") == ["VIP"]
    sold = await (await olga.types("plan restore", plan="VIP")).presses("Restore VIP")
    assert "saved" in sold.text
