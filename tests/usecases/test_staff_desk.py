"""What staff ask and do about one member: why, find, link, move, refresh, resend; and never about another server's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from membership import (
    comps,
    exemptions,
    explain,
    notes,
    pauses,
    refreshing,
    resending,
    roster,
    search,
    staff_links,
    timeline,
    undo,
)
from membership.actors import Actor
from membership.comps import RevokeWhen
from membership.errors import Retry, UserError
from membership.explanation import Cause, RoleExplanation
from membership.model import CustomerId, GuildId, Plan, PurchaseStatus, RoleId, UserId
from membership.records import AuditEntry
from membership.resending import Sending, Via
from membership.shown import ShownState
from tests.usecases.world import ALICE, BOB, CHARLIE, DORA, FRIEND, GUILD, LATE, VIP, World

STAFF = Actor(guild_id=GUILD, user_id=BOB, name="bob", can_staff=True)
OTHERS = Actor(guild_id=GuildId(999), user_id=DORA, name="dora", can_staff=True, can_manage=True, can_data=True)


@pytest.fixture
async def vip(world: World) -> Plan:
    return await world.plan("vip", VIP, past_due_role_id=LATE)


async def why(world: World, role: RoleId = VIP, user: UserId = CHARLIE) -> RoleExplanation:
    return (await explain.explain(world.services, STAFF, user, role)).roles[0]


async def customer_of(world: World, external_id: str) -> CustomerId:
    return (await world.purchase(external_id)).customer_id


# ------------------------------------------------------------------------------------------------------------- why


async def test_a_delivered_role_is_explained_by_its_grant(world: World, vip: Plan) -> None:
    await world.member("vip")
    told = await why(world)
    assert (told.has, told.should, told.is_ours, told.cause) == (True, True, True, Cause.FINE)
    assert [(grant.state, grant.is_renewing) for grant in told.grants] == [(ShownState.ACTIVE, True)]
    assert told.changed_at == world.clock.now()


async def test_a_role_that_a_moderator_gave_is_nobodys_business(world: World, vip: Plan) -> None:
    world.joins(DORA, VIP, FRIEND)
    assert (await why(world, VIP, DORA)).cause is Cause.FOREIGN
    unmanaged = await why(world, FRIEND, DORA)
    assert (unmanaged.cause, unmanaged.is_managed) == (Cause.FOREIGN, False)


async def test_each_obstacle_has_its_own_name(world: World, vip: Plan) -> None:
    await world.member("vip")
    await exemptions.exempt(world.services, STAFF, CHARLIE, until=None)
    await world.settle()
    world.roles(CHARLIE).clear()
    assert (await why(world)).cause is Cause.EXEMPT
    await exemptions.lift(world.services, STAFF, CHARLIE)
    world.discord.guilds[GUILD].pending.add(CHARLIE)
    assert (await why(world)).cause is Cause.RULES
    world.discord.guilds[GUILD].pending.clear()
    world.discord.guilds[GUILD].roles[VIP] = 90
    assert (await why(world)).cause is Cause.REFUSED
    world.discord.guilds[GUILD].roles[VIP] = 10
    assert (await why(world)).cause is Cause.WAITING
    await pauses.pause(world.services, replace(STAFF, can_manage=True), "a look")
    assert (await why(world)).cause is Cause.PAUSED
    await pauses.resume(world.services, replace(STAFF, can_manage=True))
    del world.discord.guilds[GUILD].members[CHARLIE]
    assert (await why(world)).cause is Cause.ABSENT


async def test_a_role_taken_by_hand_too_often_is_left_away(world: World, vip: Plan) -> None:
    await world.member("vip")
    for _ in range(world.policy.repairs_per_day + 1):
        world.roles(CHARLIE).clear()
        await world.mark("member", f"{GUILD}:{CHARLIE}", scope=str(GUILD))
        await world.settle()
    assert (await why(world)).cause is Cause.HAND_REMOVED


async def test_why_tells_what_was_seen_last_while_discord_cannot_be_asked(world: World, vip: Plan) -> None:
    await world.member("vip")
    await world.five_minutes()
    seen_at = world.clock.now()
    world.clock.move(timedelta(hours=1))
    world.discord.faults.fails_always("observe", Retry("Discord is away"))
    told = await explain.explain(world.services, STAFF, CHARLIE)
    assert (told.sight.is_live, told.sight.at, told.sight.trouble) == (False, seen_at, "Discord is away")
    assert [(role.role_id, role.has, role.cause) for role in told.roles] == [
        (VIP, True, Cause.FINE),
        (LATE, False, Cause.FINE),
    ]


# ------------------------------------------------------------------------------------------------------------ find


async def test_a_payer_is_found_by_whatever_staff_have_at_hand(world: World, vip: Plan) -> None:
    bought = await world.buys("vip", by="charlie")
    code = str(world.mailer.sent[0].facts["code"])
    for typed in ("charlie@example.com", "CHARL", bought, "cus_charlie", code):
        found = await search.find(world.services, STAFF, typed)
        people = [(each.customer and each.customer.email, each.grants[0].state) for each in found]
        assert people == [("charlie@example.com", ShownState.PENDING_LINK)], typed
    await world.member("vip", DORA)
    for typed in (f"<@{10**16}>", "user4"):
        found = await search.find(world.services, STAFF, typed)
        assert [each.user_id for each in found] == [DORA if typed == "user4" else UserId(10**16)]


async def test_an_address_is_found_by_its_beginning_by_those_alone_who_may_see_it_whole(
    world: World, vip: Plan
) -> None:
    await world.buys("vip", by="charlie")
    for actor, number in ((STAFF, 0), (replace(STAFF, can_data=True), 1)):
        assert len(await search.find(world.services, actor, "charlie@e")) == number
        assert len(await search.suggest(world.services, actor, "charlie@e")) == number
        page = await roster.page(world.services, actor, roster.Wanted(search="charlie@e"))
        assert len(page.lines) == number
    assert len((await roster.page(world.services, STAFF, roster.Wanted(search="Charlie@example.com"))).lines) == 1


async def test_staff_of_another_server_find_and_touch_nothing(world: World, vip: Plan) -> None:
    bought = await world.member("vip")
    customer = await customer_of(world, bought)
    services, code = world.services, str(world.mailer.sent[0].facts["code"])
    for typed in ("user3@example.com", bought, code, search.customer_value(customer)):
        assert await search.find(services, OTHERS, typed) == []
        with pytest.raises(UserError, match="no such customer"):
            await search.customer(services, OTHERS, typed)
    with pytest.raises(UserError, match="no such customer"):
        await staff_links.link(services, OTHERS, DORA, customer)
    with pytest.raises(UserError, match="not connected"):
        await staff_links.move(services, OTHERS, CHARLIE, DORA)
    with pytest.raises(UserError, match="not connected"):
        await staff_links.unlink(services, OTHERS, CHARLIE)
    with pytest.raises(UserError, match="no such customer"):
        await resending.resend(services, OTHERS, customer, Via.MAIL)
    assert (await search.overview(services, OTHERS, CHARLIE)).dossier.is_empty
    assert not (await explain.explain(services, OTHERS, CHARLIE)).roles
    assert (await timeline.history(services, OTHERS, CHARLIE)).happenings == ()
    await world.settle()
    assert world.roles(CHARLIE) == {VIP}


# ----------------------------------------------------------------------------------------------------- link and move


async def test_a_move_by_staff_takes_the_role_in_the_same_pass_and_can_be_undone(world: World, vip: Plan) -> None:
    await world.member("vip")
    world.joins(DORA)
    for _ in range(world.policy.moves_per_30_days + 1):
        (tied,) = await staff_links.move(world.services, STAFF, CHARLIE, DORA, "lost her account")
        await world.settle()
        assert (world.roles(CHARLIE), world.roles(DORA)) == (set(), {VIP})
        await undo.undo(world.services, STAFF, tied.change_id)
        await world.settle()
        assert (world.roles(CHARLIE), world.roles(DORA)) == ({VIP}, set())
    acts = await world.audit("staff.action")
    assert [(act.actor, act.user_id, (act.detail or {})["reason"]) for act in acts[:1]] == [
        ("staff:2", DORA, "lost her account")
    ]


async def test_linking_to_oneself_is_allowed_and_never_silent(world: World, vip: Plan) -> None:
    bought = await world.buys("vip")
    world.joins(BOB)
    await staff_links.link(world.services, STAFF, BOB, await customer_of(world, bought))
    await world.settle()
    assert world.roles(BOB) == {VIP}
    (act,) = await world.audit("staff.action")
    assert (act.detail or {})["is_self"] is True


async def test_an_unlinked_purchase_waits_for_an_account_again(world: World, vip: Plan) -> None:
    bought = await world.member("vip")
    await staff_links.unlink(world.services, STAFF, CHARLIE)
    await world.settle()
    assert world.roles(CHARLIE) == set()
    assert await world.standing(bought) == ["pending not_linked"]


async def test_linking_and_unlinking_by_staff_is_one_post_each(world: World, vip: Plan) -> None:
    bought = await world.buys("vip")
    await staff_links.link(world.services, STAFF, CHARLIE, await customer_of(world, bought))
    await staff_links.unlink(world.services, STAFF, CHARLIE)
    await world.settle()
    told = [event for event, _ in world.discord.posts if event.startswith(("link.", "staff."))]
    assert told == ["staff.action", "staff.action"]
    assert len(await world.audit("link.created", "link.removed")) == 2


async def test_what_is_valid_in_another_server_is_not_linked_by_the_staff_of_one(world: World, vip: Plan) -> None:
    async with world.services.store.write() as tx:
        await tx.guilds.ensure(OTHERS.guild_id, "Elsewhere")
        await tx.plans.create(replace(vip, guild_id=OTHERS.guild_id, slug="elsewhere"))
    bought = await world.buys("vip")
    customer = await customer_of(world, bought)
    with pytest.raises(UserError, match="another server"):
        await staff_links.link(world.services, STAFF, BOB, customer)
    operator = replace(STAFF, user_id=ALICE, is_operator=True)
    assert (await staff_links.link(world.services, operator, CHARLIE, customer)).after == CHARLIE


async def test_a_link_that_reaches_another_server_by_now_is_not_undone_from_here(world: World, vip: Plan) -> None:
    bought = await world.buys("vip")
    tied = await staff_links.link(world.services, STAFF, CHARLIE, await customer_of(world, bought))
    purchase = await world.purchase(bought)
    async with world.services.store.write() as tx:
        await tx.guilds.ensure(OTHERS.guild_id, "Elsewhere")
        elsewhere = await tx.plans.create(replace(vip, guild_id=OTHERS.guild_id, slug="elsewhere"))
        await tx.purchases.open_grant(purchase, elsewhere, world.clock.now())
    with pytest.raises(UserError, match="another server"):
        await undo.undo(world.services, STAFF, tied.change_id)


# ---------------------------------------------------------------------------------------------------------- the rest


async def test_refresh_reads_the_purchase_again_and_puts_the_roles_right(world: World, vip: Plan) -> None:
    bought = await world.member("vip")
    world.now_reads(bought, status=PurchaseStatus.ENDED)
    done = await world._while_working(refreshing.refresh(world.services, STAFF, CHARLIE))
    assert (done.gained, done.lost, done.read, done.job) == (frozenset(), frozenset({VIP}), 1, None)
    assert world.roles(CHARLIE) == set()
    assert [grant.state for grant in done.after.grants] == [ShownState.REVOKED]


async def test_nothing_ends_because_a_refresh_could_not_read(world: World, vip: Plan) -> None:
    await world.member("vip")
    world.provider.faults.fails("fetch", Retry("Stripe is away"))
    done = await world._while_working(refreshing.refresh(world.services, STAFF, CHARLIE))
    assert list(done.unread.values()) == ["Stripe is away"]
    assert world.roles(CHARLIE) == {VIP}


async def test_the_delivery_mail_goes_out_again_once_an_hour(world: World, vip: Plan) -> None:
    bought = await world.buys("vip")
    customer = await customer_of(world, bought)
    sent = [(await resending.resend(world.services, STAFF, customer, Via.BOTH)) for _ in range(2)]
    await world.settle()
    assert [(each.mail, each.dm) for each in sent] == [
        (Sending.QUEUED, Sending.NOT_LINKED),
        (Sending.QUEUED_BEFORE, Sending.NOT_LINKED),
    ]
    await world.advance(minutes=11)
    assert [mail.template for mail in world.mailer.sent] == ["connect", "connect"]


async def test_a_card_tells_money_notes_and_what_happened(world: World, vip: Plan) -> None:
    bought = await world.member("vip")
    await notes.note(world.services, STAFF, CHARLIE, "  prefers\nmail ")
    grant = (await world.grants(bought))[0]
    await comps.revoke(world.services, STAFF, grant.id, when=RevokeWhen.PERIOD_END)
    await world.settle()
    card = await search.overview(world.services, STAFF, CHARLIE)
    assert card.paid == {"eur": 1000}
    assert [(entry.detail or {})["text"] for _, _, entry in card.notes] == ["prefers mail"]
    assert [grant.state for grant in card.dossier.grants] == [ShownState.ENDING]
    page = await timeline.history(world.services, STAFF, CHARLIE)
    told = [each.what.event if isinstance(each.what, AuditEntry) else each.what.kind.value for each in page.happenings]
    assert {"new", "link.created", "role.added", "grant.delivered", "member.note", "staff.action"} <= set(told)
    assert page.is_last
    assert not (
        await timeline.history(world.services, STAFF, CHARLIE, since=world.clock.now() + timedelta(1))
    ).happenings
