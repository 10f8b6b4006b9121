"""Carry the plans of a server to another one of the same person: choose roles there, look, and do exactly that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from membership import server_moves
from membership.actors import Actor
from membership.errors import Gone, Retry, UserError
from membership.model import GuildId, Plan, PlanId, RoleId
from membership.move_previews import Carried, MoveShown, Route
from membership.plan_effects import NEW_ROLE, Effect, Fate
from membership.records import Guild
from membership.server_moves import MoveDiffers
from web.admin import role_words
from web.admin.effect_words import FATES, why_text
from web.admin.previews import names_of
from web.numbers import number_in
from web.site import RIGHTS, Site
from web.visits import Form, StaffVisit

MOST_SERVERS = 50
MOST_NAMED = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One plan of a preview: its roles there, and the first people of each kind of effect with why."""

    carried: Carried
    roles: Sequence[str]
    people: Sequence[tuple[Fate, int, Sequence[tuple[str, str]]]]


def install(site: Site) -> None:
    """Register the pages."""
    site.manager.get("/admin/{guild}/move", show)
    site.manager.post("/admin/{guild}/move", send)
    site.manager.get("/admin/{guild}/move/{preview}", show_preview)
    site.manager.post("/admin/{guild}/move/{preview}", apply)


async def show(visit: StaffVisit) -> web.Response:
    """Ask for the other server first, then for plans and roles."""
    wanted = number_in(visit.query("target"))
    if wanted is None:
        return visit.page("admin/move_server.html", servers=await _others(visit))
    return await _page(visit, await _target(visit, GuildId(wanted)))


async def send(visit: StaffVisit) -> web.Response:
    """Count what the chosen plans would do there, and show it."""
    form = await visit.form()
    target = await _target(visit, GuildId(number_in(form.text("target")) or 0))
    try:
        shown = await server_moves.show(visit.services, visit.actor, target, _route(form))
    except UserError as error:
        return await _page(visit, target, form=form, errors={"plans": visit.why(error)})
    return await visit.go(visit.here(f"/move/{shown.id}"))


async def show_preview(visit: StaffVisit) -> web.Response:
    """Show who would get what in the other server."""
    shown = await _look(visit)
    if shown is None:
        return visit.page("admin/preview_gone.html", status=404)
    return await _preview(visit, shown, await _target(visit, shown.target_id))


async def apply(visit: StaffVisit) -> web.Response:
    """Do exactly what was shown."""
    shown = await _look(visit)
    if shown is None:
        return visit.page("admin/preview_gone.html", status=404)
    target = await _target(visit, shown.target_id)
    done = await server_moves.apply(visit.services, visit.actor, target, shown.id)
    if isinstance(done, MoveDiffers):
        return await _preview(visit, done.shown, target, differs=done)
    said = visit.words.count(
        "{number} plan was carried over. Nobody in the old server was touched.",
        "{number} plans were carried over. Nobody in the old server was touched.",
        len(done.plans),
    )
    return await visit.go(f"/admin/{target.guild_id}/plans", say=said)


# --------------------------------------------------------------------------------------------------------- the pages


async def _page(
    visit: StaffVisit, target: Actor, *, form: Form | None = None, errors: Mapping[str, str] | None = None
) -> web.Response:
    services = visit.services
    async with visit.store.read() as tx:
        plans = [plan for plan in await tx.plans.all(visit.guild.id) if not plan.is_archived]
    roles = services.discord.roles(target.guild_id)
    make = (str(NEW_ROLE), visit.words.say("+ make this role"), "")
    leave = ("", visit.words.say("leave it out"), "")
    matches = server_moves.matches(services, plans, target.guild_id)
    return visit.page(
        "admin/move_plans.html",
        status=422 if errors else 200,
        errors=errors or {},
        target_id=target.guild_id,
        target_name=_name(visit, target.guild_id),
        plans=[(plan, _role_names(visit, plan)) for plan in plans],
        chosen=[str(plan.id) for plan in plans] if form is None else form.texts("plans"),
        matches=[
            (match, str(match.target or NEW_ROLE) if form is None else form.text(f"role_{match.role_id}"))
            for match in matches
        ],
        roles=[make, leave, *role_words.options(roles, (), visit.words)],
        archives=form is not None and form.is_on("archives"),
    )


