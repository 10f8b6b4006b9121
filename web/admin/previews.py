"""What a plan's new form does to people, person by person, and the button that does exactly this."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from locales.catalogue import Words
from membership import csv_text, plan_checks, preview
from membership.errors import Gone, Retry, UserError
from membership.model import GuildId, Lane, MemberKey, Plan, RoleId, UserId
from membership.plan_effects import Effect, Fate
from membership.ports import GuildRole
from membership.preview import Differs, Shown
from web import downloads
from web.admin import plan_meaning, plans
from web.admin.effect_words import FATES, why_text
from web.admin.role_words import name_of
from web.site import Site
from web.visits import StaffVisit

PER_PAGE = 50
REFRESH_SECONDS = 2
NAMES_SECONDS = 3.0
MOST_DIFFERENT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One person of a preview, in words. `now` and `after` name roles, "" for none of those that it is about."""

    user_id: UserId
    name: str
    now: str
    after: str
    why: str
    is_kicked: bool


def install(site: Site) -> None:
    """Register the pages."""
    site.manager.get("/admin/{guild}/preview/{preview}", show)
    site.manager.get("/admin/{guild}/preview/{preview}/people.csv", download)
    site.manager.post("/admin/{guild}/preview/{preview}", apply)


async def show(visit: StaffVisit) -> web.Response:
    """Show a preview, one kind of effect at a time."""
    if await plans.is_counting(visit, visit.path("preview")):
        return visit.page("admin/preview_counting.html", refresh_seconds=REFRESH_SECONDS)
    found = await _shown(visit)
    return _gone(visit) if found is None else await _page(visit, found)


async def download(visit: StaffVisit) -> web.Response:
    """Send everybody whom a preview touches, for a spreadsheet."""
    shown = await _shown(visit)
    if shown is None:
        return _gone(visit)
    roles = visit.services.discord.roles(visit.guild.id)
    content = await asyncio.to_thread(_csv, shown, roles, visit.words)
    return downloads.whole(content, f"preview-{shown.id}.csv")


async def apply(visit: StaffVisit) -> web.Response:
    """Do exactly what was shown. The roles are judged again: they, or who presses, may be others than before."""
    shown = await _shown(visit)
    if shown is None:
        return _gone(visit)
    errors = await plans.flaws(visit, shown.plan, shown.before)
    results = await plan_checks.check_plan(visit.services, shown.plan, shown.before)
    if plan_checks.warnings(results) and not (await visit.form()).is_on("confirm"):
        errors.setdefault("confirm", visit.words.say("Say first that you mean it."))
    if errors:
        return await _page(visit, shown, errors=errors)
    done = await preview.apply(visit.services, visit.actor, shown.id)
    if isinstance(done, Differs):
        return await _page(visit, done.shown, differs=done)
    touched = done.tally.touched
    said = visit.words.count(
        "{plan} is saved. {number} member is being changed now.",
        "{plan} is saved. {number} members are being changed now.",
        touched,
        plan=done.plan.name,
    )
    place = visit.here(f"/plans/{done.plan.id}?changed={done.change_id}")
    return await visit.go(place, say=said if touched else visit.words.say("{plan} is saved.", plan=done.plan.name))


# ---------------------------------------------------------------------------------------------------------- the page


