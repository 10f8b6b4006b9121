"""The digest: once per local date, whatever the clock does, about what happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from membership import digest
from membership.model import GuildId, PurchaseStatus
from membership.records import DigestRhythm, Guild
from tests.usecases.world import VIP, World

ROME = Guild(id=GuildId(1), name="S", time_zone="Europe/Rome", digest_hour=9)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "guild", "since"),
    [
        ("2026-01-10T07:59", {}, None),
        ("2026-01-10T08:00", {}, "2026-01-08T23:00"),
        ("2026-07-10T07:00", {}, "2026-07-08T22:00"),
        ("2026-01-10T20:00", {}, "2026-01-08T23:00"),
        ("2026-01-10T08:00", {"digest": DigestRhythm.WEEKLY}, None),
        ("2026-01-12T08:00", {"digest": DigestRhythm.WEEKLY}, "2026-01-04T23:00"),
        ("2026-01-10T08:00", {"digest": DigestRhythm.OFF}, None),
        ("2026-01-10T09:00", {"time_zone": "Nowhere/At all"}, "2026-01-09T00:00"),
        ("2026-03-29T01:00", {"digest_hour": 2}, "2026-03-27T23:00"),
    ],
    ids=["before", "winter", "summer", "late", "no Monday", "Monday", "off", "unknown zone", "an hour that is not"],
)
def test_it_is_due_at_the_server_s_own_hour(now: str, guild: dict[str, Any], since: str | None) -> None:
    span = digest.span_due(replace(ROME, **guild), at(now), "")
    assert (span and span.since) == (since and at(since))


def test_a_day_on_which_the_clocks_change_is_23_or_25_hours_long() -> None:
    spring = digest.span_before(ROME, at("2026-03-30T12:00").date(), days=1)
    autumn = digest.span_before(ROME, at("2026-10-26T12:00").date(), days=1)
    assert (spring.until - spring.since, autumn.until - autumn.since) == (timedelta(hours=23), timedelta(hours=25))


def test_it_is_not_due_twice_on_a_date_though_the_clock_goes_back() -> None:
    assert digest.span_due(ROME, at("2026-01-10T20:00"), "2026-01-10") is None
    assert digest.span_due(ROME, at("2026-01-09T20:00"), "2026-01-10") is None


async def test_it_tells_what_the_day_came_to_once(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    ended = await world.member("vip", user=world_user(9))
    await world.changes(ended, status=PurchaseStatus.ENDED)
    await world.buys("vip", by="nobody")
    world.clock.move(timedelta(days=1))
    for _ in range(2):
        await digest.post_due(world.services)
        await world.settle()
    await world.restart()
    await digest.post_due(world.services)
    await world.settle()
    ((_, facts),) = [post for post in world.discord.posts if post[0] == "digest"]
    assert (facts["members"], facts["joined"], facts["left"]) == (1, 2, 1)
    assert facts["new"] == {"VIP": 3}
    assert facts["ended"] == {"cancelled": 1}
    assert facts["income"] == [{"kind": "new", "currency": "eur", "count": 3, "amount": 3000}]
    assert facts["needs"] == [{"what": "not_connected", "count": 1, "since": "2026-03-01T12:00:00+00:00"}]
    assert facts["trend"] == [0] * 29 + [1]


async def test_a_day_on_which_nothing_happened_has_none(world: World) -> None:
    world.clock.move(timedelta(days=1))
    assert await digest.post_due(world.services) == 0


def world_user(number: int) -> Any:
    return number
