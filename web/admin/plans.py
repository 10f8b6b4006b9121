"""A server's plans: the list with its health, the form, archiving and restoring. Every change goes on to a preview."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from membership import plan_checks, plan_looks, preview, wares
from membership.checks import Result
from membership.model import Plan, PlanId, RoleId
from membership.plan_effects import NEW_PLAN, NEW_ROLE, Tally
from membership.plan_looks import PlanLook
from web.admin import plan_form, plan_meaning, role_words
from web.admin.plan_form import ENDS, LATE, Choices, Typed
from web.beside import Beside
from web.site import Site
from web.visits import StaffVisit

_FIELDS: Mapping[str, str] = {"D08": "roles", "D09": "on_end", "D11": "roles", "P08": "products"}
"""The field of the form that a failed check is about."""


COUNTING: web.AppKey[Beside[bool]] = web.AppKey("previews that are counted", Beside)
LOOK_SECONDS = 2.0
"""How long a look from the form may count; a preview counts to the end."""


def install(site: Site) -> None:
    """Register the pages."""
    counting = site.app[COUNTING] = Beside()
    site.app.on_cleanup.append(counting.close)
    site.manager.get("/admin/{guild}/plans", show_list)
    site.manager.get("/admin/{guild}/plans/new", show_new)
    site.manager.post("/admin/{guild}/plans/new", send_new)
    site.manager.get("/admin/{guild}/plans/{plan}", show_form)
    site.manager.post("/admin/{guild}/plans/{plan}", send_form)
    site.manager.get("/admin/{guild}/plans/{plan}/archive", ask_archive)
    site.manager.post("/admin/{guild}/plans/{plan}/archive", archive)
    site.manager.post("/admin/{guild}/plans/{plan}/restore", restore)


async def show_list(visit: StaffVisit) -> web.Response:
    """Show all plans."""
    looks = await plan_looks.every_plan(visit.services, visit.guild.id)
    chosen = await choices_of(visit)
    return visit.page(
        "admin/plans.html",
        plans=[
            (look, plan_meaning.product_names(look.plan, chosen), role_names(visit, look.plan, chosen))
            for look in looks
        ],
    )


async def show_new(visit: StaffVisit) -> web.Response:
    """Show the form of a new plan, which makes a role of its own unless others are chosen."""
    return await _page(visit, plan_form.typed_of(replace(blank(visit), roles=(NEW_ROLE,))), None)


async def show_form(visit: StaffVisit) -> web.Response:
    """Show a plan in its form."""
    look = await _look(visit)
    return await _page(visit, plan_form.typed_of(look.plan), look)


async def send_new(visit: StaffVisit) -> web.Response:
    """Take the form of a new plan."""
    return await _take(visit, None)


async def send_form(visit: StaffVisit) -> web.Response:
    """Take the form of a plan that is there."""
    return await _take(visit, await _look(visit))


async def ask_archive(visit: StaffVisit) -> web.Response:
    """Ask what becomes of the present members of a plan that is archived."""
    return visit.page("admin/plan_archive.html", look=await _look(visit))


async def archive(visit: StaffVisit) -> web.Response:
    """Preview an archive; where everybody's access ends with it, what unlocks the plan is taken out of it."""
    plan = (await _look(visit)).plan
    ends = (await visit.form()).is_on("ends")
    return await to_preview(visit, replace(plan, is_archived=True, products=() if ends else plan.products))


async def restore(visit: StaffVisit) -> web.Response:
    """Preview an archived plan on sale again."""
    look = await _look(visit)
    plan = replace(look.plan, is_archived=False)
    errors = await flaws(visit, plan, look.plan)
    if errors:
        return await _page(visit, plan_form.typed_of(look.plan), look, errors)
    return await to_preview(visit, plan)


def blank(visit: StaffVisit, name: str = "") -> Plan:
    """Return a new plan with the usual rules, before anything is chosen."""
    return Plan(id=NEW_PLAN, guild_id=visit.guild.id, name=name, slug="")


async def choices_of(visit: StaffVisit) -> Choices:
    """Return what can be chosen in the server."""
    async with visit.store.read() as tx:
        offers = await wares.offered(tx, visit.guild.id)
    return Choices(offers=offers, roles=visit.services.discord.roles(visit.guild.id))


def role_names(visit: StaffVisit, plan: Plan, chosen: Choices) -> list[str]:
    """Name the roles of a plan."""
    return [role_words.name_of(role, chosen.roles, visit.words, plan.name) for role in plan.roles]


