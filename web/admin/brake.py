"""Removals that the brake holds, each batch with who is in it and a person's word on it; and the pause of a server.

Every decision is bound to the set that was shown: a batch that changed meanwhile is shown again, and nothing happens.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from locales.catalogue import Words
from membership import holds, pauses
from membership.errors import Reason, UserError
from membership.model import BatchId, RoleId, UserId
from membership.policy import Policy
from membership.ports import GuildRole
from membership.records import Batch, HeldRemoval
from membership.services import Services
from web.admin.entry_lines import name_of, names_of
from web.admin.staff_words import reason_text
from web.site import Site
from web.visits import StaffVisit

PER_PAGE = 40
SHOWN_BEFORE_RELEASE = 10

Decide = Callable[[Services, BatchId, str, str], Awaitable[Batch]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """One held removal: who, and which role they would lose; "" for a kick."""

    user_id: UserId
    name: str
    role: str


def install(site: Site) -> None:
    """Register the pages."""
    site.manager.get("/admin/{guild}/brake", show_batches)
    site.manager.post("/admin/{guild}/brake/pause", pause)
    site.manager.get("/admin/{guild}/brake/resume", show_resume)
    site.manager.post("/admin/{guild}/brake/resume", resume)
    site.manager.get("/admin/{guild}/brake/{batch}", show_batch)
    site.manager.get("/admin/{guild}/brake/{batch}/release", show_release)
    site.manager.post("/admin/{guild}/brake/{batch}/release", release)
    site.manager.post("/admin/{guild}/brake/{batch}/release-one", release_one)
    site.manager.post("/admin/{guild}/brake/{batch}/keep", keep)


async def show_batches(visit: StaffVisit) -> web.Response:
    """Show everything that is held, and whether role changes are paused."""
    return await _batches(visit)


async def show_batch(visit: StaffVisit) -> web.Response:
    """Show one held batch with what can be done about it."""
    batch = await _found(visit)
    return await _gone(visit) if batch is None else await _batch(visit, batch)


async def show_release(visit: StaffVisit) -> web.Response:
    """Ask once more; a list that changed since it was seen is shown as it is now."""
    batch = await _found(visit)
    if batch is None:
        return await _gone(visit)
    if visit.query("set") != batch.set_hash:
        return await _changed(visit, batch)
    removals = batch.removals[:SHOWN_BEFORE_RELEASE]
    return visit.page(
        "admin/brake_release.html",
        batch=batch,
        lines=await _lines(visit, removals),
        more=len(batch.removals) - len(removals),
        is_kick=all(removal.role_id is None for removal in batch.removals),
    )


async def release(visit: StaffVisit) -> web.Response:
    """Let the removals go on."""
    return await _decide(
        visit,
        holds.release,
        lambda words, done: words.count(
            "Released {number} removal. It goes on now; the events tell what became of it.",
            "Released {number} removals. They go on now; the events tell what became of each.",
            len(done.removals),
        ),
    )


async def release_one(visit: StaffVisit) -> web.Response:
    """Let the first of the removals go on, to see what it does."""
    return await _decide(
        visit,
        holds.release_one,
        lambda words, _: words.say("Released one. Look at what became of it, then decide about the others."),
    )


async def keep(visit: StaffVisit) -> web.Response:
    """Keep everybody's access."""
    return await _decide(
        visit,
        holds.discard,
        lambda words, done: words.count(
            "{number} removal will not happen: this member keeps what they have.",
            "{number} removals will not happen: these members keep what they have.",
            len(done.removals),
        ),
    )


async def pause(visit: StaffVisit) -> web.Response:
    """Stop all role changes in the server."""
    form = await visit.form()
    try:
        await pauses.pause(visit.services, visit.actor, form.text("reason"))
    except UserError:
        return await visit.go(
            visit.here("/brake"), say=visit.words.say("Role changes are paused already."), tone="info"
        )
    return await visit.go(visit.here("/brake"), say=visit.words.say("Role changes are paused."))


async def show_resume(visit: StaffVisit) -> web.Response:
    """Show what would happen on going on, before anything does."""
    if visit.guild.paused_at is None:
        return await visit.go(visit.here("/brake"))
    waiting = await pauses.waiting(visit.services, visit.actor)
    return visit.page("admin/brake_resume.html", forecast=waiting.forecast)


