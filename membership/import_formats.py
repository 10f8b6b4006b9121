"""The member lists that other platforms write, read into entries of one form. Pure; what becomes of them: importing.py.

Columns are found by name, in any order, case and spelling of gaps. Where the names come from:
Stripe    Dashboard > Subscriptions (or Customers) > Export; metadata comes as "key (metadata)"
Patreon   https://support.patreon.com/hc/en-us/articles/360004385971 (Relationship manager, CSV)
Memberful https://memberful.com/help/import-members/import-members-via-csv/
Whop      https://docs.whop.com/manage-your-business/manage-payments/manage-users and .../api-reference/memberships
LaunchPass https://help.launchpass.com/en/articles/134628 names the fields of a member; its export has no public page
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from membership import csv_text
from membership.errors import UserError
from membership.import_dates import read_moment
from membership.model import UserId

_GAP = re.compile(r"[^0-9a-z]+")
_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")
_SNOWFLAKE = re.compile(r"(?<!\d)\d{17,20}(?!\d)")
_ROUNDED = re.compile(r"\d[.,]\d+e\+\d+", re.IGNORECASE)
_LONGEST_ADDRESS = 254
_LARGEST_ID = 2**63 - 1


class Format(StrEnum):
    """Whose list it is."""

    GENERIC = "generic"
    STRIPE = "stripe"
    PATREON = "patreon"
    MEMBERFUL = "memberful"
    WHOP = "whop"
    LAUNCHPASS = "launchpass"


class _Field(StrEnum):
    ID = "id"
    EMAIL = "email"
    NAME = "name"
    DISCORD = "discord"
    TIER = "tier"
    STATUS = "status"
    UNTIL = "until"
    ENDED = "ended"
    FREE = "free"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One membership of the list. `row` as a spreadsheet counts; `until` None: it has no end."""

    row: int
    member_id: str
    email: str
    name: str
    user_id: UserId | None
    tier: str
    until: datetime | None

    @property
    def identity(self) -> str:
        """Name the membership within its list, the same in the next list from there."""
        whose = self.member_id or self.email or str(self.user_id)
        return f"{whose.casefold()}|{self.tier.casefold()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a row is not imported, where a person may want to put it right."""

    row: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A list as it was read. `over`: how many rows are memberships that ended, never began, or are free."""

    format: Format
    rows: int
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    over: int


_DISCORD = ("discord id", "discord user id", "discord userid", "discord id metadata", "discord user id metadata")
_COMMON: Mapping[_Field, tuple[str, ...]] = {
    _Field.ID: ("id", "member id", "membership id", "user id", "customer id"),
    _Field.EMAIL: ("email", "e mail", "email address", "customer email", "user email", "mail"),
    _Field.NAME: ("name", "full name", "customer name", "user name", "username", "display name"),
    _Field.DISCORD: (*_DISCORD, "discord", "discord user", "discord username"),
    _Field.TIER: ("plan", "tier", "plan name", "subscription", "product", "product name", "membership", "level"),
    _Field.STATUS: ("status", "state", "subscription status", "member status", "membership status"),
    _Field.UNTIL: (
        *("until", "expires at", "expires", "expiration date", "expiration", "expiry date", "access expiration"),
        *("end date", "ends at", "renewal date", "renews at", "next renewal date", "renewal period end"),
        *("current period end utc", "current period end", "next billing date", "next charge date"),
    ),
    _Field.ENDED: ("ended at utc", "ended at"),
    _Field.FREE: ("free member",),
}
_OWN: Mapping[Format, Mapping[_Field, tuple[str, ...]]] = {
    Format.STRIPE: {
        _Field.ID: ("id", "subscription id", "customer id"),
        _Field.TIER: ("product name", "product", "plan nickname", "plan", "price"),
        _Field.UNTIL: ("cancel at utc", "current period end utc", "current period end", "trial end utc"),
    },
    Format.PATREON: {
        _Field.ID: ("user id",),
        _Field.TIER: ("tier",),
        _Field.STATUS: ("patron status",),
        _Field.UNTIL: ("access expiration", "next charge date"),
    },
    Format.MEMBERFUL: {
        _Field.ID: ("member id", "memberful id", "id"),
        _Field.STATUS: ("active", "status", "subscription status"),
        _Field.TIER: ("plan", "plan name", "subscription plan", "price shortcode id", "subscription"),
    },
    Format.WHOP: {
        _Field.ID: ("membership id", "id", "license key"),
        _Field.TIER: ("product name", "product", "product title", "access pass", "plan"),
    },
    Format.LAUNCHPASS: {_Field.TIER: ("tier", "subscription", "plan", "product")},
}
_SIGNS: Mapping[Format, frozenset[str]] = {
    Format.PATREON: frozenset(("patron status", "patronage since date", "access expiration", "pledge amount")),
    Format.STRIPE: frozenset(("customer email", "current period end utc", "cancel at period end", "created utc")),
    Format.WHOP: frozenset(("membership id", "whop id", "access pass", "renewal period end", "license key")),
    Format.MEMBERFUL: frozenset(("memberful id", "price shortcode id", "memberful profile url", "stripe customer id")),
    Format.LAUNCHPASS: frozenset(("launchpass id", "discord username", "joined", "tier")),
}
"""Headings that tell whose list it is; two of them are enough, the more the surer."""

_RUNNING = frozenset(
    (
        *(
            "",
            "active",
            "active patron",
            "trialing",
            "trial",
            "in trial",
            "free trial",
            "paid",
            "renewing",
            "completed",
        ),
        *("canceling", "cancelling", "not renewing", "expiring", "lifetime", "paid once", "paid subscriber", "joined"),
        *("waiting", "held", "failed", "true", "yes", "1"),
    )
)
_LATE = frozenset(("past due", "late", "declined", "declined patron", "unresolved"))
_CANCELLED = frozenset(("canceled", "cancelled", "former patron"))
"""Over, unless the list says until when it is paid."""
_OVER = frozenset(
    (
        *("ended", "expired", "refunded", "unpaid", "incomplete", "incomplete expired", "fraud", "left", "churned"),
        *("paused", "inactive", "pending", "pending entry", "drafted", "follower", "free", "false", "no", "0"),
    )
)


def parse(content: bytes, wanted: Format | None, now: datetime) -> Sheet:
    """Read a list, of the format `wanted` or the one that its headings tell. Raises UserError for what is no list."""
    rows = csv_text.read(content)
    if len(rows) < 2:
        raise UserError("That file has no rows. It needs one row of headings, then a row for each member.")
    headings = [_plain(cell) for cell in rows[0]]
    form = wanted or _detected(headings)
    places = _places(headings, form)
    if _Field.EMAIL not in places and _Field.DISCORD not in places:
        seen = ", ".join(cell for cell in rows[0][:8] if cell)[:200]
        raise UserError(f"I find no column with e-mail addresses or Discord ids. The headings are: {seen}")
    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    over = 0
    for number, cells in enumerate(rows[1:], start=2):
        found = _entry(_Row(number, cells, headings, places), now)
        match found:
            case None:
                over += 1
            case Problem():
                problems.append(found)
            case Entry():
                _keep(entries, problems, found)
    return Sheet(format=form, rows=len(rows) - 1, entries=tuple(entries.values()), problems=tuple(problems), over=over)


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    cells: Sequence[str]
    headings: Sequence[str]
    places: Mapping[_Field, Sequence[int]]

    def get(self, field: _Field) -> str:
        """Return the first filled cell of a field."""
        found = (self.cells[place] for place in self.places.get(field, ()) if place < len(self.cells))
        return next((cell for cell in found if cell), "")

    def all(self, field: _Field) -> str:
        return " ".join(self.cells[place] for place in self.places.get(field, ()) if place < len(self.cells))

    @property
    def name(self) -> str:
        parts = dict(zip(self.headings, self.cells, strict=False))
        return self.get(_Field.NAME) or " ".join(filter(None, (parts.get("first name"), parts.get("last name"))))


def _entry(row: _Row, now: datetime) -> Entry | Problem | None:
    """Read a row: a membership, a problem, or None for one that is over."""
    until, is_clear = read_moment(row.get(_Field.UNTIL))
    ended_at, _ = read_moment(row.get(_Field.ENDED))
    status = _plain(row.get(_Field.STATUS))
    is_free = _plain(row.get(_Field.FREE)) in ("yes", "true", "1")
    if is_free or status in _OVER or (ended_at is not None and ended_at <= now):
        return None
    if status in _CANCELLED and (until is None or until <= now):
        return None
    problem = _doubt(row, status, now, until=until, is_clear=is_clear)
    if problem:
        return Problem(row=row.number, text=problem)
    address = row.get(_Field.EMAIL)
    return Entry(
        row=row.number,
        member_id=row.get(_Field.ID)[:200],
        email=address if _is_address(address) else "",
        name=row.name[:200],
        user_id=_user_id(row),
        tier=row.get(_Field.TIER)[:100],
        until=until,
    )


def _doubt(row: _Row, status: str, now: datetime, *, until: datetime | None, is_clear: bool) -> str:
    """Say what is unclear about a row that is not over, "" for nothing."""
    address = row.get(_Field.EMAIL)
    if status not in _RUNNING | _LATE | _CANCELLED:
        return f"I do not know the status “{row.get(_Field.STATUS)}”."
    if not is_clear:
        return f"I cannot read the date “{row.get(_Field.UNTIL)}”. Write it like 2026-12-31."
    if until is not None and until <= now:
        return f"It is called “{status or 'active'}”, but its time was over on {until:%Y-%m-%d}."
    if status in _LATE and until is None:
        return "Its payment is overdue, and the list does not say until when it was paid."
    if _ROUNDED.search(row.all(_Field.DISCORD)) and not _is_address(address):
        return "A spreadsheet has rounded the Discord id. Format that column as text and export again."
    if not _is_address(address) and _user_id(row) is None:
        return f"“{address}” is no e-mail address." if address else "It has neither an e-mail address nor a Discord id."
    return ""


def _keep(entries: dict[str, Entry], problems: list[Problem], found: Entry) -> None:
    """Keep one row of each membership: the one that lasts longer."""
    known = entries.setdefault(found.identity, found)
    if known is found:
        return
    is_longer = known.until is not None and (found.until is None or found.until > known.until)
    kept, dropped = (found, known) if is_longer else (known, found)
    entries[found.identity] = replace(kept, user_id=kept.user_id or dropped.user_id)
    problems.append(Problem(row=dropped.row, text=f"It is the same membership as row {kept.row}."))


def _detected(headings: Sequence[str]) -> Format:
    scores = {form: len(signs.intersection(headings)) for form, signs in _SIGNS.items()}
    best = max(scores, key=lambda form: scores[form])
    return best if scores[best] >= 2 else Format.GENERIC


def _places(headings: Sequence[str], form: Format) -> dict[_Field, list[int]]:
    """Return where the columns of each field are, the best one first."""
    known = {**_COMMON, **_OWN.get(form, {})}
    found: dict[_Field, list[int]] = {}
    for field, names in known.items():
        places = [headings.index(name) for name in names if name in headings]
        if places:
            found[field] = places
    return found


def _user_id(row: _Row) -> UserId | None:
    found = _SNOWFLAKE.search(row.all(_Field.DISCORD))
    return UserId(int(found.group())) if found and int(found.group()) <= _LARGEST_ID else None


def _is_address(text: str) -> bool:
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def _plain(text: str) -> str:
    return _GAP.sub(" ", text.casefold()).strip()
