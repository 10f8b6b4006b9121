"""Events, runs, webhooks and changes: what the lists tell, whose they are, and what a press does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from membership import comps, notices, passes, server_settings
from membership.actors import Actor
from membership.browsing import Run
from membership.errors import Retry
from membership.model import GuildId, ManualChange, MemberKey
from tests.pages.stage import MANAGER, OUTSIDER, STAFF, PageStage
from tests.usecases.world import CHARLIE, CLAIM_CHANNEL, GOLD, GUILD, VIP, World

ACTOR = Actor(guild_id=GUILD, user_id=MANAGER, name="Maria", can_staff=True, can_manage=True)


async def tell(world: World, event: str, guild_id: GuildId = GUILD, **facts: object) -> int:
    async with world.services.store.write() as tx:
        return await notices.tell(tx, event, guild_id, facts, world.clock.now(), user_id=CHARLIE)


async def test_the_record_names_what_happened_to_whom_and_why(stage: PageStage) -> None:
    await tell(stage.world, "grant.failed", plan="VIP <i>", reason="role_above_bot")
    staff = await stage.staff_member()
    shown = await staff.get(stage.at("/events"))
    assert "Role not delivered" in shown.words
    assert "VIP <i> · the role is above the bot's own role" in shown.words


async def test_the_record_is_filtered(stage: PageStage) -> None:
    failed, paid = await tell(stage.world, "grant.failed"), await tell(stage.world, "payment.succeeded")
    staff = await stage.staff_member()
    links = (await staff.get(stage.at("/events?group=payment"))).links
    assert stage.at(f"/events/{paid}") in links
    assert stage.at(f"/events/{failed}") not in links
    assert "Nothing fits." in (await staff.get(stage.at("/events?member=4711"))).words
    assert (await staff.get(stage.at("/events?member=ada"))).status == 404


async def test_the_record_is_shown_as_of_a_day(stage: PageStage) -> None:
    number = await tell(stage.world, "grant.failed")
    stage.world.clock.move(timedelta(days=3))
    later = await tell(stage.world, "payment.succeeded")
    staff = await stage.staff_member()
    links = (await staff.get(stage.at("/events?as_of=2026-03-02"))).links
    assert stage.at(f"/events/{number}") in links
    assert stage.at(f"/events/{later}") not in links
    assert (await staff.get(stage.at("/events?as_of=9999-12-31&since=x"))).status == 200


async def test_an_entry_has_an_address_of_its_own(stage: PageStage) -> None:
    number = await tell(stage.world, "grant.failed", detail="why")
    staff = await stage.staff_member()
    assert "why" in (await staff.get(stage.at(f"/events/{number}"))).words


async def test_an_entry_leads_to_the_purchase_of_somebody_whom_discord_does_not_know(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP, product="prod_vip")
    external_id = await stage.world.buys("vip")
    purchase = await stage.world.purchase(external_id)
    (grant,) = await stage.world.grants(external_id)
    async with stage.world.services.store.write() as tx:
        number = await notices.tell(
            tx, "grant.created", GUILD, {"plan": "VIP", "kind": "new"}, stage.world.clock.now(), grant_id=grant.id
        )
    staff = await stage.staff_member()
    order = stage.at(f"/orders/{purchase.id}")
    assert order in (await staff.get(stage.at("/events"))).links
    assert order in (await staff.get(stage.at(f"/events/{number}"))).links


async def test_a_payment_names_its_payer_and_leads_to_the_purchase(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP, product="prod_vip")
    purchase = await stage.world.purchase(await stage.world.buys("vip"))
    staff = await stage.staff_member()
    shown = await staff.get(stage.at("/events?event=payment.succeeded"))
    assert "Payment succeeded" in shown.words
    assert "Charlie" in shown.words
    assert stage.at(f"/orders/{purchase.id}") in shown.links


async def test_a_payment_of_another_server_leads_nowhere(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP, product="prod_vip")
    await stage.world.buys("vip")
    number = await tell(stage.world, "payment.failed", purchase_id=777)
    staff = await stage.staff_member()
    shown = await staff.get(stage.at(f"/events/{number}"))
    assert shown.status == 200
    assert not [link for link in shown.links if "/orders/" in link]


async def test_another_server_s_entry_is_not_there(stage: PageStage) -> None:
    number = await tell(stage.world, "grant.failed", GuildId(999))
    staff = await stage.staff_member()
    assert (await staff.get(stage.at(f"/events/{number}"))).status == 404


async def test_the_record_is_exported_without_formulas(stage: PageStage) -> None:
    await tell(stage.world, "grant.failed", plan="=1+1")
    staff = await stage.staff_member()
    file = await staff.get(stage.at("/events/export?event=grant.failed"))
    assert file.headers["Content-Type"].startswith("text/csv")
    lines = file.text.strip().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("number,at,event,user_id,by,grant_id,detail")
    assert str(CHARLIE) in lines[1]


async def test_runs_are_listed_and_looked_at(stage: PageStage) -> None:
    run = Run(kind="five-minute", guild_id=GUILD, started_at=stage.world.clock.now())
    async with passes.recorded(stage.world.services, run) as tally:
        tally.looked_at = 12
        await tell(stage.world, "role.added")
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at("/runs"))
    assert "Five-minute run" in shown.words
    one = next(link for link in shown.links if "/runs/" in link)
    assert "Role given" in (await manager.get(one)).words
    assert (await manager.get(stage.at("/runs/4711"))).status == 404


async def test_the_trouble_of_a_run_is_told_without_secrets(stage: PageStage) -> None:
    run = Run(kind="hourly", subject="stripe", started_at=stage.world.clock.now())
    with pytest.raises(Retry):
        async with passes.recorded(stage.world.services, run):
            raise Retry("the key sk_live_abcdef123 of ada@example.com timed out")
    async with stage.world.services.store.write() as tx:
        await tx.guilds.allow_account(GUILD, stage.world.account_id)
    manager = await stage.staff_member(MANAGER)
    told = await manager.get(stage.at("/runs/1"))
    problem = await manager.get(stage.at("/problems"))
    for shown in (told, problem):
        assert "timed out" in shown.words
        assert "sk_live" not in shown.text
    assert "stripe did not answer" in problem.words


async def test_no_run_yet_is_said(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    assert "No run yet." in (await manager.get(stage.at("/runs"))).words


async def test_an_event_of_a_provider_is_shown_and_processed_again(stage: PageStage) -> None:
    world = stage.world
    async with world.services.store.write() as tx:
        await tx.guilds.allow_account(GUILD, world.account_id)
    await world.plan("vip", VIP)
    await world.buys("vip")
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at("/webhooks"))
    assert "subscription.updated" in shown.words
    look = await manager.get(next(link for link in shown.links if "/webhooks/" in link))
    assert "Processed" in look.words
    assert "Process again" in look.words


async def test_an_event_of_an_account_that_is_not_the_server_s_is_not_there(stage: PageStage) -> None:
    async with stage.world.services.store.write() as tx:
        await tx.guilds.forbid_account(GUILD, stage.world.account_id)
    await stage.world.plan("vip", VIP)
    await stage.world.buys("vip")
    manager = await stage.staff_member(MANAGER)
    assert "No event yet." in (await manager.get(stage.at("/webhooks"))).words
    assert (await manager.get(stage.at("/webhooks/1"))).status == 404
    assert (await manager.post(stage.at("/webhooks/1/again"))).status == 404


async def test_a_change_is_shown_with_before_and_after_and_taken_back(stage: PageStage) -> None:
    await server_settings.change(stage.world.services, ACTOR, {"dms": False})
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at("/audit"))
    assert "Write direct messages to members yes no" in shown.words

    shown = await manager.press(shown, "Undo")

    assert "Taken back" in shown.words
    assert (await stage.world.guild()).dms is True


async def test_a_choice_that_was_changed_is_told_in_the_words_of_its_form(stage: PageStage) -> None:
    await server_settings.change(stage.world.services, ACTOR, {"manual_change": ManualChange.REPORT})
    manager = await stage.staff_member(MANAGER)
    words = (await manager.get(stage.at("/audit"))).words
    assert "When somebody takes a paid role away by hand" in words
    assert "Leave it away and tell staff" in words


async def test_a_change_is_by_somebody_with_a_name_and_times_have_a_zone(stage: PageStage) -> None:
    await server_settings.change(stage.world.services, ACTOR, {"time_zone": "Europe/Rome"})
    manager = await stage.staff_member(MANAGER)
    words = (await manager.get(stage.at("/audit"))).words
    assert f"by staff {MANAGER}" in words
    assert "Times are in Europe/Rome." in words


async def test_whom_and_where_a_change_is_about_has_a_name(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.member("vip")
    plan = await stage.world.plan("gold", GOLD)
    await comps.grant(stage.world.services, ACTOR, CHARLIE, comps.Terms(plan_id=plan.id, until=None))
    await stage.world.advance(hours=1)
    await server_settings.change(stage.world.services, ACTOR, {"invite_channel_id": CLAIM_CHANNEL})
    async with stage.world.services.store.write() as tx:
        row = await tx.members.get(MemberKey(GUILD, CHARLIE))
        assert row is not None
        await tx.members.settle(replace(row, name="charlie.b"), None)
    manager = await stage.staff_member(MANAGER)
    for page in ("/audit", "/events"):
        words = (await manager.get(stage.at(page))).words
        assert "given to @charlie.b" in words
        assert "#claim" in words
        assert "<@" not in words
        assert "<#" not in words


async def test_what_was_changed_again_is_not_taken_back(stage: PageStage) -> None:
    await server_settings.change(stage.world.services, ACTOR, {"digest_hour": 7})
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at("/audit"))
    await server_settings.change(stage.world.services, ACTOR, {"digest_hour": 8})
    assert "changed again meanwhile" in (await manager.press(shown, "Undo")).words
    assert (await stage.world.guild()).digest_hour == 8


async def test_another_server_s_change_is_not_there(stage: PageStage) -> None:
    async with stage.world.services.store.write() as tx:
        await tx.guilds.ensure(GuildId(999), "Other")
    elsewhere = Actor(guild_id=GuildId(999), user_id=MANAGER, can_staff=True, can_manage=True)
    changed = await server_settings.change(stage.world.services, elsewhere, {"dms": False})
    manager = await stage.staff_member(MANAGER)
    assert (await manager.post(stage.at(f"/undo/{changed.change_id}"))).status == 404
    async with stage.world.services.store.read() as tx:
        other = await tx.guilds.get(GuildId(999))
    assert other is not None
    assert other.dms is False


@pytest.mark.parametrize("path", ["/runs", "/webhooks", "/audit", "/doctor", "/notifications", "/brake"])
async def test_support_has_no_page_of_managers(stage: PageStage, path: str) -> None:
    assert (await (await stage.staff_member(STAFF)).get(stage.at(path))).status == 403
    assert (await (await stage.staff_member(OUTSIDER)).get(stage.at(path))).status == 404
