"""What `/report` answers: for each report a chart, three lines of words, and the numbers as CSV. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from cogs.cards import Attachment, Button, Buttons, Card, Download, Picture, Text
from cogs.charts import sparkline
from cogs.words import code_text, day, money, reason_text
from membership import csv_text
from membership.charts import ChartSpec, Grouping, Series, Shape, grouped_days, summed
from membership.desk import PaymentKind
from membership.model import minor_digits
from membership.reports import DeliveryReport, MembersReport, RevenueReport, Scope, Sums

PERIODS: Mapping[str, int] = {"7 days": 7, "30 days": 30, "90 days": 90, "12 months": 365}
USUAL_DAYS = 30
PICTURE = "report.png"
MOST_IN_WORDS = 3
_SPANS = ((2, "2 s"), (5, "5 s"), (10, "10 s"), (30, "30 s"), (60, "1 min"), (300, "5 min"), (3600, "1 h"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A report in every form that it is shown in: `alt` says the chart in words."""

    name: str
    spec: ChartSpec
    alt: str
    lines: tuple[str, ...]
    tables: Mapping[str, Sequence[Sequence[object]]]
    plan_id: int = 0


def members_answer(report: MembersReport) -> Answer:
    """Word how many members there are, and how that came."""
    scope, days = report.scope, report.scope.days.days
    began, ended = sum(report.began), sum(report.ended)
    first = report.active[0] - report.began[0] + report.ended[0]
    last = report.active[-1]
    subject = f"of {scope.plan.name}" if scope.plan else ""
    move = "stayed at" if first == last else f"{'rose' if last > first else 'fell'} from {first:,} to"
    change = f"{move} {last:,} between {_day(days[0])} and {_day(days[-1])}; {began:,} began, {ended:,} ended."
    groups = _groups(days)
    spec = ChartSpec(
        title=_title(f"Members {subject}".strip(), scope),
        labels=tuple(label for label, _ in groups),
        series=(
            Series(
                words=f"{last:,} active", values=tuple(report.active[part[-1]] for _, part in groups), shape=Shape.LINE
            ),
            Series(words=f"{began:,} began", values=_summed(report.began, groups), shape=Shape.BARS_UP),
            Series(words=f"{ended:,} ended", values=_summed(report.ended, groups), shape=Shape.BARS_DOWN),
        ),
        note="Memberships whose role is given. Somebody with two plans counts twice.",
    )
    return Answer(
        name="members",
        spec=spec,
        alt=" ".join(f"Active members {subject} {change}".split()),
        lines=(
            f"**{last:,} active**, {first:,} at the beginning: {began:,} began, {ended:,} ended",
            f"{report.late[-1]:,} with a payment overdue today, at most {max(report.late):,} on one day",
            _basis(scope, "Counted from what Doorlist gave and took. Who leaves the server, or is paused, ends here"),
        ),
        tables={
            "members.csv": [
                ("date", "active", "began", "ended", "past_due"),
                *zip(days, report.active, report.began, report.ended, report.late, strict=True),
            ]
        },
        plan_id=int(scope.plan.id) if scope.plan else 0,
    )


