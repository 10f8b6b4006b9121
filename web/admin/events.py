"""The record of a server: with filters, as of a day, with an address for every entry, and as a file."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping

from aiohttp import web

from membership import csv_text, ledger_view
from membership.errors import Gone
from membership.events import EVENTS, Group
from membership.ledger_view import Wanted
from membership.listing_ledgers import Entry
from membership.model import UserId
from web import downloads
from web.admin.entry_lines import SAID, lines_of
from web.admin.lists import before_of, day_of, older_url
from web.admin.staff_words import event_title, group_title
from web.numbers import number_in
from web.site import Site
from web.visits import StaffVisit

FILE_NAME = "events.csv"
MOST_PAGES = 400
"""Pages of the record that one file holds: 20,000 entries."""
FILTERS = ("group", "event", "member", "by", "since", "as_of")
_HEADINGS = ("number", "at", "event", "user_id", "by", "grant_id", "detail")


def install(site: Site) -> None:
    """Register the pages."""
    site.staff.get("/admin/{guild}/events", show_events)
    site.staff.get("/admin/{guild}/events/export", export)
    site.staff.get("/admin/{guild}/events/{entry}", show_event)


async def show_events(visit: StaffVisit) -> web.Response:
    """List the entries that fit the filters, newest first."""
    found = await ledger_view.listed(visit.services, visit.actor, _wanted(visit), before=before_of(visit))
    chosen = {name: visit.query(name) for name in FILTERS}
    return visit.page(
        "admin/events.html",
        lines=await lines_of(visit, found.rows),
        older=older_url(visit, found),
        is_cut=found.is_cut,
        chosen=chosen,
        export_url=str(visit.request.rel_url.with_path(visit.here("/events/export"))),
        groups=[("", visit.words.say("All")), *((group.value, group_title(visit.words, group)) for group in Group)],
        events=[("", visit.words.say("All")), *((name, event_title(visit.words, name)) for name in EVENTS)],
        actors=_actors(visit),
    )


async def show_event(visit: StaffVisit) -> web.Response:
    """Show one entry with everything that is written in it."""
    entry = await ledger_view.look(visit.services, visit.actor, visit.number("entry"))
    detail = entry.what.detail or {}
    facts = [(name.replace("_", " "), _plain(value)) for name, value in detail.items() if name not in SAID]
    return visit.page("admin/event.html", line=(await lines_of(visit, [entry]))[0], facts=facts, entry=entry)


async def export(visit: StaffVisit) -> web.StreamResponse:
    """Send the entries that fit the filters as CSV, a page of them at a time."""
    return await downloads.streamed(visit.request, _portions(visit, _wanted(visit)), FILE_NAME)


async def _portions(visit: StaffVisit, wanted: Wanted) -> AsyncGenerator[bytes]:
    yield csv_text.write([_HEADINGS])
    before = 0
    for _ in range(MOST_PAGES):
        found = await ledger_view.listed(visit.services, visit.actor, wanted, before=before)
        # Only the file begins with the mark of its encoding.
        yield csv_text.write(map(_row, found.rows)).removeprefix(b"\xef\xbb\xbf")
        if found.next_before is None:
            return
        before = found.next_before


def _wanted(visit: StaffVisit) -> Wanted:
    event = visit.query("event")
    return Wanted(
        group=visit.query("group"),
        event=event if event in EVENTS else "",
        user_id=_user_id(visit.query("member")),
        actor=visit.query("by")[:64],
        since=day_of(visit, "since"),
        as_of=day_of(visit, "as_of", is_end=True),
    )


def _user_id(text: str) -> UserId | None:
    """Read somebody's Discord id. Raises Gone for what is none: nothing can be found for it."""
    if not text:
        return None
    number = number_in(text)
    if number is None:
        raise Gone("member")
    return UserId(number)


def _actors(visit: StaffVisit) -> list[tuple[str, str]]:
    words = visit.words
    return [
        ("", words.say("Anybody")),
        ("staff", words.say("Staff")),
        (str(visit.actor), words.say("Me")),
        ("user", words.say("Members themselves")),
        ("doorlist", "Doorlist"),
    ]


def _row(entry: Entry) -> tuple[object, ...]:
    what = entry.what
    return (
        entry.number,
        entry.at.isoformat(timespec="seconds"),
        what.event,
        "" if what.user_id is None else str(what.user_id),
        what.actor,
        what.grant_id or "",
        _facts(what.detail or {}),
    )


def _facts(detail: Mapping[str, object]) -> str:
    return json.dumps(dict(detail), ensure_ascii=False, default=str) if detail else ""


def _plain(value: object) -> str:
    """Write a fact as a person reads it: lists and the like as JSON, the rest as it is."""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list | bool) else str(value)
