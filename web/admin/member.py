"""The card of one member: who they are, each role with has, should and why, memberships, acts, and what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo

from aiohttp import web
from yarl import URL

from membership import dossier as dossiers
from membership import explain, ledger_view, search, timeline, undo
from membership.desk import Payment
from membership.dossier import NOTE
from membership.errors import Gone
from membership.events import Group
from membership.ledger_view import Wanted
from membership.listing_ledgers import Entry
from membership.model import Lane, MemberKey, Seen, UserId
from membership.records import AuditEntry
from membership.search import LARGEST_ID, Overview
from web import wording
from web.admin import member_looks
from web.admin.entry_lines import EntryLine, lines_of
from web.admin.grant_words import payment_words, readable, totals
from web.admin.staff_words import group_title
from web.site import Site
from web.visits import StaffVisit

_ACT = "staff.action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A part of what happened; `older_url` and `newer_url` are "" where there is nothing."""

    lines: Sequence[EntryLine]
    older_url: str
    newer_url: str
    is_narrowed: bool


def install(site: Site) -> None:
    """Register the page."""
    site.staff.get("/admin/{guild}/members/{user}", show_member)


async def show_member(visit: StaffVisit) -> web.Response:
    """Show everything known about one member. Raises Gone for whoever nothing is known about here."""
    user_id = member_of(visit)
    seen = await search.overview(visit.services, visit.actor, user_id)
    is_inside = isinstance(seen.member, Seen)
    if seen.dossier.is_empty and not is_inside:
        raise Gone("page")
    why = await explain.explain(visit.services, visit.actor, user_id)
    words, zone = visit.words, visit.zone
    return visit.page(
        "admin/member.html",
        user_id=user_id,
        name=name_of(seen),
        base=visit.here(f"/members/{user_id}"),
        dossier=seen.dossier,
        presence=member_looks.presence(words, seen, zone),
        payers=member_looks.payers(words, seen, visit.actor),
        paid=totals(words, seen.paid),
        roles=member_looks.roles(words, why, zone),
        grants=member_looks.grants(words, seen.dossier, zone),
        notes=[(at, entry.detail or {}) for _, at, entry in seen.notes],
        story=await _story(visit, user_id, name_of(seen)),
        groups=[(group.value, group_title(words, group)) for group in Group],
        group=visit.query("group"),
        as_of=visit.query("as_of"),
    )


def member_of(visit: StaffVisit) -> UserId:
    """Return whom the address is about. Raises Gone for no id of Discord's."""
    number = visit.number("user")
    if not 0 < number < LARGEST_ID:
        raise Gone("page")
    return UserId(number)


async def require_here(visit: StaffVisit) -> None:
    """Raise Gone unless the address is about somebody of this server: a buyer, or whoever is in it."""
    key = MemberKey(visit.guild.id, member_of(visit))
    async with visit.store.read() as tx:
        dossier = await dossiers.read(tx, key, visit.services.clock.now())
    if not dossier.is_empty:
        return
    seen = await visit.services.discord.observe(key.guild_id, [key.user_id], lane=Lane.PERSON)
    if seen[key.user_id] is None:
        raise Gone("page")


def name_of(seen: Overview) -> str:
    """Return what to call a member: as Discord shows them now, or showed them last; else their number."""
    now = seen.member.name if isinstance(seen.member, Seen) else ""
    row = seen.dossier.row
    payer = next((customer.name for customer, _, _ in seen.links if customer.name), "")
    return now or (row.name if row is not None else "") or payer or str(seen.dossier.key.user_id)


async def _story(visit: StaffVisit, user_id: UserId, name: str) -> Story:
    group, as_of = visit.query("group"), day_after(visit.query("as_of"), visit.zone)
    number = int(page) if (page := visit.query("page")).isascii() and page.isdigit() and len(page) < 4 else 0
    here = URL(visit.request.path).with_fragment("story")
    if group or as_of:
        wanted = Wanted(group=group, user_id=user_id, as_of=as_of)
        before = int(text) if (text := visit.query("before")).isascii() and text.isdigit() and len(text) < 17 else 0
        found = await ledger_view.listed(visit.services, visit.actor, wanted, before=before)
        chosen = here.with_query({key: value for key in ("group", "as_of") if (value := visit.query(key))})
        older = chosen.update_query(before=str(found.next_before)) if found.next_before else ""
        lines = await _lines(visit, found.rows, name)
        return Story(lines=lines, older_url=str(older), newer_url=str(chosen) if before else "", is_narrowed=True)
    page_found = await timeline.history(visit.services, visit.actor, user_id, number=number)
    told = page_found.happenings
    entries = [Entry(number=0, at=each.at, what=each.what) for each in told if isinstance(each.what, AuditEntry)]
    lines = await _lines(visit, entries, name)
    lines += [payment_line(visit, each.what) for each in told if isinstance(each.what, Payment)]
    lines.sort(key=lambda line: line.at, reverse=True)
    return Story(
        lines=lines,
        older_url="" if page_found.is_last else str(here.with_query(page=str(number + 1))),
        newer_url=str(here.with_query(page=str(number - 1))) if number else "",
        is_narrowed=False,
    )


async def _lines(visit: StaffVisit, entries: Sequence[Entry], name: str) -> list[EntryLine]:
    return await story_lines(visit, entries, {int(member_of(visit)): name})


async def story_lines(visit: StaffVisit, entries: Sequence[Entry], names: Mapping[int, str]) -> list[EntryLine]:
    """Word entries for a story, with names in place of mentions, and what staff wrote down."""
    worded, undoable = [], await _undoable(visit, entries)
    for entry, line in zip(entries, await lines_of(visit, entries), strict=True):
        note = str((entry.what.detail or {}).get("text") or "")
        title = visit.words.say("Note") if entry.what.event == NOTE else line.title
        change = change if (change := _change_of(entry)) in undoable else 0
        worded.append(replace(line, title=title, detail=readable(line.detail or note, names), change=change))
    return worded


async def _undoable(visit: StaffVisit, entries: Sequence[Entry]) -> frozenset[int]:
    """Return the changes that the visitor may take back, where these entries tell of any."""
    if not any(_change_of(entry) for entry in entries):
        return frozenset()
    return frozenset(int(change.id) for change in await undo.recent(visit.services, visit.actor))


def _change_of(entry: Entry) -> int:
    """Return the number of the change that an entry tells of, 0 for none."""
    told = (entry.what.detail or {}).get("change_id") if entry.what.event == _ACT else None
    return told if isinstance(told, int) else 0


def payment_line(visit: StaffVisit, payment: Payment) -> EntryLine:
    """Word a payment as a line of a story."""
    amount = visit.words.amount(wording.money(payment.amount, payment.currency)) if payment.amount else ""
    is_bad = payment.kind.value == "failed"
    return EntryLine(
        number=0,
        at=payment.at,
        title=payment_words(visit.words, payment.kind),
        detail=amount,
        who="",
        user_id=None,
        by="",
        tone="warn" if is_bad else "ok",
        sign="!" if is_bad else "✓",
        event=f"payment.{payment.kind.value}",
    )


def day_after(text: str, zone: tzinfo) -> datetime | None:
    """Read a day of a date field and return its end in a time zone, None for none."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