def revenue_answer(report: RevenueReport) -> Answer:
    """Word what was paid and went back, a currency each: they are never added up."""
    scope, days = report.scope, report.scope.days.days
    size = len(days)
    main = report.sums[0] if report.sums else Sums(currency="", paid=[0] * size, refunded=[0] * size)
    currency, groups = main.currency.upper(), _groups(days)
    paid, refunded = _coins(sum(main.paid), main), _coins(sum(main.refunded), main)
    digits = minor_digits(currency)
    others = len(report.sums) - 1
    spec = ChartSpec(
        title=_title(f"Revenue in {currency}" if currency else "Revenue", scope),
        labels=tuple(label for label, _ in groups),
        series=(
            Series(
                words=f"{paid:,.{digits}f} paid",
                values=_summed(_all_coins(main.paid, main), groups),
                shape=Shape.BARS_UP,
            ),
            Series(
                words=f"{refunded:,.{digits}f} refunded",
                values=_summed(_all_coins(main.refunded, main), groups),
                shape=Shape.BARS_DOWN,
            ),
        ),
        unit=currency,
        decimals=digits,
        note="As the payment provider showed it, before fees and taxes."
        + (f" {others} more {'currency is' if others == 1 else 'currencies are'} in the file." if others else ""),
    )
    sums_text = "; ".join(_sums_text(sums) for sums in report.sums[:MOST_IN_WORDS]) or "Nothing was paid"
    span = f"between {_day(days[0])} and {_day(days[-1])}"
    return Answer(
        name="revenue",
        spec=spec,
        alt=f"{sums_text} {span}.".replace("**", ""),
        lines=(
            sums_text + _more(len(report.sums) - MOST_IN_WORDS, "in the file"),
            _plans_text(report),
            _basis(
                scope, "As the provider showed it to Doorlist, before fees, taxes and payouts" + _unsaid(report.sums)
            ),
        ),
        tables=_revenue_tables(report),
    )


def delivery_answer(report: DeliveryReport) -> Answer:
    """Word how quickly roles arrive, and what kept others."""
    scope, count = report.scope, len(report.seconds)
    ranks = [0, *(bisect_left(report.seconds, bound) for bound, _ in _SPANS), count]
    counts = tuple(float(upper - lower) for lower, upper in pairwise(ranks))
    labels = (*(f"< {name}" for _, name in _SPANS), "longer")
    speed = "No role was delivered after a payment"
    if report.seconds:
        half, most, slowest = (
            _span(each) for each in (report.quantile(0.5), report.quantile(0.95), report.seconds[-1])
        )
        speed = f"Half of {count:,} within {half} of the payment, 95 of 100 within {most}, the slowest {slowest}"
    failed = sum(report.failures.values())
    causes = ", ".join(
        f"{number:,} × {reason_text(reason) or 'another reason'}" for reason, number in report.failures.items()
    )
    return Answer(
        name="delivery",
        spec=ChartSpec(
            title=_title("From payment to role", scope),
            labels=labels,
            series=(Series(words=f"{count:,} delivered", values=counts, shape=Shape.BARS_UP),),
            note=speed + ".",
        ),
        alt=f"{speed}, between {_day(scope.days.days[0])} and {_day(scope.days.days[-1])}; {failed:,} not delivered.",
        lines=(
            f"**{speed}**" if report.seconds else speed,
            f"{failed:,} not delivered at first: {causes}" if failed else "None failed",
            _basis(scope, "First deliveries, from the payment or from connecting Discord where that came later"),
        ),
        tables={
            "delivery.csv": [
                ("what", "value"),
                *((f"delivered {label}", int(number)) for label, number in zip(labels, counts, strict=True)),
                *((f"seconds, {name}", report.quantile(share)) for name, share in _shares(report)),
                *((f"failed: {reason_text(reason) or 'other'}", number) for reason, number in report.failures.items()),
            ]
        },
    )


def report_card(answer: Answer, picture: bytes | None) -> Card:
    """Show a report; without a picture, its first series as a line of bars."""
    files = [Attachment(file_name=name, content=csv_text.write(rows)) for name, rows in answer.tables.items()]
    shown: list[Text | Picture] = []
    if picture is not None:
        files.insert(0, Attachment(file_name=PICTURE, content=picture, alt=answer.alt))
        shown.append(Picture(PICTURE, answer.alt))
    else:
        shown.append(Text(f"**{code_text(answer.spec.title)}**\n{sparkline(answer.spec.series[0].values)}"))
    buttons = [
        Button(label=label, action="report", args=(answer.name, days, answer.plan_id))
        for label, days in PERIODS.items()
    ]
    return Card(
        lines=(*shown, Text("\n".join(answer.lines)), *map(Download, answer.tables), Buttons(tuple(buttons))),
        files=tuple(files),
    )


# ------------------------------------------------------------------------------------------------------------- money


