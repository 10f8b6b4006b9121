"""Entries of the record as lines of a page: what happened, to whom, by whom, and the few facts that say more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from locales.catalogue import Words
from membership.actors import Actor
from membership.addresses import masked
from membership.ledgers import Transaction
from membership.listing_ledgers import Entry
from membership.model import GrantId, GuildId, MemberKey, PurchaseId, UserId
from membership.ports import Discord
from membership.records import AuditEntry
from web import wording
from web.admin.chart_words import span_text
from web.admin.mentions import people_in, without_mentions
from web.admin.staff_words import event_title, reason_text
from web.visits import StaffVisit

DOORLIST = "doorlist"
_BAD = ("grant.failed", "payment.failed", "payment.disputed", "brake.held", "pause.on", "health.degraded")
_BAD_AREAS = ("webhook.failing", "bot.lost_permission", "role.deleted", "role.unusable")
_GOOD = ("grant.delivered", "grant.recovered", "payment.succeeded", "health.recovered", "link.created", "role.added")
SAID = frozenset(
    ("plan", "amount", "currency", "role_ids", "reason", "summary", "detail", "count", "seconds", "actor_name")
)
"""The facts that a line tells in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLine:
    """One line. `who` is the person it concerns, `by` who did it, "" for Doorlist itself; tone is a badge's.

    `order` is the number of the purchase that it is about, 0 for none; its payer is `who` where Discord knows nobody.
    `change` is the number of a change that the visitor may take back from here, 0 for none.
    """

    number: int
    at: datetime
    title: str
    detail: str
    who: str
    user_id: UserId | None
    by: str
    tone: str
    sign: str
    event: str
    order: int = 0
    change: int = 0

    @property
    def path(self) -> str:
        """Return where in the server's pages the person it concerns is found."""
        return f"/orders/{self.order}" if self.user_id is None else f"/members/{self.user_id}"


async def lines_of(visit: StaffVisit, entries: Sequence[Entry]) -> list[EntryLine]:
    """Word entries of the visitor's server, with the names of the people in them."""
    async with visit.store.read() as tx:
        names = await names_of(tx, visit.guild.id, _people(entries))
        orders = await _orders(tx, visit.guild.id, entries)
        payers = await _payers(tx, visit.actor, entries, orders)
    return [_bought(_line(visit, entry, names), entry.what.grant_id, orders, payers) for entry in entries]


async def names_of(tx: Transaction, guild_id: GuildId, user_ids: Iterable[UserId]) -> Mapping[UserId, str]:
    """Return what Discord last called these people in a server; whoever was never seen is missing."""
    found: dict[UserId, str] = {}
    for user_id in dict.fromkeys(user_ids):
        row = await tx.members.get(MemberKey(guild_id, user_id))
        if row is not None and row.name:
            found[user_id] = row.name
    return found


def name_of(names: Mapping[UserId, str], user_id: UserId) -> str:
    """Return somebody's name, their id where none is known."""
    return names.get(user_id) or str(user_id)


def actor_text(words: Words, actor: str, names: Mapping[UserId, str], known_as: object = "") -> str:
    """Say who did something; "" for Doorlist itself. `known_as`: what they were called then."""
    kind, _, number = actor.partition(":")
    if actor == DOORLIST:
        return ""
    if kind in ("staff", "user") and number.isdecimal():
        return str(known_as or "") or name_of(names, UserId(int(number)))
    return words.say("whoever runs Doorlist") if kind == "operator" else actor


async def _orders(tx: Transaction, guild_id: GuildId, entries: Iterable[Entry]) -> Mapping[GrantId, PurchaseId]:
    """Find the purchases that entries are about, by the membership that came of them."""
    found: dict[GrantId, PurchaseId] = {}
    for grant_id in dict.fromkeys(entry.what.grant_id for entry in entries):
        grant = None if grant_id is None else await tx.purchases.grant_in_guild(grant_id, guild_id)
        if grant is not None:
            found[grant.id] = grant.purchase_id
    return found


