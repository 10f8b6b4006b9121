"""What the lists of staff are made of: passes, provider events, the record; and orders read from start to end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.clocks import Clocks
from membership import inbox_desk, ledger_view, orders, passes, roster, runs
from membership.actors import Actor
from membership.browsing import Run
from membership.errors import Gone, Retry, UserError
from membership.ledger_view import Wanted
from membership.listing_ledgers import EventFilter
from membership.model import GuildId, PurchaseKind, PurchaseStatus
from membership.orders import Invitation
from membership.ports import ChannelMessage
from membership.shown import ShownState
from tests.usecases.world import BOB, CHARLIE, DORA, GUILD, VIP, World

STAFF = Actor(guild_id=GUILD, user_id=BOB, name="bob", can_staff=True, can_manage=True)
OTHERS = replace(STAFF, guild_id=GuildId(999))


# ------------------------------------------------------------------------------------------------------------ passes


async def test_a_sweep_is_recorded_with_what_it_looked_at_and_what_differed(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    await world.advance(minutes=10)
    world.discord.guilds[GUILD].members[CHARLIE] = set()
    await world.five_minutes()
    run = (await runs.listed(world.services, STAFF)).rows[0]
    assert (run.kind, run.guild_id, run.looked_at, run.changed, run.trouble) == (passes.FIVE_MINUTES, GUILD, 1, 1, "")
    look = await runs.look(world.services, STAFF, run.id)
    assert look.counts.get("role.added") == 1
    assert "role.added" in {entry.what.event for entry in look.entries}


async def test_a_pass_of_another_server_is_not_there(world: World) -> None:
    await world.five_minutes()
    run = (await runs.listed(world.services, STAFF)).rows[0]
    assert (await runs.listed(world.services, OTHERS)).rows == ()
    with pytest.raises(Gone):
        await runs.look(world.services, OTHERS, run.id)


async def test_a_pass_that_fails_says_why_and_one_that_is_cut_off_has_no_end(world: World) -> None:
    failing = Run(kind=passes.HOURLY, subject="stripe", started_at=world.clock.now())
    with pytest.raises(Retry):
        async with passes.recorded(world.services, failing):
            raise Retry("the provider is away")
    with pytest.raises(RuntimeError):
        async with passes.recorded(world.services, failing):
            raise RuntimeError
    cut, failed = (await runs.listed(world.services, STAFF)).rows
    assert (failed.trouble, failed.ended_at) == ("the provider is away", world.clock.now())
    assert cut.ended_at is None


async def test_the_clocks_record_their_passes_and_throw_old_ones_away(world: World) -> None:
    clocks = Clocks(world.services, unanswered)
    await world.plan("vip", VIP)
    await world.buys("vip")
    await clocks.hourly()
    await clocks.nightly()
    kinds = [(run.kind, run.subject) for run in (await runs.listed(world.services, STAFF)).rows]
    assert kinds == [(passes.RETENTION, ""), (passes.NIGHTLY, "stripe"), (passes.HOURLY, "stripe")]
    world.clock.move(timedelta(days=91))
    await clocks.nightly()
    left = (await runs.listed(world.services, STAFF)).rows
    assert {run.started_at for run in left} == {world.clock.now()}


async def unanswered(_message: ChannelMessage) -> None:
    raise AssertionError("nobody wrote")


# ------------------------------------------------------------------------------------------------------------- inbox


async def allow(world: World) -> None:
    async with world.services.store.write() as tx:
        await tx.guilds.allow_account(GUILD, world.account_id)


async def test_events_are_there_for_servers_that_may_use_the_account(world: World) -> None:
    await world.plan("vip", VIP)
    await world.buys("vip")
    assert (await inbox_desk.listed(world.services, STAFF, EventFilter())).rows == ()
    await allow(world)
    line = (await inbox_desk.listed(world.services, STAFF, EventFilter())).rows[0]
    assert (line.state, line.type) == ("done", "subscription.updated")
    assert (await inbox_desk.look(world.services, STAFF, line.id)).is_repeatable
    with pytest.raises(Gone):
        await inbox_desk.look(world.services, OTHERS, line.id)


async def test_an_event_is_worked_off_again_by_what_the_provider_says_now(world: World) -> None:
    await allow(world)
    await world.plan("vip", VIP)
    external_id = await world.member("vip")
    world.now_reads(external_id, status=PurchaseStatus.ENDED)
    line = (await inbox_desk.listed(world.services, STAFF, EventFilter())).rows[0]
    look = await world._while_working(inbox_desk.again(world.services, STAFF, line.id))
    await world.settle()
    assert look.line.state == "done"
    assert world.roles(CHARLIE) == set()
    assert [entry.actor for entry in await world.audit("webhook.repeated")] == [str(STAFF)]
    with pytest.raises(Gone):
        await inbox_desk.again(world.services, OTHERS, line.id)


async def test_an_event_without_its_body_cannot_be_repeated(world: World) -> None:
    await allow(world)
    await world.plan("vip", VIP)
    await world.buys("vip")
    line = (await inbox_desk.listed(world.services, STAFF, EventFilter())).rows[0]
    async with world.services.store.write() as tx:
        await tx.privacy.clear_body(line.id)
    with pytest.raises(UserError, match="thrown away"):
        await inbox_desk.again(world.services, STAFF, line.id)


# ------------------------------------------------------------------------------------------------------------ record


async def test_the_record_is_told_by_group_by_person_and_as_of_a_moment(world: World) -> None:
    await world.plan("vip", VIP)
    before = world.clock.now()
    await world.advance(hours=1)
    await world.member("vip")

    async def events(**wanted: object) -> set[str]:
        page = await ledger_view.listed(world.services, STAFF, Wanted(**wanted))  # type: ignore[arg-type]
        return {entry.what.event for entry in page.rows}

    assert "role.added" in await events()
    assert await events(group="access") == {"role.added"}
    assert "role.added" not in await events(group="link")
    assert await events(group="nonsense") == set()
    assert await events(group="link", event="role.added") == set()
    assert await events(user_id=DORA) == set()
    assert "role.added" not in await events(as_of=before + timedelta(minutes=1))
    entry = (await ledger_view.listed(world.services, STAFF, Wanted())).rows[0]
    assert await ledger_view.look(world.services, STAFF, entry.number) == entry
    with pytest.raises(Gone):
        await ledger_view.look(world.services, OTHERS, entry.number)


# ------------------------------------------------------------------------------------------------- roster and orders


async def states(world: World, **wanted: object) -> list[ShownState]:
    page = await roster.page(world.services, STAFF, roster.Wanted(**wanted))  # type: ignore[arg-type]
    return [line.shown.state for line in page.lines]


async def test_every_membership_is_found_under_the_state_that_it_is_shown_in(world: World) -> None:
    await world.plan("vip", VIP)
    await world.buys("vip", by="nobody")
    changes: list[dict[str, object]] = [
        {},
        {"status": PurchaseStatus.PAST_DUE},
        {"status": PurchaseStatus.TRIALING, "trial_ends_at": world.clock.now() + timedelta(days=3)},
        {"ends_at": world.clock.now() + timedelta(days=3)},
        {"status": PurchaseStatus.ENDED},
        {"status": PurchaseStatus.UNKNOWN},
        {"dispute": "open"},
    ]
    for number, change in enumerate(changes, start=10):
        external_id = await world.member("vip", type(CHARLIE)(number))
        await world.changes(external_id, **change)
    everything = await states(world)
    assert len(everything) == len(changes) + 1
    for state in set(everything):
        assert await states(world, state=state) == [state]
    assert set(await states(world, is_problem=True)) == {ShownState.PAST_DUE, ShownState.UNCLEAR, ShownState.DISPUTED}
    assert await states(world, is_linked=False) == [ShownState.PENDING_LINK]


async def test_passes_that_stack_end_in_the_list_when_they_end_on_the_card(world: World) -> None:
    await world.plan("vip", VIP, duration_days=30)
    for _ in range(2):
        await world.member("vip", kind=PurchaseKind.ONE_TIME)
    page = await roster.page(world.services, STAFF, roster.Wanted())
    start = world.clock.now()
    assert [line.shown.at for line in page.lines] == [start + timedelta(days=60), start + timedelta(days=30)]


async def test_an_order_tells_how_far_the_invitation_has_come(world: World) -> None:
    await world.plan("vip", VIP)
    external_id = world.pays("vip")
    await world.webhook(external_id)
    await world.settle()
    purchase = await world.purchase(external_id)

    async def invitation() -> Invitation:
        return (await orders.look(world.services, STAFF, purchase.id)).invitation

    assert await invitation() is Invitation.IN_PROGRESS
    world.joins(CHARLIE)
    await world.links(external_id, CHARLIE)
    assert await invitation() is Invitation.CONNECTED
    async with world.services.store.write() as tx:
        await tx.links.end(purchase.customer_id, "revoked", world.clock.now())  # type: ignore[arg-type]
    await world.changes(external_id, status=PurchaseStatus.ENDED)
    assert await invitation() is Invitation.OVER
    with pytest.raises(Gone):
        await orders.look(world.services, OTHERS, purchase.id)


async def test_an_order_whose_provider_is_away_says_so_and_changes_nothing(world: World) -> None:
    await world.plan("vip", VIP)
    purchase = await world.purchase(await world.member("vip"))
    world.provider.bought.clear()
    assert "nothing was changed" in await orders.read_again(world.services, STAFF, purchase.id)
    assert world.roles(CHARLIE) == {VIP}