def _sums_text(sums: Sums) -> str:
    paid, refunded = _money(sum(sums.paid), sums), _money(sum(sums.refunded), sums)
    counts = sums.counts
    times = f"{counts[PaymentKind.RENEWAL]:,} renewals, {counts[PaymentKind.NEW]:,} new"
    back = f"{refunded} refunded ({counts[PaymentKind.REFUND]:,}), {counts[PaymentKind.FAILED]:,} failed"
    return f"**{paid} paid** ({times}), {back}"


def _plans_text(report: RevenueReport) -> str:
    parts = [
        f"{code_text(report.plan_names.get(plan_id, 'a plan'))} {_money(amount, sums)}"
        for sums in report.sums
        for plan_id, amount in sorted(sums.plans.items(), key=lambda each: -each[1])
    ]
    return (
        "By plan, after refunds: " + (" · ".join(parts[: 2 * MOST_IN_WORDS]) or "nothing") + _more(len(parts) - 6, "")
    )


def _unsaid(sums: Sequence[Sums]) -> str:
    unsaid = sum(each.unsaid_refunds for each in sums)
    return f"; {unsaid:,} partial refunds count without an amount, which it does not say" if unsaid else ""


def _revenue_tables(report: RevenueReport) -> dict[str, list[Sequence[object]]]:
    days: list[Sequence[object]] = [("date", "currency", "paid", "refunded")]
    plans: list[Sequence[object]] = [("plan", "currency", "paid_less_refunded")]
    for sums in report.sums:
        currency = sums.currency.upper()
        for each, paid, refunded in zip(report.scope.days.days, sums.paid, sums.refunded, strict=True):
            days.append((each, currency, _coins(paid, sums), _coins(refunded, sums)))
        for plan_id, amount in sorted(sums.plans.items()):
            plans.append((report.plan_names.get(plan_id, ""), currency, _coins(amount, sums)))
    return {"revenue.csv": days, "revenue-by-plan.csv": plans}


def _money(amount: int, sums: Sums) -> str:
    return money({"amount": amount, "currency": sums.currency})


def _coins(amount: int, sums: Sums) -> Decimal:
    return Decimal(amount).scaleb(-minor_digits(sums.currency.upper()))


def _all_coins(amounts: Sequence[int], sums: Sums) -> list[float]:
    return [float(_coins(amount, sums)) for amount in amounts]


# -------------------------------------------------------------------------------------------------------------- days


def _groups(days: Sequence[date]) -> list[tuple[str, list[int]]]:
    """Put days together for a chart, each group with its label."""
    grouping, groups = grouped_days(days)
    form = "%b %y" if grouping is Grouping.MONTH else "%-d %b"
    return [(format(days[part[0]], form), part) for part in groups]


def _summed(numbers: Sequence[float], groups: Sequence[tuple[str, list[int]]]) -> tuple[float, ...]:
    return summed(numbers, [part for _, part in groups])


def _title(name: str, scope: Scope) -> str:
    first, last = scope.days.days[0], scope.days.days[-1]
    begin = f"{first:%-d %B %Y}" if first.year != last.year else f"{first:%-d %B}"
    return f"{name}, {begin} to {last:%-d %B %Y}"


def _day(each: date) -> str:
    return f"{each:%-d %B %Y}"


def _basis(scope: Scope, text: str) -> str:
    """Say what the numbers rest on, and how far back that goes."""
    if scope.record_since is None:
        return f"-# {text}. Nothing is written down here yet."
    begins = f" The record of this server begins on {day(scope.record_since)}." if scope.is_short else ""
    cut = " There was too much to count all of it: the oldest days are not complete." if scope.is_cut else ""
    return f"-# {text}.{begins}{cut}"


def _shares(report: DeliveryReport) -> list[tuple[str, float]]:
    return [("median", 0.5), ("95 of 100", 0.95), ("slowest", 1.0)] if report.seconds else []


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _more(count: int, where: str) -> str:
    return f"; {count} more {where}".rstrip() if count > 0 else ""
