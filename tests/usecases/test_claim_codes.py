"""Claim codes: every answer, races, limits, and what was posted while the bot was away."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from membership import claims, offline_claims
from membership.claims import ClaimAnswer, ClaimOutcome
from membership.errors import Audience, Blocked, Gone, Reason, Retry, UserError
from membership.model import Dispute, GuildId, MessageId, PurchaseStatus, Refund, UserId
from membership.ports import ChannelMessage
from tests.usecases.world import BOB, CHARLIE, CLAIM_CHANNEL, GUILD, VIP, World

WRONG = "AAAA-BBBB-CCCC-DDDD"


async def a_code(world: World) -> str:
    """Sell a VIP plan and return the code from the buyer's mail."""
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    world.joins(BOB)
    await world.buys("vip")
    return str(world.mailer.sent[-1].facts["code"])


async def test_a_good_code_gives_the_role_and_says_so(world: World) -> None:
    answer = await world.claims(CHARLIE, await a_code(world))
    assert (answer.outcome, answer.plan_names, answer.role_ids) == (ClaimOutcome.OK, ("VIP",), (VIP,))
    assert answer.was_delivered
    assert world.roles(CHARLIE) == {VIP}


async def test_a_code_typed_in_a_direct_message_works(world: World) -> None:
    assert (await world.claims(CHARLIE, await a_code(world), None)).outcome is ClaimOutcome.OK


async def test_a_code_is_read_the_way_people_write(world: World) -> None:
    code = await a_code(world)
    assert (await world.claims(CHARLIE, f"  `{code.lower().replace('-', ' ')}` ")).outcome is ClaimOutcome.OK


async def test_the_same_person_twice_is_told_that_it_is_theirs(world: World) -> None:
    code = await a_code(world)
    await world.claims(CHARLIE, code)
    answer = await world.claims(CHARLIE, code)
    assert (answer.outcome, answer.plan_names) == (ClaimOutcome.USED_BY_YOU, ("VIP",))


async def test_somebody_else_s_code_gives_nothing(world: World) -> None:
    code = await a_code(world)
    await world.claims(CHARLIE, code)
    assert (await world.claims(BOB, code)).outcome is ClaimOutcome.USED_BY_ANOTHER
    assert world.roles(BOB) == set()


async def test_an_unused_code_takes_nothing_from_who_connected_without_it(world: World) -> None:
    code = await a_code(world)
    await world.links("sub_1", CHARLIE)
    assert (await world.claims(BOB, code)).outcome is ClaimOutcome.USED_BY_ANOTHER
    assert (world.roles(CHARLIE), world.roles(BOB)) == ({VIP}, set())


async def test_an_expired_code_says_so(world: World) -> None:
    code = await a_code(world)
    await world.advance(days=31)
    assert (await world.claims(CHARLIE, code)).outcome is ClaimOutcome.EXPIRED


@pytest.mark.parametrize(("text", "outcome"), [(WRONG, ClaimOutcome.UNKNOWN), ("hello", ClaimOutcome.NOT_A_CODE)])
async def test_what_is_no_code_of_ours_counts_as_a_try(world: World, text: str, outcome: ClaimOutcome) -> None:
    await a_code(world)
    answer = await world.claims(CHARLIE, text)
    assert (answer.outcome, answer.tries_left) == (outcome, 4)


async def test_a_code_of_another_server_is_unknown_here(world: World) -> None:
    code = await a_code(world)
    assert (await world.claims(CHARLIE, code, GuildId(999))).outcome is ClaimOutcome.UNKNOWN
    assert (await world.claims(CHARLIE, code)).outcome is ClaimOutcome.OK


async def test_five_wrong_tries_in_ten_minutes_are_enough(world: World) -> None:
    code = await a_code(world)
    for _ in range(5):
        await world.claims(CHARLIE, WRONG)
    assert (await world.claims(CHARLIE, code)).outcome is ClaimOutcome.TOO_MANY_TRIES
    assert (await world.claims(BOB, WRONG)).outcome is ClaimOutcome.UNKNOWN
    await world.advance(minutes=11)
    assert (await world.claims(CHARLIE, code)).outcome is ClaimOutcome.OK


