"""Member queries without a gateway: gathering, completeness, urgency, and every way not to get an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from cogs.queries import MemberQueries
from membership.errors import Retry
from membership.model import GuildId, Lane, Observation, RoleId, Seen, UserId
from tests.sandbox.discord_stage import until

GUILD = GuildId(1)


@dataclass
class Wire:
    """Records what was asked; a test answers."""

    asked: list[tuple[int, list[int], str]] = field(default_factory=list)
    failure: Retry | None = None

    async def send(self, guild_id: GuildId, user_ids: Sequence[UserId], nonce: str) -> None:
        self.asked.append((guild_id, list(user_ids), nonce))
        if self.failure:
            raise self.failure


def a_chunk(nonce: str, present: Sequence[int] = (), absent: Sequence[int] = (), **more: object) -> dict[str, object]:
    members = [{"user": {"id": str(each), "username": f"user{each}"}, "roles": ["7"]} for each in present]
    return {"guild_id": "1", "members": members, "not_found": [str(each) for each in absent], "nonce": nonce, **more}


Asked = asyncio.Task[dict[UserId, Observation]]


def ask(queries: MemberQueries, *ids: int, lane: Lane = Lane.BULK, guild: int = 1) -> Asked:
    async def asking() -> dict[UserId, Observation]:
        return dict(await queries.ask(GuildId(guild), [UserId(each) for each in ids], lane))

    return asyncio.create_task(asking())


async def asked(wire: Wire, count: int = 1) -> str:
    """Wait for the query number `count` and return its nonce."""
    await until(lambda: len(wire.asked) >= count)
    return wire.asked[count - 1][2]


async def test_every_asker_gets_the_answer_about_their_own_ids() -> None:
    wire = Wire()
    queries = MemberQueries(wire.send)
    first, second = ask(queries, 1, 2), ask(queries, 2, 3)
    nonce = await asked(wire)
    assert sorted(wire.asked[0][1]) == [1, 2, 3]
    queries.hear(a_chunk(nonce, present=[1, 3], absent=[2]))
    assert await first == {1: Seen(roles=frozenset({RoleId(7)}), name="user1"), 2: None}
    assert set(await second) == {2, 3}


async def test_guilds_are_asked_apart() -> None:
    wire = Wire()
    queries = MemberQueries(wire.send)
    tasks = [ask(queries, 1, guild=1), ask(queries, 1, guild=2)]
    await asked(wire, 2)
    assert {guild for guild, _, _ in wire.asked} == {1, 2}
    await queries.close()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_more_than_a_hundred_ids_become_two_queries() -> None:
    wire = Wire()
    queries = MemberQueries(wire.send)
    tasks = [ask(queries, *range(60)), ask(queries, *range(100, 160))]
    await asked(wire, 2)
    assert [len(ids) for _, ids, _ in wire.asked] == [60, 60]
    await queries.close()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_an_answer_is_complete_only_with_all_its_chunks() -> None:
    wire = Wire()
    queries = MemberQueries(wire.send)
    task = ask(queries, 1, 2)
    nonce = await asked(wire)
    queries.hear(a_chunk(nonce, present=[2], chunk_index=1, chunk_count=2))
    await asyncio.sleep(0.01)
    assert not task.done()
    queries.hear(a_chunk(nonce, present=[1], chunk_index=0, chunk_count=2))
    assert set(await task) == {1, 2}


async def test_whom_discord_does_not_name_is_left_out_and_not_taken_for_gone() -> None:
    wire = Wire()
    queries = MemberQueries(wire.send)
    task = ask(queries, 1, 2)
    queries.hear(a_chunk(await asked(wire), present=[1]))
    assert set(await task) == {1}


async def test_a_question_asked_after_the_query_went_out_gets_a_query_of_its_own() -> None:
    wire = Wire()
    queries = MemberQueries(wire.send)
    first = ask(queries, 1)
    nonce = await asked(wire)
    later = ask(queries, 1)
    queries.hear(a_chunk(nonce, present=[1]))
    await first
    queries.hear(a_chunk(await asked(wire, 2), absent=[1]))
    assert await later == {1: None}


async def test_a_lost_connection_is_no_answer() -> None:
    wire = Wire()
    queries = MemberQueries(wire.send)
    task = ask(queries, 1)
    await asked(wire)
    queries.lose()
    with pytest.raises(Retry):
        await task


async def test_silence_is_no_answer_and_an_answer_that_comes_too_late_is_ignored() -> None:
    wire = Wire()
    queries = MemberQueries(wire.send, answer_seconds=0.02)
    task = ask(queries, 1)
    nonce = await asked(wire)
    queries.hear(a_chunk(nonce, absent=[1], chunk_index=0, chunk_count=2))
    with pytest.raises(Retry):
        await task
    queries.hear(a_chunk(nonce, chunk_index=1, chunk_count=2))


async def test_a_query_that_could_not_be_sent_is_no_answer() -> None:
    queries = MemberQueries(Wire(failure=Retry("not connected")).send)
    with pytest.raises(Retry, match="not connected"):
        await ask(queries, 1)


async def test_discords_own_limit_on_queries_says_how_long_to_wait() -> None:
    wire = Wire()
    queries = MemberQueries(wire.send)
    task = ask(queries, 1)
    queries.refuse(await asked(wire), 12.5)
    with pytest.raises(Retry) as failure:
        await task
    assert failure.value.after == timedelta(seconds=12.5)


async def test_bulk_leaves_queries_for_people() -> None:
    wire = Wire()
    queries = MemberQueries(wire.send, per_minute=22)
    bulk = [ask(queries, 1, guild=guild) for guild in range(1, 6)]
    await asked(wire, 2)
    await asyncio.sleep(0.02)
    assert len(wire.asked) == 2
    person = ask(queries, 1, lane=Lane.PERSON, guild=99)
    await asked(wire, 3)
    assert wire.asked[2][0] == 99
    await queries.close()
    await asyncio.gather(person, *bulk, return_exceptions=True)


async def test_a_person_who_joins_a_waiting_bulk_query_makes_it_go_now() -> None:
    wire = Wire()
    queries = MemberQueries(wire.send, per_minute=21)
    spent = ask(queries, 1, guild=1)
    await asked(wire, 1)
    bulk = ask(queries, 1, guild=2)
    await asyncio.sleep(0.02)
    person = ask(queries, 2, lane=Lane.PERSON, guild=2)
    await asked(wire, 2)
    assert sorted(wire.asked[1][1]) == [1, 2]
    await queries.close()
    await asyncio.gather(spent, bulk, person, return_exceptions=True)


async def test_an_asker_who_gives_up_does_not_spoil_the_others_answer() -> None:
    wire = Wire()
    queries = MemberQueries(wire.send)
    quitter, patient = ask(queries, 1), ask(queries, 1)
    nonce = await asked(wire)
    quitter.cancel()
    queries.hear(a_chunk(nonce, present=[1]))
    assert set(await patient) == {1}