async def flaws(visit: StaffVisit, plan: Plan, before: Plan | None) -> dict[str, str]:
    """Say why a plan cannot be saved by who visits, by the field of the form that it is about."""
    failed = plan_checks.failures(await plan_checks.check_plan(visit.services, plan, before, actor=visit.actor))
    return {_FIELDS.get(result.id, "roles"): _said(result) for result in reversed(failed)}


async def to_preview(visit: StaffVisit, plan: Plan) -> web.Response:
    """Begin to count what a plan would do, and lead to the page that shows it once it is counted."""
    services, name = visit.services, preview.new_name(visit.services)

    async def count_and_keep() -> bool:
        tally = await _counted(visit, plan)
        await preview.keep(services, visit.actor, plan, tally, name=name)
        return True

    counting, key = visit.request.app[COUNTING], (visit.guild.id, name)
    counting.begin(key, count_and_keep, services.clock.now())
    await counting.result(key)
    return await visit.go(visit.here(f"/preview/{name}"))


async def is_counting(visit: StaffVisit, name: str) -> bool:
    """Say whether a preview of this server is still counted, after a moment. Raises what its count raised."""
    counting, key = visit.request.app[COUNTING], (visit.guild.id, name)
    return counting.knows(key) and await counting.result(key) is None


# ---------------------------------------------------------------------------------------------------------- the form


async def _take(visit: StaffVisit, look: PlanLook | None) -> web.Response:
    """Go on to the preview of what was typed, or show the form again with what is wrong, or with what it means."""
    form, chosen = await visit.form(), await choices_of(visit)
    typed = plan_form.typed_in(form)
    before = None if look is None else look.plan
    plan, errors = plan_form.read(typed, before or blank(visit), chosen, visit.words)
    if plan.slug and "slug" not in errors and await _is_taken(visit, plan):
        errors["slug"] = visit.words.say("Another plan has this address already.")
    errors = {**await flaws(visit, plan, before), **errors}
    if errors:
        return await _page(visit, typed, look, errors)
    if form.is_on("look"):
        return await _page(visit, typed, look, tally=await _counted_soon(visit, plan))
    return await to_preview(visit, plan)


async def _page(
    visit: StaffVisit,
    typed: Typed,
    look: PlanLook | None,
    errors: Mapping[str, str] | None = None,
    *,
    tally: Tally | None = None,
) -> web.Response:
    chosen, before = await choices_of(visit), None if look is None else look.plan
    plan, _ = plan_form.read(typed, before or blank(visit), chosen, visit.words)
    had = frozenset() if before is None else before.all_roles
    every = role_words.options(chosen.roles, {*had, *plan.roles} - {NEW_ROLE}, visit.words)
    return visit.page(
        "admin/plan_form.html",
        status=422 if errors else 200,
        errors=errors or {},
        typed=typed,
        look=look,
        offers=[(ware, sold) for ware in chosen.offers if (sold := ware.choices(plan.products))],
        lost=wares.lost(plan, chosen.offers),
        key_of=wares.key_of,
        roles=[*every, (str(NEW_ROLE), visit.words.say("+ make a new role, named like the plan"), "")],
        role_options=every,
        ends=ENDS,
        late=LATE,
        meaning=plan_meaning.sentences(plan, chosen, visit.words, visit.brand.name),
        tally=tally,
        sold_roles=[] if before is None else _sold_roles(visit, before, chosen),
        change_id=visit.query("changed") if visit.query("changed").isdecimal() else "",
    )


def _sold_roles(visit: StaffVisit, plan: Plan, chosen: Choices) -> list[tuple[RoleId, str]]:
    """Return a plan's roles that are there, for the question who had them before."""
    there = [role for role in plan.roles if role in chosen.roles]
    return [(role, role_words.name_of(role, chosen.roles, visit.words)) for role in there]


async def _counted_soon(visit: StaffVisit, plan: Plan) -> Tally:
    """Count what a plan would do; as far as that came where it takes too long to wait for."""
    started, tally = time.monotonic(), Tally()
    async for tally in preview.count(visit.services, plan):
        if tally.done < tally.total and time.monotonic() - started > LOOK_SECONDS:
            break
    return tally


async def _counted(visit: StaffVisit, plan: Plan) -> Tally:
    return [tally async for tally in preview.count(visit.services, plan)][-1]


async def _is_taken(visit: StaffVisit, plan: Plan) -> bool:
    async with visit.store.read() as tx:
        other = await tx.plans.by_slug(plan.slug)
    return other is not None and other.id != plan.id


async def _look(visit: StaffVisit) -> PlanLook:
    return await plan_looks.one_plan(visit.services, visit.guild.id, PlanId(visit.number("plan")))


def _said(result: Result) -> str:
    return f"{result.what}: {result.cause} {result.fix}".strip()