async def test_whoever_tried_too_often_is_told_when_the_first_of_the_tries_is_forgotten(world: World) -> None:
    await a_code(world)
    first_try_at = world.clock.now()
    for _ in range(5):
        await world.claims(CHARLIE, WRONG)
        world.clock.move(timedelta(minutes=1))
    answer = await world.claims(CHARLIE, WRONG)
    assert answer.retry_at == first_try_at + timedelta(minutes=10)
    world.clock.move(timedelta(minutes=5, seconds=1))
    assert (await world.claims(CHARLIE, WRONG)).outcome is ClaimOutcome.UNKNOWN


async def test_two_racers_have_one_winner(world: World) -> None:
    code = await a_code(world)
    racers = [UserId(number) for number in range(30, 38)]
    for racer in racers:
        world.joins(racer)
    working = asyncio.create_task(world.worker.run())
    race = [claims.redeem(world.services, racer, GUILD, code) for racer in racers]
    outcomes = [answer.outcome for answer in await asyncio.gather(*race)]
    world.worker.stop()
    await working
    assert sorted(outcomes) == ["ok", *["used_by_another"] * 7]
    assert [racer for racer in racers if world.roles(racer)] == [racers[outcomes.index(ClaimOutcome.OK)]]


@pytest.mark.parametrize("change", [{"status": PurchaseStatus.ENDED}, {"refund": Refund.FULL}], ids=str)
async def test_a_code_of_a_purchase_that_is_over_binds_nobody(world: World, change: dict[str, object]) -> None:
    code = await a_code(world)
    await world.changes("sub_1", **change)
    answer = await world.claims(CHARLIE, code)
    assert answer == ClaimAnswer(outcome=ClaimOutcome.ENDED)
    assert world.roles(CHARLIE) == set()
    assert await world.audit("link.created") == []


async def test_the_holder_of_a_purchase_that_is_over_is_not_told_that_they_have_it(world: World) -> None:
    code = await a_code(world)
    await world.claims(CHARLIE, code)
    await world.changes("sub_1", status=PurchaseStatus.ENDED)
    assert (await world.claims(CHARLIE, code)).outcome is ClaimOutcome.ENDED


async def test_a_code_of_a_purchase_under_dispute_is_accepted_but_not_called_delivered(world: World) -> None:
    code = await a_code(world)
    await world.changes("sub_1", dispute=Dispute.OPEN)
    answer = await world.claims(CHARLIE, code)
    assert (answer.outcome, answer.was_delivered) == (ClaimOutcome.OK, False)
    assert world.roles(CHARLIE) == set()


async def test_somebody_outside_claims_now_and_gets_the_role_when_they_join(world: World) -> None:
    code = await a_code(world)
    del world.discord.guilds[GUILD].members[CHARLIE]
    answer = await world.claims(CHARLIE, code, None)
    assert (answer.outcome, answer.was_delivered) == (ClaimOutcome.OK, False)


async def test_the_database_keeps_no_code(world: World) -> None:
    code = (await a_code(world)).replace("-", "")
    await world.database.close()
    stored = world.path.read_bytes()
    await world.start()
    assert code.encode() not in stored
    assert b"sub_1" in stored


# ------------------------------------------------------------------------------------------------ while offline


