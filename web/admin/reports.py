"""Members, revenue and delivery over a period: a chart with its numbers, and the same as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from locales.catalogue import translatable
from membership import csv_text, reports
from membership.errors import Gone
from membership.model import PlanId
from membership.reports import Scope
from web import downloads, wording
from web.admin.chart_words import delivery_chart, members_chart, revenue_chart
from web.admin.staff_words import reason_text
from web.charts import Drawing
from web.numbers import number_in
from web.site import Site
from web.visits import StaffVisit

PERIODS: Mapping[int, str] = {
    7: translatable("7 days"),
    30: translatable("30 days"),
    90: translatable("90 days"),
    365: translatable("12 months"),
}
USUAL_DAYS = 30
NAMES: Mapping[str, str] = {
    "members": translatable("Members"),
    "revenue": translatable("Revenue"),
    "delivery": translatable("Delivery"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report as a page shows it: its charts, what it says besides, and what its numbers rest on."""

    scope: Scope
    drawings: Sequence[Drawing]
    lines: Sequence[str]


def install(site: Site) -> None:
    """Register the pages."""
    site.manager.get("/admin/{guild}/reports", show_members)
    site.manager.get("/admin/{guild}/reports/{name}", show_report)
    site.manager.get("/admin/{guild}/reports/{name}/file", download)


async def show_members(visit: StaffVisit) -> web.Response:
    """Show the report of members."""
    return await _show(visit, "members")


async def show_report(visit: StaffVisit) -> web.Response:
    """Show one report."""
    return await _show(visit, _name(visit))


async def download(visit: StaffVisit) -> web.Response:
    """Return the numbers of a report as CSV."""
    name = _name(visit)
    report = await _report(visit, name)
    rows = [row for drawing in report.drawings for row in (drawing.columns, *drawing.rows)]
    return downloads.whole(csv_text.write(rows), f"{name}.csv")


async def _show(visit: StaffVisit, name: str) -> web.Response:
    words, days = visit.words, _days(visit)
    report = await _report(visit, name)
    async with visit.store.read() as tx:
        plans = await tx.plans.all(visit.guild.id)
    return visit.page(
        "admin/reports.html",
        name=name,
        days=days,
        plan=visit.query("plan"),
        report=report,
        names=[(key, words.say(text)) for key, text in NAMES.items()],
        periods=[(number, words.say(text)) for number, text in PERIODS.items()],
        plans=[("", words.say("All plans")), *((str(plan.id), plan.name) for plan in plans)],
    )


async def _report(visit: StaffVisit, name: str) -> Report:
    words, days = visit.words, _days(visit)
    match name:
        case "members":
            members = await reports.members(visit.services, visit.actor, days, _plan_id(visit))
            late = words.count(
                "{number} with a payment overdue today.", "{number} with a payment overdue today.", members.late[-1]
            )
            return Report(scope=members.scope, drawings=(members_chart(words, members),), lines=(late,))
        case "revenue":
            revenue = await reports.revenue(visit.services, visit.actor, days)
            drawings = tuple(revenue_chart(words, revenue.scope.days, sums) for sums in revenue.sums)
            by_plan = [
                f"{revenue.plan_names.get(plan_id, '?')}: {words.amount(wording.money(amount, sums.currency))}"
                for sums in revenue.sums
                for plan_id, amount in sorted(sums.plans.items(), key=lambda each: -each[1])
            ]
            return Report(scope=revenue.scope, drawings=drawings, lines=by_plan)
        case _:
            delivery = await reports.delivery(visit.services, visit.actor, days)
            causes = [
                f"{number} × {reason_text(words, reason) or words.say('another reason')}"
                for reason, number in delivery.failures.items()
            ]
            return Report(scope=delivery.scope, drawings=(delivery_chart(words, delivery),), lines=causes)


def _name(visit: StaffVisit) -> str:
    name = visit.path("name")
    if name not in NAMES:
        raise Gone("report")
    return name


def _days(visit: StaffVisit) -> int:
    text = visit.query("days")
    return int(text) if text.isascii() and text.isdigit() and int(text[:4]) in PERIODS else USUAL_DAYS


def _plan_id(visit: StaffVisit) -> PlanId | None:
    """Return the plan that was chosen. Raises Gone for what is no number; another server's raises UserError later."""
    text = visit.query("plan")
    number = number_in(text)
    if text and number is None:
        raise Gone("plan")
    return None if number is None else PlanId(number)
