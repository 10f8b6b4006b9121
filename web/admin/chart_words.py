"""What the charts of members, revenue and delivery say: titles, series and their sentence, in the reader's language.

The numbers come from membership/reports.py; where they stand in the drawing is decided in web/charts.py.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from locales.catalogue import Words
from membership.charts import ChartSpec, Series, Shape, grouped_days, summed
from membership.model import minor_digits
from membership.reports import Days, DeliveryReport, MembersReport, Sums
from web.charts import Caption, Drawing, drawn

SPANS = (2, 5, 10, 30, 60, 300, 3600)
"""Seconds, up to which deliveries are counted together."""


def members_chart(words: Words, report: MembersReport) -> Drawing:
    """Draw how many memberships there were, and how many began and ended."""
    days, groups = report.scope.days, grouped_days(report.scope.days.days)[1]
    first, last = change_of(report)
    began, ended = sum(report.began), sum(report.ended)
    facts = {
        "first": words.number(first),
        "last": words.number(last),
        "begin": _day(words, days, 0),
        "end": _day(words, days, len(days.days) - 1),
        "began": words.number(began),
        "ended": words.number(ended),
    }
    alt = _members_alt(words, facts, rise=last - first)
    spec = ChartSpec(
        title=words.say("Members from {begin} to {end}", begin=facts["begin"], end=facts["end"]),
        labels=_labels(words, days, groups),
        series=(
            Series(
                words=words.say("{last} active", last=facts["last"]),
                values=tuple(float(report.active[part[-1]]) for part in groups),
                shape=Shape.LINE,
            ),
            Series(
                words=words.say("{began} began", began=facts["began"]),
                values=summed(report.began, groups),
                shape=Shape.BARS_UP,
            ),
            Series(
                words=words.say("{ended} ended", ended=facts["ended"]),
                values=summed(report.ended, groups),
                shape=Shape.BARS_DOWN,
            ),
        ),
        note=words.say("Memberships whose role is given. Somebody with two plans counts twice."),
    )
    columns = (words.say("Day"), words.say("Active"), words.say("Began"), words.say("Ended"))
    return drawn(spec, Caption(id="members", alt=alt, columns=columns), words)


def _members_alt(words: Words, facts: Mapping[str, str], *, rise: int) -> str:
    if rise == 0:
        return words.say(
            "Active members stayed at {last} between {begin} and {end}; {began} began, {ended} ended.", **facts
        )
    if rise > 0:
        return words.say(
            "Active members rose from {first} to {last} between {begin} and {end}; {began} began, {ended} ended.",
            **facts,
        )
    return words.say(
        "Active members fell from {first} to {last} between {begin} and {end}; {began} began, {ended} ended.", **facts
    )


def change_of(report: MembersReport) -> tuple[int, int]:
    """Return how many memberships there were before the first day, and how many there are now."""
    return report.active[0] - report.began[0] + report.ended[0], report.active[-1]


def revenue_chart(words: Words, days: Days, sums: Sums) -> Drawing:
    """Draw what was paid and went back in one currency."""
    groups, currency = grouped_days(days.days)[1], sums.currency.upper()
    digits = minor_digits(currency)
    paid, refunded = _coins(sum(sums.paid), digits), _coins(sum(sums.refunded), digits)
    facts = {
        "paid": words.amount(f"{paid:.{digits}f} {currency}"),
        "refunded": words.amount(f"{refunded:.{digits}f} {currency}"),
        "begin": _day(words, days, 0),
        "end": _day(words, days, len(days.days) - 1),
    }
    spec = ChartSpec(
        title=words.say("Revenue in {currency}", currency=currency),
        labels=_labels(words, days, groups),
        series=(
            Series(
                words=words.say("{paid} paid", paid=facts["paid"]),
                values=summed([float(_coins(each, digits)) for each in sums.paid], groups),
                shape=Shape.BARS_UP,
            ),
            Series(
                words=words.say("{refunded} refunded", refunded=facts["refunded"]),
                values=summed([float(_coins(each, digits)) for each in sums.refunded], groups),
                shape=Shape.BARS_DOWN,
            ),
        ),
        unit=currency,
        decimals=digits,
        note=words.say("As the payment provider showed it, before fees and taxes."),
    )
    alt = words.say("{paid} paid and {refunded} refunded between {begin} and {end}.", **facts)
    columns = (words.say("Day"), words.say("Paid"), words.say("Refunded"))
    return drawn(spec, Caption(id=f"revenue-{currency}", alt=alt, columns=columns), words)


def delivery_chart(words: Words, report: DeliveryReport) -> Drawing:
    """Draw how many roles arrived within which time of the payment."""
    count = len(report.seconds)
    ranks = [0, *(bisect_left(report.seconds, bound) for bound in SPANS), count]
    labels = (*(f"< {span_text(words, bound)}" for bound in SPANS), words.say("longer"))
    speed = words.say("No role was delivered after a payment.")
    if report.seconds:
        speed = words.say(
            "Half of {count} within {half} of the payment, 95 of 100 within {most}, the slowest {slowest}.",
            count=words.number(count),
            half=span_text(words, report.quantile(0.5)),
            most=span_text(words, report.quantile(0.95)),
            slowest=span_text(words, report.seconds[-1]),
        )
    series = Series(
        words=words.count("{number} delivered", "{number} delivered", count),
        values=tuple(float(upper - lower) for lower, upper in pairwise(ranks)),
        shape=Shape.BARS_UP,
    )
    spec = ChartSpec(title=words.say("From payment to role"), labels=labels, series=(series,), note=speed)
    return drawn(spec, Caption(id="delivery", alt=speed, columns=(words.say("Time"), words.say("Delivered"))), words)


def span_text(words: Words, seconds: float) -> str:
    """Write how long something took: 1.9 s, 5 min, 1.5 h."""
    if seconds < 90:
        whole = seconds == int(seconds)
        return words.amount(f"{seconds:.0f} s" if whole else f"{seconds:.1f} s")
    return f"{seconds / 60:.0f} min" if seconds < 3600 else words.amount(f"{seconds / 3600:.1f} h").replace(".0", "")


def _labels(words: Words, days: Days, groups: Sequence[Sequence[int]]) -> tuple[str, ...]:
    return tuple(_day(words, days, part[0]) for part in groups)


def _day(words: Words, days: Days, number: int) -> str:
    return words.short_day(days.begin(number), days.zone)


def _coins(amount: int, digits: int) -> Decimal:
    return Decimal(amount).scaleb(-digits)
