"""The list of members, a member's card and an order: what stands there, what a press does, and who may."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest

from membership.errors import Reason
from membership.model import CustomerSnapshot, OnEnd, PurchaseStatus
from membership.shown import ShownState
from tests.pages.stage import MANAGER, OUTSIDER, OWNER, PageStage, Shown
from tests.usecases.world import BOB, CHARLIE, GUILD, VIP, World

HOSTILE = '"><script>alert(1)</script>{{7*7}}=1+1'


async def a_member(world: World) -> str:
    """Let Charlie buy VIP and connect."""
    await world.plan("vip", VIP)
    return await world.member("vip")


async def order_of(stage: PageStage, external_id: str) -> str:
    return stage.at(f"/orders/{(await stage.world.purchase(external_id)).id}")


def exported(shown: Shown) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(shown.text.removeprefix("\ufeff"))))


# ---------------------------------------------------------------------------------------------------------- the list


async def test_it_says_that_nobody_bought_yet(stage: PageStage) -> None:
    staff = await stage.staff_member()
    shown = await staff.get(stage.at("/members"))
    assert shown.status == 200
    assert "No one yet" in shown.words


async def test_it_lists_who_bought_with_state_and_connection(stage: PageStage) -> None:
    await a_member(stage.world)
    await stage.world.buys("vip", by="dora")
    staff = await stage.staff_member()
    shown = await staff.get(stage.at("/members"))
    for text in ("Dora", "d••@example.com", "Waiting for Discord", "nobody yet", "User3", "Active", "renews"):
        assert text in shown.words
    assert stage.at(f"/members/{CHARLIE}") in shown.links


async def test_the_list_is_sent_packed(stage: PageStage) -> None:
    await a_member(stage.world)
    staff = await stage.staff_member()
    shown = await staff.get(stage.at("/members"))
    assert shown.headers["Content-Encoding"] in ("gzip", "deflate")
    assert int(shown.headers["Content-Length"]) < len(shown.text) / 2


async def test_whole_addresses_are_for_administrators(stage: PageStage) -> None:
    await a_member(stage.world)
    owner, manager = await stage.staff_member(OWNER), await stage.staff_member(MANAGER)
    assert "user3@example.com" in (await owner.get(stage.at("/members"))).text
    assert "user3@example.com" not in (await manager.get(stage.at("/members"))).text


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("q=user3%40example.com", True), ("q=user3%40", False), ("q=User3", True), ("q=sub_1", True),
        ("q=somebody", False),
        ("state=active", True), ("state=past_due", False), ("state=problem", False), ("state=nonsense", True),
        ("plan=1", True), ("plan=77", False), ("plan=x", True), ("linked=yes", True), ("linked=no", False),
        ("linked=yes&state=active&plan=1&q=user3", True), ("before=1", False), ("before=%F0%9F%98%80", True),
    ],
)  # fmt: skip
async def test_filters_leave_out_what_does_not_fit(stage: PageStage, query: str, is_found: bool) -> None:
    await a_member(stage.world)
    staff = await stage.staff_member()
    shown = await staff.get(stage.at(f"/members?{query}"))
    assert shown.status == 200
    assert (stage.at(f"/members/{CHARLIE}") in shown.links) is is_found


async def test_every_state_can_be_asked_for(stage: PageStage) -> None:
    await a_member(stage.world)
    staff = await stage.staff_member()
    for state in ShownState:
        assert (await staff.get(stage.at(f"/members?state={state.value}"))).status == 200


async def test_what_staff_see_in_the_list_is_what_the_card_says(stage: PageStage) -> None:
    external_id = await a_member(stage.world)
    await stage.world.changes(external_id, ends_at=stage.world.clock.now() + timedelta(days=9))
    staff = await stage.staff_member()
    listed = await staff.get(stage.at("/members?state=ending"))
    card = await staff.get(stage.at(f"/members/{CHARLIE}"))
    assert "Cancelled, still running" in listed.words
    assert "ends 10 Mar 2026" in listed.words
    assert "Ends 10 March 2026" in card.words


async def test_the_file_has_the_same_filter_and_cannot_hold_formulas(stage: PageStage) -> None:
    await a_member(stage.world)
    stage.world.provider.bought.clear()
    other = stage.world.pays("vip", by="dora")
    stage.world.now_reads(other, customer=replace_name(stage.world, other, "=HYPERLINK(1)"))
    await stage.world.webhook(other)
    await stage.world.settle()
    owner, staff = await stage.staff_member(OWNER), await stage.staff_member()
    everybody = exported(await owner.post(stage.at("/members/export"), {}))
    assert [row["email"] for row in everybody] == ["dora@example.com", "user3@example.com"]
    assert everybody[0]["name"] == "'=HYPERLINK(1)"
    assert everybody[1]["discord_id"] == str(CHARLIE)
    waiting = exported(await staff.post(stage.at("/members/export"), {"state": "pending_link"}))
    assert [row["email"] for row in waiting] == ["d••@example.com"]
    assert len(await stage.world.audit("members.exported")) == 2


def replace_name(world: World, external_id: str, name: str) -> CustomerSnapshot:
    return replace(world.provider.bought[external_id].customer, name=name)


# ---------------------------------------------------------------------------------------------------------- the card


async def test_the_card_says_who_they_are_what_they_have_and_why(stage: PageStage) -> None:
    await a_member(stage.world)
    staff = await stage.staff_member()
    shown = await staff.get(stage.at(f"/members/{CHARLIE}"))
    for text in ("Roles", "Has it, as it should be", "VIP (membership 1): Active", "In the server", "Paid in all"):
        assert text in shown.words, text


async def test_somebody_of_whom_nothing_is_known_has_no_card(stage: PageStage) -> None:
    staff = await stage.staff_member()
    for number in (BOB, 0, 2**63, "x"):
        assert (await staff.get(stage.at(f"/members/{number}"))).status == 404


async def test_the_story_is_told_in_full_and_by_what_it_is_about(stage: PageStage) -> None:
    await a_member(stage.world)
    staff = await stage.staff_member()
    everything = await staff.get(stage.at(f"/members/{CHARLIE}"))
    roles = await staff.get(stage.at(f"/members/{CHARLIE}?group=access"))
    before = await staff.get(stage.at(f"/members/{CHARLIE}?as_of=2026-01-01"))
    assert "Purchase connected" in everything.words
    assert "Role given" in roles.words
    assert "Purchase connected" not in roles.words
    assert "Nothing happened." in before.words
    assert (await staff.get(stage.at(f"/members/{CHARLIE}?group=nonsense&as_of=nonsense&page=99"))).status == 200


async def test_a_note_is_written_down_and_shown(stage: PageStage) -> None:
    await a_member(stage.world)
    staff = await stage.staff_member()
    card = await staff.get(stage.at(f"/members/{CHARLIE}"))
    shown = await staff.press(card, "Write it down", text="asked for a refund")
    assert "asked for a refund" in shown.words
    assert "Written down." in shown.words
    assert "empty" in (await staff.press(card, "Write it down", text=" ")).words


async def test_refresh_says_what_changed(stage: PageStage) -> None:
    external_id = await a_member(stage.world)
    stage.world.now_reads(external_id, status=PurchaseStatus.ENDED)
    staff = await stage.staff_member()
    card = await staff.get(stage.at(f"/members/{CHARLIE}"))
    working = stage.world._while_working(staff.press(card, "Refresh"))
    assert "taken." in (await working).words
    assert stage.world.roles(CHARLIE) == set()


async def test_a_plan_is_given_extended_and_taken_back(stage: PageStage) -> None:
    world = stage.world
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    staff = await stage.staff_member()
    form = await staff.get(stage.at(f"/members/{CHARLIE}/grant"))
    shown = await world._while_working(staff.press(form, "Give it", days="10", reason="a prize"))
    assert "VIP is given until 11 March 2026." in shown.words
    assert world.roles(CHARLIE) == {VIP}
    form = await staff.get(stage.at(f"/members/{CHARLIE}/extend/1"))
    assert "VIP lasts until 16 March 2026." in (await world._while_working(staff.press(form, "Extend", days="5"))).words
    form = await staff.get(stage.at(f"/members/{CHARLIE}/revoke/1"))
    assert "The roles of the plan are taken" in form.words
    shown = await world._while_working(staff.press(form, "Take VIP back", when="now"))
    assert "VIP is taken back." in shown.words
    assert world.roles(CHARLIE) == set()


async def test_what_cannot_be_done_is_said_on_the_form_and_nothing_typed_is_lost(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    stage.world.joins(CHARLIE)
    staff = await stage.staff_member()
    form = await staff.get(stage.at(f"/members/{CHARLIE}/grant"))
    for days, why in (("4000", "1 to 3660"), ("x", "1 to 3660"), ("90", "31 days at most")):
        answer = await staff.press(form, "Give it", days=days, reason="because")
        assert answer.status == 422
        assert why in answer.words
        assert dict(answer.form("Give it").fields)["reason"] == "because"
    assert not await stage.world.audit("staff.action")


async def test_a_member_is_moved_connected_and_disconnected(stage: PageStage) -> None:
    world = stage.world
    await a_member(world)
    world.joins(BOB)
    staff = await stage.staff_member()
    form = await staff.get(stage.at(f"/members/{CHARLIE}/move"))
    await world._while_working(staff.press(form, "Move everything", user=str(BOB)))
    assert (world.roles(CHARLIE), world.roles(BOB)) == (set(), {VIP})
    form = await staff.get(stage.at(f"/members/{BOB}/disconnect"))
    await world._while_working(staff.press(form, "Disconnect"))
    assert world.roles(BOB) == set()
    form = await staff.get(stage.at(f"/members/{CHARLIE}/connect"))
    await world._while_working(staff.press(form, "Connect", customer="user3@example.com"))
    assert world.roles(CHARLIE) == {VIP}
    assert (
        "no Discord user ID"
        in (
            await staff.press(await staff.get(stage.at(f"/members/{CHARLIE}/move")), "Move everything", user="me")
        ).words
    )


async def test_a_member_is_left_alone_and_looked_after_again(stage: PageStage) -> None:
    await a_member(stage.world)
    staff = await stage.staff_member()
    form = await staff.get(stage.at(f"/members/{CHARLIE}/leave-alone"))
    card = await staff.press(form, "Leave alone", days="3")
    assert "Their roles are left alone." in card.words
    assert "looked after again" in (await staff.press(card, "Look after again")).words


async def test_a_sharp_plan_says_what_taking_it_back_does(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP, on_end=OnEnd.KICK)
    await stage.world.member("vip")
    staff = await stage.staff_member()
    form = await staff.get(stage.at(f"/members/{CHARLIE}/revoke/1"))
    assert "kicked" in form.words
    assert "goes on paying" in form.words


# --------------------------------------------------------------------------------------------------------- the order


async def test_an_order_goes_from_invited_to_connected(stage: PageStage) -> None:
    world = stage.world
    await world.plan("vip", VIP)
    external_id = await world.buys("vip")
    staff = await stage.staff_member()
    url = await order_of(stage, external_id)
    shown = await staff.get(url)
    for text in ("Invitation in progress", "have not connected Discord yet", "Charlie", "10.00 €", "open until then"):
        assert text in shown.words, text
    world.joins(CHARLIE)
    await world.links(external_id, CHARLIE)
    shown = await staff.get(url)
    assert "Connected" in shown.words
    assert "not needed any more" in shown.words
    assert "open until then" not in shown.words


async def test_an_invitation_can_be_forced(stage: PageStage) -> None:
    world = stage.world
    await world.plan("vip", VIP)
    external_id = await world.buys("vip")
    before = len(world.mailer.sent)
    await world.advance(minutes=61)
    staff = await stage.staff_member()
    url = await order_of(stage, external_id)
    shown = await staff.press(await staff.get(url), "Send the invitation again")
    assert "The mail is on its way." in shown.words
    await world.settle()
    assert len(world.mailer.sent) > before
    again = await staff.press(shown, "Send the invitation again")
    assert "less than an hour ago" in again.words


async def test_an_order_says_who_was_disconnected_from_it(stage: PageStage) -> None:
    world = stage.world
    external_id = await a_member(world)
    staff = await stage.staff_member()
    form = await staff.get(stage.at(f"/members/{CHARLIE}/disconnect"))
    await world._while_working(staff.press(form, "Disconnect"))
    shown = await staff.get(await order_of(stage, external_id))
    assert "Disconnected" in shown.words
    assert "and disconnected. Nobody has it now." in shown.words
    assert "have not connected Discord yet" not in shown.words
    assert any("Send a new link" in form.buttons for form in shown.forms)


async def test_an_order_is_connected_by_hand_and_taken_back(stage: PageStage) -> None:
    world = stage.world
    await world.plan("vip", VIP)
    external_id = await world.buys("vip")
    world.joins(CHARLIE)
    staff = await stage.staff_member()
    url = await order_of(stage, external_id)
    form = await staff.get(f"{url}/connect")
    shown = await world._while_working(staff.press(form, "Connect", user=str(CHARLIE)))
    assert world.roles(CHARLIE) == {VIP}
    assert "Connected" in shown.words
    form = await staff.get(f"{url}/revoke/1")
    await world._while_working(staff.press(form, "Take VIP back"))
    await world.settle()
    assert (await world.standing(external_id)) == [f"revoked {Reason.REVOKED}"]
    assert "Ended" in (await staff.get(url)).words


async def test_an_order_is_read_again_at_the_provider(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    external_id = await stage.world.buys("vip")
    stage.world.now_reads(external_id, status=PurchaseStatus.ENDED)
    staff = await stage.staff_member()
    url = await order_of(stage, external_id)
    shown = await staff.press(await staff.get(url), "Ask the payment provider again")
    assert "Read again" in shown.words
    assert "nothing to invite them to" in shown.words


async def test_provider_ids_are_whole_for_administrators_alone(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.buys("vip", external_id="sub_0123456789")
    url = await order_of(stage, "sub_0123456789")
    owner, manager = await stage.staff_member(OWNER), await stage.staff_member(MANAGER)
    assert "sub_…6789" in (await manager.get(url)).words
    assert "sub_0123456789" in (await owner.get(url)).words


# ------------------------------------------------------------------------------------------------------ who may what


async def test_nobody_else_sees_or_does_any_of_it(stage: PageStage) -> None:
    external_id = await a_member(stage.world)
    order = await order_of(stage, external_id)
    outsider = await stage.staff_member(OUTSIDER)
    for path in (stage.at("/members"), stage.at(f"/members/{CHARLIE}"), order):
        assert (await outsider.get(path)).status == 404
    for path in (stage.at("/members/export"), stage.at(f"/members/{CHARLIE}/disconnect"), f"{order}/invite"):
        assert (await outsider.post(path, {})).status == 404
    assert stage.world.roles(CHARLIE) == {VIP}


async def test_what_is_elsewhere_is_not_here(stage: PageStage) -> None:
    await a_member(stage.world)
    staff = await stage.staff_member()
    for path in ("/orders/777", "/orders/x", f"/members/{CHARLIE}/revoke/777", f"/members/{BOB}/revoke/1"):
        assert (await staff.get(stage.at(path))).status == 404
    for path in ("/orders/777/invite", "/orders/777/revoke/1", f"/members/{BOB}/extend/1"):
        assert (await staff.post(stage.at(path), {"days": "3"})).status == 404


async def test_hostile_names_stay_text(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    external_id = stage.world.pays("vip")
    stage.world.now_reads(external_id, customer=replace_name(stage.world, external_id, HOSTILE))
    await stage.world.webhook(external_id)
    await stage.world.settle()
    staff = await stage.staff_member()
    for path in (stage.at("/members"), await order_of(stage, external_id)):
        shown = await staff.get(path)
        assert "<script>" not in shown.text
        assert HOSTILE in shown.words


async def test_an_act_is_taken_back_where_the_card_tells_of_it(stage: PageStage) -> None:
    await a_member(stage.world)
    staff = await stage.staff_member()
    form = await staff.get(stage.at(f"/members/{CHARLIE}/leave-alone"))
    done = await staff.press(form, "Leave alone", days="7", reason="on holiday")
    assert "Left alone" in done.words
    undone = await staff.press(done, "Undo")
    assert "Taken back" in undone.words
    assert "Left alone" not in undone.words
    assert not [form for form in undone.forms if "/undo/" in form.action]


async def test_support_staff_take_back_what_they_did_themselves_alone(stage: PageStage) -> None:
    await a_member(stage.world)
    boss = await stage.staff_member(MANAGER)
    form = await boss.get(stage.at(f"/members/{CHARLIE}/leave-alone"))
    await boss.press(form, "Leave alone", days="7", reason="on holiday")
    staff = await stage.staff_member()
    card = await staff.get(stage.at(f"/members/{CHARLIE}"))
    assert "Left alone" in card.words
    assert not [form for form in card.forms if "/undo/" in form.action]
    async with stage.world.services.store.read() as tx:
        [change] = await tx.changes.recent(GUILD, stage.world.clock.now() - timedelta(days=1), 5)
    refused = await staff.post(stage.at(f"/undo/{change.id}"), {"back": card.url})
    assert "no such change" in (await staff.follow(refused.location)).words
