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
    (
        "plan",
        "amount",
        "currency",
        "role_ids",
        "reason",
        "summary",
        "detail",
        "count",
        "seconds",
        "actor_name",
        "purchase_id",
    )
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
        found = _Found()
        orders = [await found.order(tx, visit.guild.id, entry.what) for entry in entries]
        unknown = {order for entry, order in zip(entries, orders, strict=True) if entry.what.user_id is None}
        payers = await _payers(tx, visit.actor, unknown)
    return [
        replace(line, order=order or 0, who=line.who or payers.get(order, ""))
        for line, order in zip((_line(visit, entry, names) for entry in entries), orders, strict=True)
    ]


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


class _Found:
    """Remembers the purchases that entries are about, None for those of other servers: many entries name the same."""

    def __init__(self) -> None:
        self._of_grants: dict[GrantId, PurchaseId | None] = {}
        self._here: dict[PurchaseId, PurchaseId | None] = {}

    async def order(self, tx: Transaction, guild_id: GuildId, what: AuditEntry) -> PurchaseId | None:
        """Find the purchase by the membership that came of it, or as it is written down; None for none."""
        if what.grant_id is not None:
            if what.grant_id not in self._of_grants:
                grant = await tx.purchases.grant_in_guild(what.grant_id, guild_id)
                self._of_grants[what.grant_id] = None if grant is None else grant.purchase_id
            return self._of_grants[what.grant_id]
        written = PurchaseId(_number((what.detail or {}).get("purchase_id")))
        if written and written not in self._here:
            is_here = await tx.purchases.in_guild(written, guild_id) is not None
            self._here[written] = written if is_here else None
        return self._here.get(written)


async def _payers(
    tx: Transaction, actor: Actor, orders: Iterable[PurchaseId | None]
) -> Mapping[PurchaseId | None, str]:
    """Name who paid, for where nobody of Discord is known; addresses whole for those alone who may see data."""
    found: dict[PurchaseId | None, str] = {}
    for order in orders:
        if order is not None:
            payer = await tx.customers.get((await tx.purchases.get(order)).customer_id)
            found[order] = payer.name or (payer.email if actor.can_data else masked(payer.email))
    return found


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