async def _preview(
    visit: StaffVisit, shown: MoveShown, target: Actor, *, differs: MoveDiffers | None = None
) -> web.Response:
    return visit.page(
        "admin/move_preview.html",
        status=409 if differs else 200,
        shown=shown,
        differs=differs,
        fates=FATES,
        target_name=_name(visit, target.guild_id),
        plans=[await _shown(visit, each, shown) for each in shown.carried],
    )


async def _shown(visit: StaffVisit, carried: Carried, shown: MoveShown) -> Shown:
    people = []
    for fate in Fate:
        effects = carried.tally.of(fate, 0, MOST_NAMED)
        if effects:
            people.append((fate, carried.tally.number(fate), await _people(visit, shown.target_id, effects)))
    return Shown(carried=carried, roles=_roles_there(visit, carried, shown), people=people)


async def _people(visit: StaffVisit, guild_id: GuildId, effects: Sequence[Effect]) -> Sequence[tuple[str, str]]:
    names = await names_of(visit, guild_id, [effect.user_id for effect in effects])
    return [(names.get(effect.user_id) or str(effect.user_id), why_text(effect.why, visit.words)) for effect in effects]


def _roles_there(visit: StaffVisit, carried: Carried, shown: MoveShown) -> list[str]:
    """Name the roles of a carried plan, those with the name they will have that are made with it."""
    there = visit.services.discord.roles(shown.target_id)
    found: list[str] = []
    for role in carried.source.roles:
        goal = shown.route.roles.get(role)
        if goal is not None:
            found.append(role_words.name_of(goal, there, visit.words, shown.names.get(role, "")))
    return found


def _role_names(visit: StaffVisit, plan: Plan) -> list[str]:
    here = visit.services.discord.roles(visit.guild.id)
    return [role_words.name_of(role, here, visit.words, plan.name) for role in plan.roles]


def _name(visit: StaffVisit, guild_id: GuildId) -> str:
    return visit.services.discord.guild_name(guild_id) or str(guild_id)


def _route(form: Form) -> Route:
    roles: dict[RoleId, RoleId] = {}
    for field in form.fields:
        role, value = number_in(field.removeprefix("role_")), number_in(form.text(field))
        if field.startswith("role_") and role is not None and value is not None:
            roles[RoleId(role)] = RoleId(value)
    plans = dict.fromkeys(PlanId(plan) for text in form.texts("plans") if (plan := number_in(text)) is not None)
    return Route(plan_ids=tuple(plans), roles=roles, archives=form.is_on("archives"))


async def _others(visit: StaffVisit) -> list[Guild]:
    """Return the other connected servers that the same person manages."""
    async with visit.store.read() as tx:
        guilds = [guild for guild in await tx.guilds.all() if guild.is_active and guild.id != visit.guild.id]
    found: list[Guild] = []
    for guild in guilds[:MOST_SERVERS]:
        try:
            actor = await visit.request.app[RIGHTS].actor(visit.sign_in, guild.id)
        except (Retry, Gone):
            continue
        if actor is not None and actor.can_manage:
            found.append(guild)
    return found


async def _target(visit: StaffVisit, guild_id: GuildId) -> Actor:
    """Return the same person in the other server. Raises Gone where they do not manage it."""
    async with visit.store.read() as tx:
        guild = await tx.guilds.get(guild_id)
    if guild is None or guild_id == visit.guild.id:
        raise Gone("page")
    actor = await visit.request.app[RIGHTS].actor(visit.sign_in, guild_id)
    if actor is None or not actor.can_manage:
        raise Gone("page")
    return actor


async def _look(visit: StaffVisit) -> MoveShown | None:
    try:
        return await server_moves.look(visit.services, visit.actor, visit.path("preview")[:64])
    except UserError:
        return None
