"""The words of the daily digest (EXPERIENCE 5.3). Pure: what membership/digest.py gathered in, an entry out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from cogs.cards import Button
from cogs.event_texts import BLUE, Entry, Facts, moment
from cogs.words import code_text, money, reason_text

BARS = "▁▂▃▄▅▆▇█"


def entry(facts: Facts) -> Entry:
    """Word a digest."""
    return Entry(
        title=_title(facts),
        lines=tuple(line for line in _lines(facts) if line),
        colour=BLUE,
        footer="",
        at=moment(facts.get("at")),
        buttons=tuple(_buttons(facts)),
    )


def sparkline(levels: object) -> str:
    """Draw numbers as bars of eight heights, from the lowest to the highest; the same height where nothing changed."""
    numbers = [int(each) for each in levels] if isinstance(levels, list) else []
    if not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    steps = len(BARS) - 1
    return "".join(BARS[(number - low) * steps // (high - low) if high > low else 0] for number in numbers)


def _title(facts: Facts) -> str:
    first, last = (date.fromisoformat(str(facts.get(name) or "1970-01-01")) for name in ("first", "last"))
    if first == last:
        return f"Yesterday, {last:%a %-d %B}"
    return f"The week from {first:%a %-d %B} to {last:%a %-d %B}"


def _lines(facts: Facts) -> Iterator[str]:
    trend = sparkline(facts.get("trend"))
    change = f" (+{facts.get('joined') or 0} −{facts.get('left') or 0})"
    yield f"Members **{facts.get('members') or 0}**{change}   {trend}  30 days"
    yield _counted("New", facts.get("new"))
    yield _income(facts)
    yield _ended(facts)
    yield _speed(facts)
    needs = [_need(each) for each in _list(facts, "needs")]
    if needs:
        yield "**Needs you**"
        yield from (f"• {need}" for need in needs)
    yield _counted("Also", facts.get("also"))


def _counted(label: str, counts: object) -> str:
    if not isinstance(counts, Mapping) or not counts:
        return ""
    return f"{label}: " + " · ".join(f"{code_text(str(name)) or 'a plan'} {count}" for name, count in counts.items())


def _income(facts: Facts) -> str:
    totals = _list(facts, "income")
    currencies = sorted({str(total["currency"]) for total in totals})
    return "\n".join(_income_in(currency, totals) for currency in currencies)


def _income_in(currency: str, totals: list[Facts]) -> str:
    by_kind = {str(total["kind"]): total for total in totals if total["currency"] == currency}

    def number(kind: str, name: str) -> int:
        return int(str(by_kind[kind][name])) if kind in by_kind else 0

    amount = number("new", "amount") + number("renewal", "amount") - number("refund", "amount")
    parts = [f"{number('renewal', 'count')} renewals", f"{number('new', 'count')} new"]
    parts += [f"{number('refund', 'count')} refunds", f"{number('failed', 'count')} failed"]
    return f"Income: {money({'amount': amount, 'currency': currency})} ({', '.join(parts)})"


def _ended(facts: Facts) -> str:
    counts = facts.get("ended")
    ended = ""
    if isinstance(counts, Mapping) and counts:
        why = ", ".join(f"{count} {reason_text(reason) or 'for another reason'}" for reason, count in counts.items())
        ended = f"Ended: {sum(counts.values())} ({why})"
    failed, recovered = int(str(facts.get("past_due") or 0)), int(str(facts.get("recovered") or 0))
    cards = f"Overdue: {failed} new, {recovered} recovered" if failed or recovered else ""
    return "\n".join(line for line in (ended, cards) if line)


def _speed(facts: Facts) -> str:
    speed = facts.get("speed")
    if not isinstance(speed, Mapping) or not speed:
        return ""
    return f"Speed: payment → role median {float(speed['median']):.1f} s, slowest {float(speed['slowest']):.1f} s"


def _need(need: Facts) -> str:
    count = int(str(need.get("count") or 0))
    since = moment(need.get("since"))
    match need.get("what"):
        case "not_connected":
            return f"{count} paid but not connected" + (f", the oldest {_distance(since)}" if since else "")
        case "not_delivered":
            return f"{count} not delivered: `/sync status` says why"
        case "trials_ending":
            return f"{count} {'trial ends' if count == 1 else 'trials end'} within a day"
        case "held":
            return f"{count} removals are held"
        case _:
            return code_text(str(need.get("what") or ""))


def _buttons(facts: Facts) -> Iterator[Button]:
    for need in _list(facts, "needs"):
        if need.get("batch_id"):
            yield Button(label="Review the held removals", action="brake-show", args=(need["batch_id"],))
    yield Button(label="Change digest", action="digest-change")


def _distance(since: datetime) -> str:
    return f"<t:{int(since.timestamp())}:R>"


def _list(facts: Facts, name: str) -> list[Facts]:
    found = facts.get(name)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
