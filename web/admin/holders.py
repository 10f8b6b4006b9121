"""Who has a role that is sold without having bought it, and the decision about exactly these people."""

from __future__ import annotations

from aiohttp import web

from membership import adoption
from membership.adoption import MOST_HOLDERS, NOTICE_DAYS, NOTICED_AT_MOST, Holders, Wish
from membership.desk import AdoptionPolicy
from membership.errors import Blocked, Gone, Retry, UserError
from membership.model import RoleId
from membership.ports import GuildRole
from web.admin.previews import names_of
from web.site import Site
from web.visits import StaffVisit

MOST_NAMED = 50


def install(site: Site) -> None:
    """Register the pages."""
    site.manager.get("/admin/{guild}/holders/{role}", show)
    site.manager.post("/admin/{guild}/holders/{role}", decide)


async def show(visit: StaffVisit) -> web.Response:
    """Show who has the role without a purchase, and what can become of them."""
    role = await _role(visit)
    async with visit.store.read() as tx:
        decided = await tx.adoptions.get(visit.guild.id, role.role_id)
    holders = await _holders(visit, role)
    named = () if holders is None else holders.user_ids[:MOST_NAMED]
    names = await names_of(visit, visit.guild.id, named)
    return visit.page(
        "admin/holders.html",
        role=role,
        holders=holders,
        most=MOST_HOLDERS,
        people=[(user, names.get(user) or str(user)) for user in named],
        decided=decided,
        notice_days=NOTICE_DAYS,
        noticed=NOTICED_AT_MOST,
        change_id=visit.query("changed") if visit.query("changed").isdecimal() else "",
    )


async def decide(visit: StaffVisit) -> web.Response:
    """Decide about exactly the people who were shown."""
    role, form = await _role(visit), await visit.form()
    policy = form.text("policy")
    if policy not in set(AdoptionPolicy):
        raise UserError(visit.words.say("Choose one of the three."))
    wish = Wish(role_id=role.role_id, policy=AdoptionPolicy(policy), set_hash=form.text("set_hash"))
    done = await adoption.adopt(visit.services, visit.actor, wish)
    said = visit.words.count("Decided for {number} person.", "Decided for {number} people.", done.people)
    back = visit.here(f"/holders/{role.role_id}?changed={done.change_id}")
    return await visit.go(back, say=said if done.people else visit.words.say("Decided."))


async def _role(visit: StaffVisit) -> GuildRole:
    """Return a role of this server that one of its plans gives. Raises Gone for any other."""
    role_id = RoleId(visit.number("role"))
    async with visit.store.read() as tx:
        is_sold = any(role_id in plan.all_roles for plan in await tx.plans.all(visit.guild.id))
    role = visit.services.discord.roles(visit.guild.id).get(role_id)
    if role is None or not is_sold:
        raise Gone("role")
    return role


async def _holders(visit: StaffVisit, role: GuildRole) -> Holders | None:
    """Return who has it, None when Discord does not say: it shows the list only with the members intent."""
    try:
        return await adoption.holders_without_purchase(visit.services, visit.guild.id, role.role_id)
    except (Blocked, Retry):
        return None