async def resume(visit: StaffVisit) -> web.Response:
    """Start role changes again."""
    try:
        await pauses.resume(visit.services, visit.actor)
    except UserError:
        return await visit.go(visit.here("/brake"), say=visit.words.say("Role changes are not paused."), tone="info")
    said = visit.words.say("Role changes go on. What waited is looked at now.")
    return await visit.go(visit.here("/brake"), say=said)


# ------------------------------------------------------------------------------------------------------- one decision


async def _decide(visit: StaffVisit, decide: Decide, say: Callable[[Words, Batch], str]) -> web.Response:
    batch = await _found(visit)
    if batch is None:
        return await _gone(visit)
    set_hash = (await visit.form()).text("set")
    if set_hash != batch.set_hash:
        return await _changed(visit, batch)
    try:
        done = await decide(visit.services, batch.id, set_hash, str(visit.actor))
    except UserError:
        # Somebody was quicker, between our look and our word.
        return await visit.go(visit.here("/brake"), say=visit.words.say("Somebody has just decided this."), tone="info")
    is_left = any(each.id == batch.id for each in await holds.held_in(visit.services, visit.guild.id))
    return await visit.go(visit.here(f"/brake/{batch.id}" if is_left else "/brake"), say=say(visit.words, done))


async def _found(visit: StaffVisit) -> Batch | None:
    batch_id = visit.number("batch")
    held = await holds.held_in(visit.services, visit.guild.id)
    return next((batch for batch in held if batch.id == batch_id), None)


async def _gone(visit: StaffVisit) -> web.Response:
    """Say that there is no such batch: decided, dissolved, or another server's, which is the same to this one."""
    note = visit.words.say("There is no such held batch here: it was decided, or is no longer needed.")
    return await _batches(visit, note=note, status=404)


async def _changed(visit: StaffVisit, batch: Batch) -> web.Response:
    note = visit.words.say("The list has changed since you saw it. This is the present one; nothing was done.")
    return await _batch(visit, batch, note=note, status=409)


# -------------------------------------------------------------------------------------------------------------- pages


async def _batches(visit: StaffVisit, *, note: str = "", status: int = 200) -> web.Response:
    async with visit.store.read() as tx:
        held = await tx.reports.held(visit.guild.id)
    return visit.page("admin/brake.html", status=status, held=held, note=note)


async def _batch(visit: StaffVisit, batch: Batch, *, note: str = "", status: int = 200) -> web.Response:
    pages = max(1, -(-len(batch.removals) // PER_PAGE))
    asked = visit.query("page")
    number = min(int(asked), pages) if asked.isdecimal() and len(asked) < 9 and int(asked) > 0 else 1
    shown = batch.removals[(number - 1) * PER_PAGE : number * PER_PAGE]
    reasons = await holds.reasons(visit.services, batch)
    return visit.page(
        "admin/brake_batch.html",
        status=status,
        batch=batch,
        lines=await _lines(visit, shown),
        page_number=number,
        pages=pages,
        cause=_cause(visit.words, batch.cause, visit.services.policy),
        reasons=_reasons(visit.words, reasons),
        note=note,
    )


async def _lines(visit: StaffVisit, removals: Sequence[HeldRemoval]) -> list[HeldLine]:
    known = visit.services.discord.roles(visit.guild.id)
    async with visit.store.read() as tx:
        names = await names_of(tx, visit.guild.id, [removal.key.user_id for removal in removals])
    return [
        HeldLine(
            user_id=removal.key.user_id,
            name=name_of(names, removal.key.user_id),
            role="" if removal.role_id is None else _role_name(known, removal.role_id),
        )
        for removal in removals
    ]


def _role_name(known: Mapping[RoleId, GuildRole], role_id: RoleId) -> str:
    return known[role_id].name if role_id in known else str(role_id)


def _cause(words: Words, cause: str, policy: Policy) -> str:
    match cause:
        case "too_many_removals":
            return words.say(
                "More removals in 24 hours than go through unasked ({most}, or {percent} % of the paying members).",
                most=policy.brake_removals,
                percent=policy.brake_removal_percent,
            )
        case "too_many_kicks":
            return words.say(
                "More kicks in 24 hours than go through unasked ({most}, or {percent} % of the paying members).",
                most=policy.brake_kicks,
                percent=policy.brake_kick_percent,
            )
        case _:
            return words.say(
                "No purchase ended: a plan was changed, or what it maps is gone. Such removals always wait."
            )


def _reasons(words: Words, reasons: Mapping[Reason, int]) -> list[tuple[int, str]]:
    return [
        (number, reason_text(words, reason)) for reason, number in sorted(reasons.items(), key=lambda each: -each[1])
    ]
