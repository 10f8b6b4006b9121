"""Bring members from another platform's list: shown first, then exactly that, and all of it can be taken back.

An import makes purchases at our own account (house.py), one for each membership of the list, under a name that the same
list gives again: a second time changes nothing. What was confirmed is a row; a job brings it about in portions, again
after a crash, and one row's trouble never stops the others.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from membership import import_rows, import_sheets, staff_acts
from membership.actors import Actor
from membership.change_kinds import ChangeKind, moment_json, moment_of
from membership.desk import Change, Preview
from membership.errors import UserError
from membership.import_formats import Entry, Format, Problem, Sheet, parse
from membership.import_rows import Order
from membership.ledgers import Transaction
from membership.model import ChangeId, GuildId, Lane, Plan, PlanId, PurchaseId, PurchaseStatus
from membership.recording import Occasion
from membership.records import AuditEntry
from membership.report_ledgers import Imported
from membership.services import Services
from membership.staff_acts import StaffAct

LASTS = timedelta(minutes=30)
_ORDER_LASTS = timedelta(days=7)
KIND, UNDO_KIND = "import", "import_undo"
_ORDERED = "import-ordered"
DONE = "import.done"
LOOKED_UP = 500
PORTION = 20
ROWS_A_RUN = 5000
LEFT_OUT = PlanId(0)
"""What a tier becomes that is not imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """What the list calls a plan, how many have it, and what it becomes; None: nobody has said."""

    name: str
    count: int
    plan: Plan | None
    is_left_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A list as it was read, and what would become of it. `set_hash` names exactly this list with these plans.

    `ready`: the memberships whose plan is known. `fresh`: how many of them would be new, `changed`: how many get
    another plan or end; the rest is there already.
    """

    id: str
    set_hash: str
    file_name: str
    format: Format
    rows: int
    over: int
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    tiers: tuple[Tier, ...]
    ready: tuple[Entry, ...]
    fresh: int = 0
    changed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """An import that was confirmed: `number`: how many memberships it is about."""

    change_id: ChangeId
    preview_id: str
    number: int


async def dry_run(services: Services, actor: Actor, *, file_name: str, content: bytes, wanted: Format | None) -> Shown:
    """Read a list and keep it for half an hour; nothing is imported. Raises UserError."""
    now = services.clock.now()
    sheet = await asyncio.to_thread(parse, content, wanted, now)
    name = hashlib.sha256(services.randomness.token().encode()).hexdigest()[:16]
    async with services.store.read() as tx:
        plans = [plan for plan in await tx.plans.all(actor.guild_id) if not plan.is_archived]
    tiers = list(dict.fromkeys(entry.tier for entry in sheet.entries))
    chosen = {tier: _guess(tier, plans) for tier in tiers}
    written = await asyncio.to_thread(import_sheets.pack, sheet)
    kept = {
        "file": file_name[:100],
        "hash": hashlib.sha256(content).hexdigest(),
        "sheet": written,
        "plans": {tier: plan_id for tier, plan_id in chosen.items() if plan_id is not None},
    }
    preview = Preview(
        id=name,
        guild_id=actor.guild_id,
        actor=str(actor),
        kind=KIND,
        content=kept,
        set_hash=_set_hash(kept),
        created_at=now,
        expires_at=now + LASTS,
    )
    async with services.store.write() as tx:
        await tx.previews.put(preview)
    return await _shown(services, preview)


async def look(services: Services, actor: Actor, preview_id: str) -> Shown:
    """Return a list of the actor's server that waits for its word. Raises UserError."""
    async with services.store.read() as tx:
        kept = _live(await tx.previews.get(preview_id, actor.guild_id, services.clock.now()))
    return await _shown(services, kept)


async def map_tier(services: Services, actor: Actor, preview_id: str, tier: int, plan_id: PlanId) -> Shown:
    """Say what the tier with a number becomes: a plan of the server, or LEFT_OUT. Raises UserError."""
    shown = await look(services, actor, preview_id)
    if not 0 <= tier < len(shown.tiers):
        raise UserError("There is no such tier in this list. Send the file again.")
    async with services.store.write() as tx:
        if plan_id != LEFT_OUT and await tx.plans.in_guild(plan_id, actor.guild_id) is None:
            raise UserError("There is no such plan in this server. Choose one from the list.")
        kept = _live(await tx.previews.take(preview_id, actor.guild_id, services.clock.now()))
        plans = {**_plans(kept), shown.tiers[tier].name: int(plan_id)}
        content = {**kept.content, "plans": plans}
        changed = replace(kept, content=content, set_hash=_set_hash(content))
        await tx.previews.put(changed)
    return await _shown(services, changed)


