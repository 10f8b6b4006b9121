"""The list of everybody who bought in a server: search, filters, pages, and the same as a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from aiohttp import web
from yarl import URL

from membership import roster
from membership.model import GrantId, PlanId
from membership.roster import Line, Wanted
from membership.shown import ShownState
from web import downloads
from web.admin.grant_words import StateLook, next_words, short_look, state_name, status_words
from web.site import Site
from web.visits import Form, StaffVisit

PROBLEM = "problem"
_LINKED = {"yes": True, "no": False}
_LARGEST = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line as it is read; `url` leads to the member, or to the order while nobody is connected."""

    line: Line
    look: StateLook
    status: str
    following: str
    since: str
    url: str
    order_url: str


def install(site: Site) -> None:
    """Register the pages."""
    site.staff.get("/admin/{guild}/members", show_members)
    site.staff.post("/admin/{guild}/members/export", export)


async def show_members(visit: StaffVisit) -> web.Response:
    """Show one page of the list."""
    fields = {name: visit.query(name) for name in ("q", "state", "plan", "linked")}
    wanted = _wanted(fields)
    before = _number(visit.query("before"))
    found = await roster.page(visit.services, visit.actor, wanted, before=GrantId(before) if before else None)
    here = URL(visit.here("/members")).with_query({name: value for name, value in fields.items() if value})
    older = here.update_query(before=str(found.next_before)) if found.next_before else None
    return visit.page(
        "admin/members.html",
        fields=fields,
        rows=_rows(visit, found.lines),
        page=found,
        is_filtered=not wanted.is_everything,
        is_first=not before,
        newest_url=str(here),
        older_url=str(older) if older else "",
        states=[(state.value, state_name(visit.words, state)) for state in ShownState],
        plans=[(plan.id, plan.name) for plan in found.plans],
    )


async def export(visit: StaffVisit) -> web.StreamResponse:
    """Stream the list as it is filtered; whole addresses are for data rights alone."""
    form: Form = await visit.form()
    wanted = _wanted({name: form.text(name) for name in ("q", "state", "plan", "linked")})
    day = visit.parts.clock.now().strftime("%Y-%m-%d")
    portions = roster.export(visit.services, visit.actor, wanted)
    return await downloads.streamed(visit.request, portions, f"members-{visit.guild.id}-{day}.csv")


def _rows(visit: StaffVisit, lines: Sequence[Line]) -> list[Row]:
    days: dict[date, str] = {}
    found = []
    for line in lines:
        shown, since = line.shown, line.since.astimezone(visit.zone)
        if since.date() not in days:  # wording a date takes longer than all else in a row
            days[since.date()] = f"{visit.words.short_day(line.since, visit.zone)} {since.year}"
        order_url = visit.here(f"/orders/{shown.purchase.id}")
        found.append(
            Row(
                line=line,
                look=short_look(visit.words, shown),
                status=status_words(visit.words, shown.purchase.status),
                following=next_words(visit.words, shown, visit.zone),
                since=days[since.date()],
                url=order_url if line.user_id is None else visit.here(f"/members/{line.user_id}"),
                order_url=order_url,
            )
        )
    return found


def _wanted(fields: dict[str, str]) -> Wanted:
    """Read the filters; what is not one of them stands for "all"."""
    state, plan = fields["state"], _number(fields["plan"])
    return Wanted(
        state=ShownState(state) if state in set(ShownState) else None,
        is_problem=state == PROBLEM,
        plan_id=PlanId(plan) if plan else None,
        is_linked=_LINKED.get(fields["linked"]),
        search=fields["q"][: roster.LONGEST_SEARCH],
    )


def _number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < 17
    return min(int(text), _LARGEST) if is_number else 0