class Desk:
    """Answers claim messages as the bot does, and notes whom."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.answers: list[tuple[UserId, ClaimAnswer]] = []
        self.troubles: list[Exception] = []
        """What the next answers fail with, one each."""

    async def answer(self, message: ChannelMessage) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        answer = await claims.redeem(self._world.services, message.author_id, GUILD, message.text)
        self.answers.append((message.author_id, answer))

    async def catch_up(self) -> int:
        working = asyncio.create_task(self._world.worker.run())
        try:
            return await offline_claims.catch_up(self._world.services, GUILD, self.answer)
        finally:
            self._world.worker.stop()
            await working


def posts(world: World, author: UserId, text: str, *, is_from_person: bool = True) -> None:
    world.clock.move(offline_claims.LONGEST_ABSENCE / 1000)
    message_id = offline_claims.snowflake(world.clock.now())
    message = ChannelMessage(
        message_id=message_id,
        channel_id=CLAIM_CHANNEL,
        author_id=author,
        author_name="",
        text=text,
        is_from_person=is_from_person,
    )
    world.discord.guilds[GUILD].messages.append(message)


async def test_codes_posted_while_offline_are_answered_in_order_and_once(world: World) -> None:
    code, desk = await a_code(world), Desk(world)
    assert await desk.catch_up() == 0
    posts(world, CHARLIE, code)
    posts(world, BOB, code)
    assert await desk.catch_up() == 2
    assert [(user, answer.outcome) for user, answer in desk.answers] == [
        (CHARLIE, ClaimOutcome.OK),
        (BOB, ClaimOutcome.USED_BY_ANOTHER),
    ]
    assert await desk.catch_up() == 0
    assert len(desk.answers) == 2


async def test_a_code_that_was_posted_before_the_first_look_is_answered(world: World) -> None:
    code, desk = await a_code(world), Desk(world)
    posts(world, CHARLIE, code)
    await world.advance(hours=20)
    assert await desk.catch_up() == 1
    assert [answer.outcome for _, answer in desk.answers] == [ClaimOutcome.OK]


async def test_the_first_look_goes_back_a_day_and_no_further(world: World) -> None:
    code, desk = await a_code(world), Desk(world)
    posts(world, CHARLIE, code)
    await world.advance(hours=25)
    assert await desk.catch_up() == 0
    assert desk.answers == []


@pytest.mark.parametrize(
    "trouble",
    [Blocked(Reason.MISSING_ACCESS, audience=Audience.OWNER), Gone("channel"), UserError("no"), KeyError("a bug")],
    ids=["blocked", "gone", "user error", "bug"],
)
async def test_a_message_that_cannot_be_answered_blocks_nobody_behind_it(world: World, trouble: Exception) -> None:
    code, desk = await a_code(world), Desk(world)
    posts(world, BOB, WRONG)
    posts(world, CHARLIE, code)
    desk.troubles.append(trouble)
    assert await desk.catch_up() == 2
    assert [answer.outcome for _, answer in desk.answers] == [ClaimOutcome.OK]
    assert await desk.catch_up() == 0


async def test_a_message_that_must_wait_stops_the_run_and_is_first_in_the_next(world: World) -> None:
    code, desk = await a_code(world), Desk(world)
    posts(world, CHARLIE, code)
    posts(world, BOB, code)
    desk.troubles.append(Retry("not now"))
    with pytest.raises(Retry):
        await desk.catch_up()
    assert await desk.catch_up() == 2
    assert [user for user, _ in desk.answers] == [CHARLIE, BOB]


async def test_pages_full_of_bots_messages_are_read_once(world: World) -> None:
    code, desk = await a_code(world), Desk(world)
    for _ in range(150):
        posts(world, UserId(77), "beep", is_from_person=False)
    posts(world, CHARLIE, code)
    assert await desk.catch_up() == 1
    before = (await world.guild()).claim_cursor
    posts(world, UserId(77), "beep", is_from_person=False)
    assert await desk.catch_up() == 0
    assert (await world.guild()).claim_cursor == world.discord.guilds[GUILD].messages[-1].message_id != before


async def test_messages_older_than_a_week_are_left_alone(world: World) -> None:
    code, desk = await a_code(world), Desk(world)
    await desk.catch_up()
    posts(world, CHARLIE, code)
    await world.advance(days=8)
    assert await desk.catch_up() == 0


async def test_more_than_a_page_of_messages_is_read_to_the_end(world: World) -> None:
    code, desk = await a_code(world), Desk(world)
    await desk.catch_up()
    for number in range(120):
        posts(world, UserId(1000 + number), WRONG)
    posts(world, CHARLIE, code)
    assert await desk.catch_up() == 121
    assert desk.answers[-1][1].outcome is ClaimOutcome.OK


async def test_a_channel_that_cannot_be_read_is_tried_again_next_time(world: World) -> None:
    code, desk = await a_code(world), Desk(world)
    await desk.catch_up()
    posts(world, CHARLIE, code)
    world.discord.faults.fails("messages_after", Blocked(Reason.MISSING_ACCESS, audience=Audience.OWNER))
    assert await desk.catch_up() == 0
    assert await desk.catch_up() == 1


async def test_a_message_that_was_answered_live_is_not_answered_again(world: World) -> None:
    code, desk = await a_code(world), Desk(world)
    await desk.catch_up()
    posts(world, CHARLIE, code)
    message_id: MessageId = world.discord.guilds[GUILD].messages[0].message_id
    async with world.services.store.write() as tx:
        await tx.guilds.mark_message_handled(message_id, world.clock.now())
    assert await desk.catch_up() == 1
    assert desk.answers == []