async def order(services: Services, actor: Actor, preview_id: str, set_hash: str, *, is_inviting: bool) -> Ordered:
    """Import exactly what was shown, with or without mails that ask people to connect Discord. Raises UserError."""
    shown = await look(services, actor, preview_id)
    if not set_hash or not shown.set_hash.startswith(set_hash):
        raise UserError("Somebody has changed what this list becomes. Look at it again; nothing was imported.")
    if not shown.ready:
        raise UserError("Nothing in this list has a plan. Choose what its tiers become first.")
    now = services.clock.now()
    before = await _changing(services, actor.guild_id, shown)
    async with services.store.write() as tx:
        kept = _live(await tx.previews.take(preview_id, actor.guild_id, now))
        if kept.set_hash != shown.set_hash:
            raise UserError("Somebody has changed what this list becomes. Look at it again; nothing was imported.")
        act = StaffAct(
            kind=ChangeKind.IMPORT,
            summary=f"{len(shown.ready)} members imported from {shown.file_name} ({shown.format.value})",
            before={"changed": before},
            after={"imported_at": now.isoformat(), "members": len(shown.ready)},
            # Who is in their own list gives themselves a plan: that is told of them.
            user_id=actor.user_id if any(entry.user_id == actor.user_id for entry in shown.ready) else None,
        )
        change_id = await staff_acts.write_down(tx, actor, act, now)
        content = {**kept.content, "change_id": int(change_id), "is_inviting": is_inviting}
        await tx.previews.put(replace(kept, kind=_ORDERED, content=content, expires_at=now + _ORDER_LASTS))
        await _mark(tx, KIND, f"{actor.guild_id}:{preview_id}:0", now)
    services.wake()
    return Ordered(change_id=change_id, preview_id=preview_id, number=len(shown.ready))


async def carry_out(services: Services, key: str) -> None:
    """Bring about a confirmed import, `key` as in its job: some thousand rows, then the rest in another run."""
    guild_id, preview_id, start = key.split(":")
    async with services.store.read() as tx:
        kept = await tx.previews.get(preview_id, GuildId(int(guild_id)), services.clock.now())
    if kept is None or kept.kind != _ORDERED:
        return
    change_id = ChangeId(int(str(kept.content["change_id"])))
    shown = await _read(services, kept)
    rows, end = shown.ready, int(start) + ROWS_A_RUN
    for first in range(int(start), min(end, len(rows)), PORTION):
        async with services.store.write() as tx:
            change = await tx.changes.get(change_id, kept.guild_id)
            if change is None or change.undone_at is not None:
                return
            ordered = _order(services, kept, shown, change)
            for entry in rows[first : min(first + PORTION, end)]:
                await import_rows.write(tx, ordered, entry)
        services.wake()
    now = services.clock.now()
    async with services.store.write() as tx:
        if end < len(rows):
            await _mark(tx, KIND, f"{guild_id}:{preview_id}:{end}", now)
            return
        await tx.previews.take(preview_id, kept.guild_id, now)
        detail = {"preview_id": preview_id, "members": len(rows)}
        done = AuditEntry(event=DONE, actor=kept.actor, guild_id=kept.guild_id, detail=detail)
        await tx.audit.add(done, now)