async def _payers(
    tx: Transaction, actor: Actor, entries: Iterable[Entry], orders: Mapping[GrantId, PurchaseId]
) -> Mapping[GrantId, str]:
    """Name who paid, where nobody of Discord is known yet; addresses whole for those alone who may see data."""
    found: dict[GrantId, str] = {}
    unknown = [entry.what.grant_id for entry in entries if entry.what.user_id is None]
    for grant_id in dict.fromkeys(unknown):
        if grant_id is not None and grant_id in orders:
            purchase = await tx.purchases.get(orders[grant_id])
            payer = await tx.customers.get(purchase.customer_id)
            found[grant_id] = payer.name or (payer.email if actor.can_data else masked(payer.email))
    return found


def _bought(
    line: EntryLine, grant_id: GrantId | None, orders: Mapping[GrantId, PurchaseId], payers: Mapping[GrantId, str]
) -> EntryLine:
    if grant_id is None or grant_id not in orders:
        return line
    return replace(line, order=orders[grant_id], who=line.who or payers.get(grant_id, ""))


def _people(entries: Iterable[Entry]) -> Iterable[UserId]:
    for entry in entries:
        if entry.what.user_id is not None:
            yield entry.what.user_id
        yield from people_in(_summary(entry.what.detail or {}))
        kind, _, number = entry.what.actor.partition(":")
        if kind in ("staff", "user") and number.isdecimal():
            yield UserId(int(number))


def _line(visit: StaffVisit, entry: Entry, names: Mapping[UserId, str]) -> EntryLine:
    what = entry.what
    tone, sign = _tone(what.event)
    return EntryLine(
        number=entry.number,
        at=entry.at,
        title=event_title(visit.words, what.event),
        detail=without_mentions(
            detail_text(visit.words, visit.services.discord, what), names, visit.services.discord, visit.guild.id
        ),
        who="" if what.user_id is None else name_of(names, what.user_id),
        user_id=what.user_id,
        by=actor_text(visit.words, what.actor, names, (what.detail or {}).get("actor_name")),
        tone=tone,
        sign=sign,
        event=what.event,
    )


def _tone(event: str) -> tuple[str, str]:
    if event in _BAD or event in _BAD_AREAS:
        return "bad", "!"
    return ("ok", "✓") if event in _GOOD else ("off", "·")


def detail_text(words: Words, discord: Discord, what: AuditEntry) -> str:
    """Say the facts of an entry in a line: plan, money, roles, why."""
    facts = what.detail or {}
    parts = [
        str(facts.get("plan") or ""),
        _money(words, facts),
        _roles(discord, what, facts),
        reason_text(words, facts.get("reason")),
        _summary(facts),
        words.count("{number} removal", "{number} removals", _number(facts["count"])) if "count" in facts else "",
        words.say("after {time}", time=span_text(words, float(str(facts["seconds"])))) if "seconds" in facts else "",
    ]
    return " · ".join(part for part in parts if part)


def _summary(facts: Mapping[str, object]) -> str:
    return str(facts.get("summary") or facts.get("detail") or "")


def _money(words: Words, facts: Mapping[str, object]) -> str:
    amount, currency = facts.get("amount"), facts.get("currency")
    if not isinstance(amount, int) or not amount or not currency:
        return ""
    return words.amount(wording.money(amount, str(currency)))


def _roles(discord: Discord, what: AuditEntry, facts: Mapping[str, object]) -> str:
    listed = facts.get("role_ids")
    if not isinstance(listed, list) or what.guild_id is None:
        return ""
    known = {str(role_id): role.name for role_id, role in discord.roles(what.guild_id).items()}
    return ", ".join(f"@{known.get(str(role_id), role_id)}" for role_id in listed)


def _number(written: object) -> int:
    return int(str(written)) if str(written).isdecimal() else 0
