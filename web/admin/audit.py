"""What staff changed, each with what was before and after. The button that takes it back is in taking_back.py."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from aiohttp import web

from locales.catalogue import Words
from membership import ledger_view, undo
from membership.browsing import Person
from membership.change_kinds import ChangeKind
from membership.desk import Change
from membership.model import UserId
from web.admin.change_words import fact_name, fact_value
from web.admin.entry_lines import actor_text, names_of
from web.admin.lists import before_of, older_url
from web.admin.mentions import people_in, without_mentions
from web.site import Site
from web.visits import StaffVisit

MOST_FACTS = 20
_LONGEST = 160
_SECRET_KINDS = frozenset({ChangeKind.PLAN_CODE})
"""Kinds whose before and after say nothing to people: digests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that changed. "" where there was none."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLine:
    """A change in words, and whether the visitor may take it back."""

    change: Change
    summary: str
    by: str
    facts: Sequence[Fact]
    may_undo: bool


def install(site: Site) -> None:
    """Register the page."""
    site.manager.get("/admin/{guild}/audit", show_changes)


async def show_changes(visit: StaffVisit) -> web.Response:
    """List what staff changed, newest first."""
    by = str(visit.actor) if visit.query("by") == "me" else ""
    found = await ledger_view.changes(visit.services, visit.actor, by=by, before=before_of(visit))
    undoable = {change.id for change in await undo.recent(visit.services, visit.actor)}
    actors = {_user_id(change.actor) for change in found.rows}
    mentioned = {each for change in found.rows for each in people_in(change.summary)}
    names = await _names(visit, mentioned | {each for each in actors if each is not None})
    lines = [
        ChangeLine(
            change=change,
            summary=without_mentions(change.summary, names, visit.services.discord, visit.guild.id),
            by=actor_text(visit.words, change.actor, names),
            facts=facts_of(visit.words, change),
            may_undo=change.id in undoable,
        )
        for change in found.rows
    ]
    return visit.page("admin/audit.html", lines=lines, older=older_url(visit, found), only_mine=bool(by))


def facts_of(words: Words, change: Change) -> list[Fact]:
    """Return what differs between before and after, the first twenty facts of it."""
    if change.kind in _SECRET_KINDS:
        return []
    names = [name for name in {**change.before, **change.after} if name not in ("id", "guild_id")]
    differing = [name for name in names if change.before.get(name) != change.after.get(name)]
    return [
        Fact(
            name=fact_name(words, name),
            before=_plain(fact_value(words, name, change.before.get(name))),
            after=_plain(fact_value(words, name, change.after.get(name))),
        )
        for name in differing[:MOST_FACTS]
    ]


async def _names(visit: StaffVisit, people: AbstractSet[UserId]) -> Mapping[UserId, str]:
    """Name staff as the server last saw them; who was never looked at there, as they were called when signing in."""
    now = visit.services.clock.now()
    async with visit.store.read() as tx:
        names = dict(await names_of(tx, visit.guild.id, people))
        for user_id in people - names.keys():
            for sign_in in await tx.sign_ins.of_person(Person.STAFF, user_id, "", now, 1):
                names[user_id] = sign_in.name
    return names


def _plain(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _user_id(actor: str) -> UserId | None:
    kind, _, number = actor.partition(":")
    return UserId(int(number)) if kind == "staff" and number.isdecimal() else None