async def take_back(services: Services, key: str) -> None:
    """Undo an import, `key` as in its job: what nobody changed since is as it was before."""
    guild_id, change_id = (int(part) for part in key.split(":"))
    async with services.store.read() as tx:
        change = await tx.changes.get(ChangeId(change_id), GuildId(guild_id))
        account_id = await import_rows.house_id(tx)
    if change is None or change.undone_at is None or account_id is None:
        return
    made_at, before = datetime.fromisoformat(str(change.after["imported_at"])), _before(change)
    prefix = import_rows.prefix(change.guild_id)
    for _ in range(ROWS_A_RUN // PORTION):
        occasion = Occasion(now=services.clock.now(), lane=Lane.BULK, policy=services.policy)
        async with services.store.write() as tx:
            found = await tx.reports.written_by(account_id, prefix, made_at, PORTION)
            for purchase_id in found:
                await import_rows.restore(tx, purchase_id, before.get(purchase_id), occasion)
        services.wake()
        if not found:
            return
    async with services.store.write() as tx:
        await _mark(tx, UNDO_KIND, key, services.clock.now())


async def mark_undo(tx: Transaction, change: Change, now: datetime) -> None:
    """Let a job take an import back, whose own job ends when it sees that."""
    await _mark(tx, UNDO_KIND, f"{change.guild_id}:{change.id}", now)


async def is_done(services: Services, actor: Actor, preview_id: str) -> bool:
    """Say whether an import has come to its end."""
    async with services.store.read() as tx:
        found = await tx.audit.recent(10, guild_id=actor.guild_id, events=(DONE,))
    return any((entry.detail or {}).get("preview_id") == preview_id for _, _, entry in found)


async def _mark(tx: Transaction, kind: str, key: str, now: datetime) -> None:
    await tx.jobs.mark(kind, key, lane=Lane.PLAN, run_at=now, scope=f"{KIND}:{key.split(':', maxsplit=1)[0]}")


# ------------------------------------------------------------------------------------------------------- what is kept


def _live(kept: Preview | None) -> Preview:
    if kept is None or kept.kind != KIND:
        raise UserError("This list was imported already, or was sent more than half an hour ago. Send the file again.")
    return kept


async def _shown(services: Services, kept: Preview) -> Shown:
    """Read what was kept, and compare it with what is there."""
    shown = await _read(services, kept)
    standing = await _standing(services, kept.guild_id, shown)
    known = [each for each in standing.values() if each is not None]
    same = sum(is_same for _, is_same in known)
    return replace(shown, fresh=len(standing) - len(known), changed=len(known) - same)


async def _read(services: Services, kept: Preview) -> Shown:
    async with services.store.read() as tx:
        plans = {plan.id: plan for plan in await tx.plans.all(kept.guild_id)}
    return await asyncio.to_thread(_assembled, kept, plans)


def _assembled(kept: Preview, plans: Mapping[PlanId, Plan]) -> Shown:
    sheet = import_sheets.unpack(str(kept.content["sheet"]))
    tiers = _tiers(sheet, _plans(kept), plans)
    known = {tier.name for tier in tiers if tier.plan is not None}
    return Shown(
        id=kept.id,
        set_hash=kept.set_hash,
        file_name=str(kept.content["file"]),
        format=sheet.format,
        rows=sheet.rows,
        over=sheet.over,
        entries=sheet.entries,
        problems=sheet.problems,
        tiers=tiers,
        ready=tuple(entry for entry in sheet.entries if entry.tier in known),
    )


async def _standing(services: Services, guild_id: GuildId, shown: Shown) -> dict[str, tuple[Imported, bool] | None]:
    """Return what is there already of the memberships whose plan is known, by its name, and whether that stays."""
    plans = _plans_of(shown)
    rows, found = shown.ready, dict[str, tuple[Imported, bool] | None]()
    for start in range(0, len(rows), LOOKED_UP):
        named = {import_rows.external_id(guild_id, shown.format, row): row for row in rows[start : start + LOOKED_UP]}
        async with services.store.read() as tx:
            account_id = await import_rows.house_id(tx)
            known = {} if account_id is None else await tx.reports.imported(account_id, list(named))
        for name, row in named.items():
            purchase = known.get(name)
            stays = purchase is not None and import_rows.is_same(row, plans[row.tier], purchase)
            found[name] = None if purchase is None else (purchase, stays)
    return found


async def _changing(services: Services, guild_id: GuildId, shown: Shown) -> list[list[object]]:
    """Write down how those purchases stand that the import changes."""
    standing = await _standing(services, guild_id, shown)
    changing = [each[0] for each in standing.values() if each is not None and not each[1]]
    return [[int(each.purchase_id), each.status.value, moment_json(each.ends_at), each.product_id] for each in changing]


def _before(change: Change) -> dict[PurchaseId, Imported]:
    """Read back what `_changing` wrote."""
    written = change.before.get("changed")
    return {
        PurchaseId(int(number)): Imported(
            purchase_id=PurchaseId(int(number)),
            external_id="",
            status=PurchaseStatus(status),
            ends_at=moment_of(ends_at),
            product_id=product_id,
        )
        for number, status, ends_at, product_id in (written if isinstance(written, list) else [])
    }


def _order(services: Services, kept: Preview, shown: Shown, change: Change) -> Order:
    return Order(
        guild_id=kept.guild_id,
        actor=change.actor,
        form=shown.format,
        at=datetime.fromisoformat(str(change.after["imported_at"])),
        is_inviting=bool(kept.content["is_inviting"]),
        plans=_plans_of(shown),
        policy=services.policy,
    )


def _plans_of(shown: Shown) -> dict[str, Plan]:
    return {tier.name: tier.plan for tier in shown.tiers if tier.plan is not None}


def _tiers(sheet: Sheet, chosen: Mapping[str, int], plans: Mapping[PlanId, Plan]) -> tuple[Tier, ...]:
    counts = Counter(entry.tier for entry in sheet.entries)
    return tuple(
        Tier(
            name=name,
            count=count,
            plan=plans.get(PlanId(chosen.get(name, LEFT_OUT))),
            is_left_out=chosen.get(name) == LEFT_OUT,
        )
        for name, count in counts.most_common()
    )


def _guess(tier: str, plans: Sequence[Plan]) -> int | None:
    """Return the plan that a tier is named like; the only plan for a list that names no tiers."""
    named = [plan for plan in plans if plan.name.casefold() == tier.strip().casefold()]
    if named:
        return int(named[0].id)
    return int(plans[0].id) if not tier and len(plans) == 1 else None


def _plans(kept: Preview) -> dict[str, int]:
    written = kept.content["plans"]
    return {str(tier): int(plan_id) for tier, plan_id in written.items()} if isinstance(written, Mapping) else {}


def _set_hash(content: Mapping[str, object]) -> str:
    return hashlib.sha256(f"{content['hash']}{content['plans']}".encode()).hexdigest()
