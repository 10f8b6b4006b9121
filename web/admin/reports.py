"""Members, revenue and delivery over a period: a chart with its numbers, and the same as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from locales.catalogue import Words, translatable
from membership import csv_text, reports
from membership.errors import Gone
from membership.model import PlanId
from membership.reports import DeliveryReport, MembersReport, RevenueReport, Scope
from web import downloads, wording
from web.admin.chart_words import delivery_chart, members_chart, revenue_chart
from web.admin.staff_words import reason_text
from web.beside import Beside
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
REFRESH_SECONDS = 2

Known = MembersReport | RevenueReport | DeliveryReport

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


class ReportPages:
    """Shows the pages; what the record comes to is read beside them, and kept for a minute: a record may be long."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self.readings: Beside[Known] = Beside()

    async def show_members(self, visit: StaffVisit) -> web.Response:
        """Show the report of members."""
        return await self._show(visit, "members")

    async def show_report(self, visit: StaffVisit) -> web.Response:
        """Show one report."""
        return await self._show(visit, _name(visit))

    async def download(self, visit: StaffVisit) -> web.Response:
        """Return the numbers of a report as CSV."""
        name = _name(visit)
        known = await self._read(visit, name, is_patient=True)
        drawings = () if known is None else _report(visit.words, known).drawings
        rows = [row for drawing in drawings for row in (drawing.columns, *drawing.rows)]
        return downloads.whole(csv_text.write(rows), f"{name}.csv")

    async def _show(self, visit: StaffVisit, name: str) -> web.Response:
        known = await self._read(visit, name)
        return await _page(visit, name, None if known is None else _report(visit.words, known))

    async def _read(self, visit: StaffVisit, name: str, *, is_patient: bool = False) -> Known | None:
        """Return what the record comes to, None while that is being read. Raises UserError."""
        services, actor, days = visit.services, visit.actor, _days(visit)
        plan_id = _plan_id(visit) if name == "members" else None

        async def read() -> Known:
            match name:
                case "members":
                    return await reports.members(services, actor, days, plan_id)
                case "revenue":
                    return await reports.revenue(services, actor, days)
                case _:
                    return await reports.delivery(services, actor, days)

        key = (actor.guild_id, name, days, plan_id)
        self.readings.begin(key, read, services.clock.now())
        return await self.readings.result(key, is_patient=is_patient)


def install(site: Site) -> None:
    """Register the pages."""
    pages = ReportPages()
    site.app.on_cleanup.append(pages.readings.close)
    site.manager.get("/admin/{guild}/reports", pages.show_members)
    site.manager.get("/admin/{guild}/reports/{name}", pages.show_report)
    site.manager.get("/admin/{guild}/reports/{name}/file", pages.download)


async def _page(visit: StaffVisit, name: str, report: Report | None) -> web.Response:
    """Show a report, or that it is being read; then the page asks again by itself."""
    words, days = visit.words, _days(visit)
    async with visit.store.read() as tx:
        plans = await tx.plans.all(visit.guild.id)
    return visit.page(
        "admin/reports.html",
        refresh_seconds=REFRESH_SECONDS if report is None else 0,
        name=name,
        days=days,
        plan=visit.query("plan"),
        report=report,
        names=[(key, words.say(text)) for key, text in NAMES.items()],
        periods=[(number, words.say(text)) for number, text in PERIODS.items()],
        plans=[("", words.say("All plans")), *((str(plan.id), plan.name) for plan in plans)],
    )


def _report(words: Words, known: Known) -> Report:
    """Put what the record comes to into words and charts."""
    match known:
        case MembersReport():
            late = words.count(
                "{number} with a payment overdue today.", "{number} with a payment overdue today.", known.late[-1]
            )
            return Report(scope=known.scope, drawings=(members_chart(words, known),), lines=(late,))
        case RevenueReport():
            drawings = tuple(revenue_chart(words, known.scope.days, sums) for sums in known.sums)
            by_plan = [
                f"{known.plan_names.get(plan_id, '?')}: {words.amount(wording.money(amount, sums.currency))}"
                for sums in known.sums
                for plan_id, amount in sorted(sums.plans.items(), key=lambda each: -each[1])
            ]
            return Report(scope=known.scope, drawings=drawings, lines=by_plan)
        case DeliveryReport():
            causes = [
                f"{number} × {reason_text(words, reason) or words.say('another reason')}"
                for reason, number in known.failures.items()
            ]
            return Report(scope=known.scope, drawings=(delivery_chart(words, known),), lines=causes)


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
