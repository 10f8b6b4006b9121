"""Reports add up what is written down, and say what they rest on. Words and pictures: test_report_cards.py."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from membership import reports
from membership.desk import PaymentKind
from membership.model import GrantId, GuildId, PlanId
from membership.records import Guild
from membership.report_ledgers import Happened, Taken
from membership.reports import Scope

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
ROME = Guild(id=GuildId(1), name="S", time_zone="Europe/Rome")


def scope(days: int = 3) -> Scope:
    return Scope(days=reports.days_of(ROME, NOW, days), plan=None, record_since=NOW)


def happened(*told: tuple[int, int, str]) -> Iterable[Happened]:
    """Tell of (day of March, grant, event)."""
    return [
        Happened(at=datetime(2026, 3, day, 12, tzinfo=UTC), event=event, grant_id=GrantId(grant), detail={})
        for day, grant, event in told
    ]


def test_members_are_counted_back_from_today_and_add_up() -> None:
    told = happened(
        (28, 1, "grant.delivered"),
        (28, 2, "grant.past_due"),
        (29, 3, "grant.revoked"),
        (29, 2, "grant.recovered"),
        (29, 1, "member.left_with_grant"),
        (30, 1, "grant.delivered"),
        (30, 4, "grant.past_due"),
        (30, 5, "grant.failed"),
        (30, 5, "grant.revoked"),
    )
    tally = reports.Tally(scope().days)
    tally.add(told)
    report = tally.report(scope(), active=10, late=1)
    assert report.active == (11, 9, 10)
    assert report.began == (1, 0, 1)
    assert report.ended == (0, 2, 0)
    assert report.late == (1, 0, 1)


def test_days_are_the_server_s_own_also_where_the_clocks_change() -> None:
    days = scope().days
    assert [days.begin(number).isoformat()[:16] for number in range(4)] == [
        "2026-03-27T23:00",
        "2026-03-28T23:00",
        "2026-03-29T22:00",
        "2026-03-30T12:00",
    ]
    assert days.number(datetime(2026, 3, 29, 22, 30, tzinfo=UTC)) == 2


def test_currencies_are_never_added_up_and_refunds_are_taken_off_their_plan() -> None:
    def taken(kind: PaymentKind, currency: str, amount: int, unsaid: int = 0) -> Taken:
        return Taken(kind=kind, currency=currency, plan_id=PlanId(1), count=1, amount=amount, unsaid=unsaid)

    euro, dollar = reports.sum_up(
        [
            [taken(PaymentKind.NEW, "eur", 900), taken(PaymentKind.NEW, "usd", 500)],
            [taken(PaymentKind.REFUND, "eur", 400), taken(PaymentKind.FAILED, "eur", 900)],
            [taken(PaymentKind.REFUND, "eur", 0, unsaid=1)],
        ]
    )
    assert (euro.currency, euro.paid, euro.refunded, dict(euro.plans)) == ("eur", [900, 0, 0], [0, 400, 0], {1: 500})
    assert (dollar.paid, dollar.refunded, euro.unsaid_refunds) == ([500, 0, 0], [0, 0, 0], 1)
    assert euro.counts[PaymentKind.FAILED] == 1


def test_speed_is_measured_by_rank_and_failed_removals_are_no_failed_deliveries() -> None:
    def told(event: str, **detail: object) -> Happened:
        return Happened(at=NOW, event=event, grant_id=GrantId(1), detail=detail)

    delivered = [told("grant.delivered", seconds=seconds) for seconds in range(100, 0, -1)]
    failed = [told("grant.failed", reason="banned"), told("grant.failed", reason="banned", is_removal=True)]
    speeds = reports.Speeds()
    speeds.add([*delivered, *failed, told("grant.delivered")])
    report = speeds.report(scope())
    assert [report.quantile(share) for share in (0.5, 0.95, 1.0)] == [50, 95, 100]
    assert report.failures == {"banned": 1}
