"""Reads what the plan commands show: a server's plans, their health, and the products it may use. Decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from cogs.plan_cards import PlanFacts
from cogs.plan_products import Catalogue, Ware, product_lines, wares
from cogs.requests import Request
from cogs.role_words import role_refusal
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import GrantState, GuildId, Plan, PlanId, PlanProduct, RoleId
from membership.ports import GuildRole
from membership.services import Services


async def offered(services: Services, guild_id: GuildId) -> list[Ware]:
    """Return the products and prices that a server may put into its plans."""
    async with services.store.read() as tx:
        return wares(await _catalogue(tx, guild_id), await tx.plans.all(guild_id))


async def product_names(services: Services, plan: Plan) -> list[str]:
    """Name what unlocks a plan as people know it: "VIP · 9.00 € / month"."""
    async with services.store.read() as tx:
        return product_lines(plan, wares(await _catalogue(tx, plan.guild_id), ()))


async def plan_named(services: Services, guild_id: GuildId, text: str) -> Plan:
    """Return the plan of this server that was picked by id or typed by name. Raises UserError."""
    wanted = text.strip().casefold()
    async with services.store.read() as tx:
        found = await tx.plans.all(guild_id)
    fitting = [plan for plan in found if str(plan.id) == wanted] or [
        plan for plan in found if wanted in (plan.name.casefold(), plan.slug)
    ]
    if not fitting:
        raise UserError("There is no such plan in this server. Pick one from the list, or see /plan list.")
    return fitting[0]


async def labels(request: Request) -> list[tuple[str, str]]:
    """Return the plans on sale as (label, id). Quick: somebody is typing."""
    async with request.services.store.read() as tx:
        found = await tx.plans.all(request.guild_id)
    roles, bot = request.services.discord.roles(request.guild_id), bot_role(request)
    named: list[tuple[str, str]] = []
    for plan in found:
        is_fine = plan.products and not _role_troubles(plan, roles, bot)
        if not plan.is_archived:
            named.append((plan.name if is_fine else f"{plan.name} (needs attention)", str(plan.id)))
    return named


async def all_facts(request: Request) -> list[PlanFacts]:
    """Return every plan of a server with its numbers and its health."""
    services, guild_id = request.services, request.guild_id
    async with services.store.read() as tx:
        plans = await tx.plans.all(guild_id)
        counts = await tx.purchases.grant_counts(guild_id)
        active = await tx.purchases.active_counts(guild_id)
        catalogue = await _catalogue(tx, guild_id)
    ware_list = wares(catalogue, ())
    roles = services.discord.roles(guild_id)
    by_plan, bot = _by_plan(counts), bot_role(request)
    return [
        PlanFacts(
            plan=plan,
            products=tuple(product_lines(plan, ware_list)),
            counts=by_plan[plan.id],
            members=sum(number for (plan_id, _), number in active.items() if plan_id == plan.id),
            troubles=tuple(_role_troubles(plan, roles, bot) + _product_troubles(plan, catalogue)),
            gone=tuple(role_id for role_id in sorted(plan.all_roles) if roles and role_id not in roles),
        )
        for plan in plans
    ]


async def facts_of(request: Request, plan_id: PlanId) -> PlanFacts:
    """Return one plan of a server with its numbers and its health. Raises UserError."""
    for facts in await all_facts(request):
        if facts.plan.id == plan_id:
            return facts
    raise UserError("There is no such plan in this server.")


def bot_role(request: Request) -> str:
    """Return the name of the bot's own highest role, for a fix."""
    guild = request.interaction.guild
    return "Doorlist" if guild is None else guild.me.top_role.name


async def _catalogue(tx: Transaction, guild_id: GuildId) -> Catalogue:
    return [(account, await tx.accounts.prices(account.id)) for account in await tx.guilds.accounts_of(guild_id)]


def _by_plan(counts: Mapping[tuple[PlanId, GrantState], int]) -> Mapping[PlanId, dict[GrantState, int]]:
    by_plan: dict[PlanId, dict[GrantState, int]] = defaultdict(dict)
    for (plan_id, state), number in counts.items():
        by_plan[plan_id][state] = number
    return by_plan


def _role_troubles(plan: Plan, roles: Mapping[RoleId, GuildRole], bot: str) -> list[str]:
    """Say which of a plan's roles cannot be given; nothing while the server's roles are not known."""
    found: list[str] = []
    for role_id in sorted(plan.all_roles) if roles else ():
        known = roles.get(role_id)
        refusal = None if known is None else role_refusal(known, bot)
        if known is None:
            found.append("One of its roles was deleted. Make it again, or choose another one with Edit.")
        elif refusal is not None:
            found.append(f"{refusal.cause} {refusal.fix}")
    return found


def _product_troubles(plan: Plan, catalogue: Catalogue) -> list[str]:
    """Say what keeps a plan from being bought; an archived one has nothing to sell."""
    if plan.is_archived:
        return []
    if not plan.products:
        return ["Nothing unlocks it yet. Choose a product with Edit."]
    gone = [product for product in plan.products if not _is_sold(product, catalogue)]
    if not gone:
        return []
    number = "One of its products is" if len(gone) == 1 else f"{len(gone)} of its products are"
    return [f"{number} no longer for sale at the payment provider. Who has it keeps it."]


def _is_sold(product: PlanProduct, catalogue: Catalogue) -> bool:
    prices: Sequence[tuple[str, str]] = [
        (price.product_id, price.external_id)
        for account, listed in catalogue
        if account.id == product.account_id
        for price in listed
        if price.is_active
    ]
    return any(each == product.product_id and product.price_id in (None, price) for each, price in prices)
