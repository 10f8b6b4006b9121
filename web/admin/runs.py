"""The passes of scheduled work: when they ran, how long, what they changed, and what failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from locales.catalogue import Words, translatable
from membership import runs
from membership.browsing import Run
from membership.checks import redacted
from web.admin.chart_words import span_text
from web.admin.entry_lines import lines_of
from web.admin.lists import before_of, older_url
from web.admin.staff_words import event_title
from web.site import Site
from web.visits import StaffVisit

KINDS: Mapping[str, str] = {
    "five-minute": translatable("Five-minute run"),
    "hourly": translatable("Hourly poll"),
    "nightly": translatable("Nightly listing"),
    "retention": translatable("Throwing old things away"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A pass in words. `took` "" while it is under way; tone and sign are a badge's; `trouble` without secrets."""

    run: Run
    name: str
    took: str
    tone: str
    sign: str
    state: str
    trouble: str


def install(site: Site) -> None:
    """Register the pages."""
    site.manager.get("/admin/{guild}/runs", show_runs)
    site.manager.get("/admin/{guild}/runs/{run}", show_run)


async def show_runs(visit: StaffVisit) -> web.Response:
    """List the passes over this server and over everything, newest first."""
    found = await runs.listed(visit.services, visit.actor, before=before_of(visit))
    lines = [_line(visit.words, run) for run in found.rows]
    return visit.page("admin/runs.html", lines=lines, older=older_url(visit, found))


async def show_run(visit: StaffVisit) -> web.Response:
    """Show one pass, and what happened in the server while it ran and right after."""
    look = await runs.look(visit.services, visit.actor, visit.number("run"))
    counts = sorted(look.counts.items(), key=lambda each: -each[1])
    return visit.page(
        "admin/run.html",
        line=_line(visit.words, look.run),
        counts=[(event_title(visit.words, event), number) for event, number in counts],
        entries=await lines_of(visit, look.entries),
    )


def _line(words: Words, run: Run) -> RunLine:
    name = words.say(KINDS[run.kind]) if run.kind in KINDS else run.kind
    if run.trouble:
        tone, sign, state = "bad", "!", words.say("failed")
    elif run.ended_at is None:
        tone, sign, state = "info", "…", words.say("under way, or cut off")
    else:
        tone, sign, state = "ok", "✓", words.say("done")
    took = "" if run.ended_at is None else span_text(words, (run.ended_at - run.started_at).total_seconds())
    return RunLine(
        run=run,
        name=f"{name} · {run.subject}" if run.subject else name,
        took=took,
        tone=tone,
        sign=sign,
        state=state,
        trouble=redacted(run.trouble),
    )