async def _page(
    visit: StaffVisit, shown: Shown, *, errors: Mapping[str, str] | None = None, differs: Differs | None = None
) -> web.Response:
    tally, fate = shown.tally, _fate(visit, shown)
    number = visit.query("page")
    pages = max(1, -(-tally.number(fate) // PER_PAGE))
    page = min(int(number), pages) if number.isascii() and number.isdigit() and len(number) < 7 and int(number) else 1
    few = tally.of(fate, (page - 1) * PER_PAGE, PER_PAGE)
    chosen = await plans.choices_of(visit)
    results = await plan_checks.check_plan(visit.services, shown.plan, shown.before)
    return visit.page(
        "admin/preview.html",
        status=422 if errors else 409 if differs else 200,
        errors=errors or {},
        shown=shown,
        fates=[(each, tally.number(each), *FATES[each]) for each in Fate if tally.number(each)],
        fate=fate,
        lines=await _lines(visit, few, shown.plan, chosen.roles),
        page_number=page,
        pages=pages,
        meaning=plan_meaning.sentences(shown.plan, chosen, visit.words, visit.brand.name),
        warnings=plan_checks.warnings(results),
        appeared=[] if differs is None else await _few(visit, differs.appeared, shown.plan, chosen.roles),
        vanished=[] if differs is None else await _few(visit, differs.vanished, shown.plan, chosen.roles),
        differs=differs,
        deed=_deed(shown),
    )


async def _few(
    visit: StaffVisit, effects: Sequence[Effect], plan: Plan, roles: Mapping[RoleId, GuildRole]
) -> Sequence[Line]:
    return await _lines(visit, effects[:MOST_DIFFERENT], plan, roles)


async def _lines(
    visit: StaffVisit, effects: Sequence[Effect], plan: Plan, roles: Mapping[RoleId, GuildRole]
) -> Sequence[Line]:
    names = await names_of(visit, plan.guild_id, [effect.user_id for effect in effects])
    return [_line(effect, names, plan, (roles, visit.words)) for effect in effects]


async def names_of(visit: StaffVisit, guild_id: GuildId, users: Sequence[UserId]) -> Mapping[UserId, str]:
    """Return what people are called in a server, as stored or as Discord says it in time; "" for nobody known."""
    async with visit.store.read() as tx:
        rows = [await tx.members.get(MemberKey(guild_id, user)) for user in users]
    names = {user: row.name for user, row in zip(users, rows, strict=True) if row is not None and row.name}
    unknown = [user for user in users if user not in names]
    if unknown:
        try:
            async with asyncio.timeout(NAMES_SECONDS):
                seen = await visit.services.discord.observe(guild_id, unknown[:100], lane=Lane.PERSON)
        except (Retry, Gone, TimeoutError):
            return names
        names |= {user: found.name for user, found in seen.items() if found is not None and found.name}
    return names


def _line(
    effect: Effect, names: Mapping[UserId, str], plan: Plan, known: tuple[Mapping[RoleId, GuildRole], Words]
) -> Line:
    roles, words = known
    return Line(
        user_id=effect.user_id,
        name=names.get(effect.user_id, ""),
        now=", ".join(name_of(role, roles, words, plan.name) for role in effect.lost),
        after=", ".join(name_of(role, roles, words, plan.name) for role in effect.gained),
        why=why_text(effect.why, words),
        is_kicked=effect.is_kicked,
    )


def _csv(shown: Shown, roles: Mapping[RoleId, GuildRole], words: Words) -> bytes:
    plan = shown.plan
    head = ("discord_user_id", "what", "loses", "gets", "leaves_server", "because")
    lines = ((effect.fate, _line(effect, {}, plan, (roles, words))) for effect in shown.tally.effects())
    rows = (
        (f"{line.user_id}", fate.value, line.now, line.after, "yes" if line.is_kicked else "no", line.why)
        for fate, line in lines
    )
    return csv_text.write([head, *rows])


def _fate(visit: StaffVisit, shown: Shown) -> Fate:
    """Return which kind of effect is shown: the one asked for, else the first that there is, removals before gifts."""
    wanted = visit.query("fate")
    if wanted in set(Fate):
        return Fate(wanted)
    order = (Fate.LOSE, Fate.MOVE, Fate.GET, Fate.BLOCKED)
    return next((fate for fate in order if shown.tally.number(fate)), Fate.GET)


def _deed(shown: Shown) -> str:
    """Name what the button does."""
    plan, before = shown.plan, shown.before
    if before is None:
        return "create"
    if before.is_archived != plan.is_archived:
        return "archive" if plan.is_archived else "restore"
    return "nothing" if plan == before and not shown.tally.touched else "apply"


async def _shown(visit: StaffVisit) -> Shown | None:
    """Return a preview of this server that is still good, None for any other."""
    try:
        return await preview.look(visit.services, visit.actor, visit.path("preview")[:64])
    except UserError:
        return None


def _gone(visit: StaffVisit) -> web.Response:
    """Say that a preview has served its time, or was never there."""
    return visit.page("admin/preview_gone.html", status=404)
