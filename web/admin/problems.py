"""The page of problems: one card for each cause with its one fix, and a button that tries again for everybody."""

from __future__ import annotations

from aiohttp import web

from membership import problems, retrying
from membership.errors import Gone, Reason, UserError
from membership.problem_kinds import Kind
from web.admin.problem_words import card_of
from web.site import Site
from web.visits import StaffVisit


def install(site: Site) -> None:
    """Register the pages."""
    site.staff.get("/admin/{guild}/problems", show_problems)
    site.staff.post("/admin/{guild}/problems/retry", retry)


async def show_problems(visit: StaffVisit) -> web.Response:
    """Show what is failed or stuck."""
    found = await problems.found_in(visit.services, visit.actor)
    can_manage = visit.actor.can_manage
    cards = [card_of(visit.words, problem, visit.here(), can_manage=can_manage) for problem in found.problems]
    return visit.page("admin/problems.html", cards=cards, checked_at=found.checked_at)


async def retry(visit: StaffVisit) -> web.Response:
    """Try again for everybody that a cause concerns, or remind everybody who waits."""
    form = await visit.form()
    kind, subject = form.text("kind"), form.text("subject")
    if kind not in set(Kind):
        raise Gone("page")
    try:
        said = await _retry(visit, Kind(kind), subject)
    except UserError as refusal:
        return await visit.go(visit.here("/problems"), say=visit.why(refusal), tone="info")
    return await visit.go(visit.here("/problems"), say=said)


async def _retry(visit: StaffVisit, kind: Kind, subject: str) -> str:
    words = visit.words
    match kind:
        case Kind.GRANTS | Kind.UNCLEAR if subject in set(Reason):
            count = await retrying.retry_grants(visit.services, visit.actor, Reason(subject))
        case Kind.JOBS:
            count = await retrying.retry_jobs(visit.services, visit.actor)
        case Kind.UNCONNECTED:
            done = await retrying.remind_unconnected(visit.services, visit.actor)
            queued = words.count("{number} mail is on its way.", "{number} mails are on their way.", done.queued)
            if not done.left:
                return queued
            left = words.say("{number} got none: they had one within the hour, or have no address.", number=done.left)
            return f"{queued} {left}"
        case _:
            raise Gone("page")
    return words.count(
        "I am looking at {number} member again. This page tells what is left.",
        "I am looking at {number} members again. This page tells what is left.",
        count,
    )
