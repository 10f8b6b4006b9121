"""The first page of a server: what needs somebody, the numbers, the last thirty days, and whether all goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from membership import ledger_view, problems
from membership.browsing import Run
from membership.errors import Reason
from membership.ledger_view import Wanted
from membership.model import GrantState
from membership.problem_kinds import Kind
from membership.pulse import Pulse, Pulses
from membership.report_ledgers import Held, Tallies, gives_access
from web.admin.chart_words import change_of, members_chart, span_text
from web.admin.entry_lines import lines_of
from web.admin.problem_words import card_of
from web.charts import Drawing
from web.site import Site
from web.visits import StaffVisit

SHOWN_PROBLEMS = 5
SHOWN_EVENTS = 8
REFRESH_SECONDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many memberships stand how. `change` is against thirty days ago; None while that is being counted."""

    active: int
    past_due: int
    waiting: int
    failed: int
    change: int | None = None
    ended: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machinery:
    """Whether all goes on: the last pass, the newest event of each provider, and mail."""

    last_run: Run | None
    providers: Sequence[tuple[str, datetime | None]]
    has_mail: bool


class OverviewPage:
    """Shows the page; it remembers how far the record of each server was read."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self._pulses = Pulses()

    async def close(self, _: web.Application) -> None:
        """Stop reading, at the end of the process."""
        await self._pulses.close()

    async def show(self, visit: StaffVisit) -> web.Response:
        """Show how the server stands. Everything is read from what is stored."""
        async with visit.store.read() as tx:
            tallies = await tx.reports.tallies(visit.guild.id)
            held = await tx.reports.held(visit.guild.id)
            has_plans = bool(await tx.plans.all(visit.guild.id))
        pulse = await self._pulses.feel(visit.services, visit.guild, tallies)
        found = await problems.found_in(visit.services, visit.actor, tallies)
        needs = [problem for problem in found.problems if problem.kind is not Kind.BRAKE]
        newest = await ledger_view.listed(visit.services, visit.actor, Wanted())
        return visit.page(
            "admin/overview.html",
            refresh_seconds=0 if pulse.is_through else REFRESH_SECONDS,
            is_fresh=not has_plans and not tallies,
            counts=_counts(tallies, pulse),
            held=_held(held),
            chart=_chart(visit, pulse),
            speed=_speed(visit, pulse),
            needs=[
                card_of(visit.words, problem, visit.here(), can_manage=visit.actor.can_manage)
                for problem in needs[:SHOWN_PROBLEMS]
            ],
            more_needs=max(0, len(needs) - SHOWN_PROBLEMS),
            events=await lines_of(visit, newest.rows[:SHOWN_EVENTS]),
            machinery=await _machinery(visit),
        )


def install(site: Site) -> None:
    """Register the page."""
    page = OverviewPage()
    site.app.on_cleanup.append(page.close)
    site.staff.get("/admin/{guild}", page.show)


def _counts(tallies: Tallies, pulse: Pulse) -> Counts:
    change, ended = None, None
    if pulse.members is not None:
        first, last = change_of(pulse.members)
        change, ended = last - first, sum(pulse.members.ended)
    return Counts(
        active=sum(count for (state, reason), count in tallies.items() if gives_access(state, reason)),
        past_due=_in_state(tallies, GrantState.PAST_DUE),
        waiting=tallies.get((GrantState.PENDING, Reason.NOT_LINKED), 0),
        failed=_in_state(tallies, GrantState.FAILED),
        change=change,
        ended=ended,
    )


def _in_state(tallies: Tallies, wanted: GrantState) -> int:
    return sum(count for (state, _), count in tallies.items() if state is wanted)


def _held(held: Sequence[Held]) -> tuple[int, str]:
    """Return how many removals are held, and the page inside the brake's where they are: the one, or the list."""
    return sum(each.count for each in held), f"/{held[0].batch_id}" if len(held) == 1 else ""


def _chart(visit: StaffVisit, pulse: Pulse) -> Drawing | None:
    return None if pulse.members is None else members_chart(visit.words, pulse.members)


def _speed(visit: StaffVisit, pulse: Pulse) -> tuple[str, str] | None:
    if pulse.speed is None:
        return None
    return span_text(visit.words, pulse.speed.median), span_text(visit.words, pulse.speed.slowest)


async def _machinery(visit: StaffVisit) -> Machinery:
    async with visit.store.read() as tx:
        runs = await tx.runs.recent(visit.guild.id, 1)
        accounts = await tx.guilds.accounts_of(visit.guild.id)
        providers = [(account.provider, await tx.inbox.newest_at(account.provider)) for account in accounts]
    return Machinery(
        last_run=runs[0] if runs else None,
        providers=providers,
        has_mail=visit.services.mailer.is_configured,
    )
