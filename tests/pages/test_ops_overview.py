"""The overview: numbers, the chart with its words, what needs somebody, and a fresh server."""

from __future__ import annotations

from membership.model import MemberKey, PurchaseStatus
from membership.records import HeldRemoval
from tests.pages.stage import MANAGER, OUTSIDER, PageStage
from tests.usecases.world import CHARLIE, DORA, GUILD, VIP


async def test_a_fresh_server_is_led_to_the_set_up(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at())
    assert shown.status == 200
    assert stage.at("/setup") in shown.links


async def test_it_counts_and_draws_the_members(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.member("vip")
    late = await stage.world.member("vip", user=DORA)
    await stage.world.changes(late, status=PurchaseStatus.PAST_DUE)
    staff = await stage.staff_member()

    shown = await staff.get(stage.at())

    assert "2 Active" in shown.words
    assert "1 Past due" in shown.words
    assert "Active members rose from 0 to 2 between" in shown.words
    assert "Show numbers" in shown.words
    assert "<svg" in shown.text
    assert "style=" not in shown.text


async def test_it_names_what_needs_somebody_with_its_fix(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.buys("vip")
    await stage.world.advance(days=2)
    staff = await stage.staff_member()
    shown = await staff.get(stage.at())
    assert "no Discord account connected for more than a day" in shown.words
    assert "1 mail" in (await staff.press(shown, "Remind all")).words


async def test_it_says_first_what_is_held(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.member("vip")
    async with stage.world.services.store.write() as tx:
        removal = HeldRemoval(key=MemberKey(GUILD, CHARLIE), role_id=VIP)
        batch_id = await tx.removals.hold(GUILD, [removal], "unmapped", stage.world.clock.now())
    manager, staff = await stage.staff_member(MANAGER), await stage.staff_member()
    shown = await manager.get(stage.at())
    assert "1 removal is held." in shown.words
    assert stage.at(f"/brake/{batch_id}") in shown.links
    assert stage.at(f"/brake/{batch_id}") not in (await staff.get(stage.at())).links


async def test_it_tells_the_last_events(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.member("vip")
    staff = await stage.staff_member()
    assert "Role delivered" in (await staff.get(stage.at())).words


async def test_it_is_small(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.member("vip")
    staff = await stage.staff_member()
    assert len((await staff.get(stage.at())).text) < 20_000


async def test_nobody_else_sees_it(stage: PageStage) -> None:
    assert (await (await stage.staff_member(OUTSIDER)).get(stage.at())).status == 404
    stranger = await stage.stranger()
    assert (await stranger.get(stage.at())).location.startswith("/admin/sign-in")


async def test_members_are_found_from_every_page_of_staff(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.member("vip")
    staff = await stage.staff_member()
    for path in (stage.at(), stage.at("/problems"), stage.at(f"/members/{CHARLIE}")):
        form = (await staff.get(path)).form("Find")
        assert (form.method, form.action, form.fields) == ("get", stage.at("/members"), [("q", "")])
    assert not any("Find" in form.buttons for form in (await staff.get(stage.at("/members"))).forms)
