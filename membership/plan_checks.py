"""Whether a plan can work, asked before it is saved in Discord and on the web: roles, products, permissions.

A failure means that the plan would not do what it says; a warning asks for a confirmation. What is skipped is unknown:
a server that Discord does not show at the moment is no reason to refuse a plan.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from membership.actors import Actor
from membership.checks import Area, Category, Check, Finding, Outcome, Result, Skip, run_checks
from membership.errors import UserError
from membership.model import AccountId, OnEnd, Plan, RoleId
from membership.plan_effects import NEW_ROLE
from membership.ports import GuildRole, Price
from membership.records import Account
from membership.services import Services

KICK, KICK_MEMBERS = "kick_members", "Kick Members"
_BY_KIND: Mapping[str, str] = {
    "everyone": "everybody has it",
    "booster": "only Discord gives it, to boosters",
    "linked": "members give it to themselves by linking an account",
    "for_sale": "Discord itself sells it",
    "managed": "it belongs to another bot or service",
    "self_selectable": "everybody can choose it in the onboarding",
    "no_permission": "I am missing Manage Roles",
    "above_bot": "it is above my own role",
}
_FIXES: Mapping[str, str] = {
    "no_permission": "Invite me again with Manage Roles, or tick it for my role.",
    "above_bot": "Server Settings → Roles → drag my role above it, then Save Changes.",
}

Rule = Callable[[Services, Plan], Awaitable[Sequence[Finding]]]


async def check_plan(
    services: Services, plan: Plan, before: Plan | None = None, *, actor: Actor | None = None
) -> Sequence[Result]:
    """Look at a plan as it would be saved. The results carry the ids that the doctor has for the same things.

    With the plan as it was `before`, only what is new in it is judged: what it had may stay, in whatever state. `actor`
    is who saves it, who may choose no role above their own; None: nobody does, it is only looked at.
    """
    plan = _news(plan, before)
    rules: Sequence[tuple[str, str, Rule]] = (
        ("D08", "The bot's role is above every role of the plan", _order),
        ("D09", "The bot has the permissions that the plan needs", _permissions),
        ("D11", "Every role of the plan can be given", partial(_roles, actor)),
        ("D12", "The plan gives no staff power", _dangers),
        ("P06", "Everything that unlocks the plan is sold", _products),
        ("P08", "Every product is of an account that this server may use", _accounts),
    )
    checks = [
        Check(id=number, area=Area.PLAN, title=title, categories=(Category.SAVE,), run=partial(rule, services, plan))
        for number, title, rule in rules
    ]
    return await run_checks(checks, reference=lambda: services.randomness.token()[:4])


def failures(results: Sequence[Result]) -> list[Result]:
    """Return why a plan cannot be saved, what a person can put right first."""
    return [result for result in results if result.outcome is Outcome.FAIL]


def warnings(results: Sequence[Result]) -> list[Result]:
    """Return what a person has to confirm."""
    return [result for result in results if result.outcome is Outcome.WARN]


def refuse_power(services: Services, actor: Actor, plan: Plan) -> None:
    """Refuse to let staff give power over others who could not give that role in Discord either. Raises UserError."""
    for role in _present(plan, services.discord.roles(plan.guild_id)):
        if role.dangers and not actor.is_above(role.position):
            raise UserError(
                f"{plan.name} gives @{role.name}, which carries {', '.join(role.dangers)} and is above your own "
                "highest role, so it is not yours to give. Ask somebody above it."
            )


def judge_roles(plan: Plan, roles: Mapping[RoleId, GuildRole]) -> list[Finding]:
    """Look for roles that do not exist, or that nobody but Discord can give."""
    findings = [
        _fail("A role", "It was deleted.", "Choose another, or leave it out and I make one.")
        for role_id in sorted(plan.all_roles - roles.keys())
    ]
    for role in _present(plan, roles):
        if role.refusal and role.refusal not in _FIXES:
            why = _BY_KIND.get(role.refusal, "Discord does not let me give it")
            findings.append(_fail(f"@{role.name}", f"It cannot be sold: {why}.", "Choose another role."))
    return findings


def judge_rank(plan: Plan, roles: Mapping[RoleId, GuildRole], actor: Actor) -> list[Finding]:
    """Look for roles above the person who maps them, which Discord would not let them give either (DESIGN 7)."""
    return [
        _fail(
            f"@{role.name}",
            "It is above your own highest role, so it is not yours to give.",
            "Ask somebody above it, such as the server's owner, to choose it.",
        )
        for role in _present(plan, roles)
        if not actor.is_above(role.position)
    ]


def judge_order(plan: Plan, roles: Mapping[RoleId, GuildRole]) -> list[Finding]:
    """Look for roles that we may not give yet, but could if somebody put it right."""
    return [
        _fail(f"@{role.name}", f"I cannot give it: {_BY_KIND[role.refusal]}.", _FIXES[role.refusal])
        for role in _present(plan, roles)
        if role.refusal in _FIXES
    ]


def judge_dangers(plan: Plan, roles: Mapping[RoleId, GuildRole]) -> list[Finding]:
    """Look for roles with which a buyer becomes staff."""
    return [
        Finding(
            outcome=Outcome.WARN,
            what=f"@{role.name}",
            cause=f"It has {', '.join(role.dangers)}: whoever buys the plan gets that power.",
            fix="Take it off the role, or confirm that you mean it.",
        )
        for role in _present(plan, roles)
        if role.dangers
    ]


def judge_permissions(plan: Plan, permissions: frozenset[str]) -> list[Finding]:
    """Look whether a plan that kicks may kick."""
    if OnEnd.KICK not in (plan.on_end, plan.on_refund) or KICK in permissions:
        return []
    cause = "The plan kicks when it ends, and I am missing Kick Members."
    return [_fail(KICK_MEMBERS, cause, "Invite me again with Kick Members, or let the plan remove its roles.")]


def judge_accounts(plan: Plan, usable: Sequence[Account]) -> list[Finding]:
    """Look for products of accounts that are none of this server's business."""
    ids = {account.id for account in usable}
    foreign = sorted({product.product_id for product in plan.products if product.account_id not in ids})
    if not foreign:
        return []
    cause = f"{', '.join(foreign)} belongs to an account that this server may not use."
    return [_fail("Products", cause, "Choose a product from the list, or ask the operator.")]


def judge_products(plan: Plan, catalogue: Mapping[AccountId, Sequence[Price]]) -> list[Finding]:
    """Look for products that their account does not sell."""
    sold = {
        (account_id, known)
        for account_id, prices in catalogue.items()
        for price in prices
        for known in (price.product_id, price.external_id)
        if price.is_active
    }
    missing = sorted(
        {
            product.price_id or product.product_id
            for product in plan.products
            if (product.account_id, product.price_id or product.product_id) not in sold
        }
    )
    if not missing:
        return []
    cause = f"{', '.join(missing)} is not sold at the moment, so nobody can buy the plan with it."
    finding = Finding(outcome=Outcome.WARN, what="Products", cause=cause, fix="Activate it at the seller, or confirm.")
    return [finding]


def _news(plan: Plan, before: Plan | None) -> Plan:
    """Return a plan with only those of its parts that it did not have, all of them when it comes back on sale."""
    roles = plan.all_roles - {NEW_ROLE}
    if before is not None and not (before.is_archived and not plan.is_archived):
        roles -= before.all_roles
        had_kicks = OnEnd.KICK in (before.on_end, before.on_refund)
        plan = replace(
            plan,
            products=tuple(product for product in plan.products if product not in before.products),
            on_end=OnEnd.NOTHING if had_kicks else plan.on_end,
            on_refund=None if had_kicks else plan.on_refund,
        )
    return replace(plan, roles=tuple(sorted(roles)), past_due_role_id=None, trial_role_id=None)


async def _order(services: Services, plan: Plan) -> Sequence[Finding]:
    return judge_order(plan, _roles_of(services, plan))


async def _roles(actor: Actor | None, services: Services, plan: Plan) -> Sequence[Finding]:
    roles = _roles_of(services, plan)
    return [*judge_roles(plan, roles), *([] if actor is None else judge_rank(plan, roles, actor))]


async def _dangers(services: Services, plan: Plan) -> Sequence[Finding]:
    return judge_dangers(plan, _roles_of(services, plan))


async def _permissions(services: Services, plan: Plan) -> Sequence[Finding]:
    _roles_of(services, plan)
    return judge_permissions(plan, services.discord.permissions(plan.guild_id))


async def _accounts(services: Services, plan: Plan) -> Sequence[Finding]:
    async with services.store.read() as tx:
        return judge_accounts(plan, await tx.guilds.accounts_of(plan.guild_id))


async def _products(services: Services, plan: Plan) -> Sequence[Finding]:
    accounts = {product.account_id for product in plan.products}
    async with services.store.read() as tx:
        return judge_products(plan, {account: await tx.accounts.prices(account) for account in accounts})


def _roles_of(services: Services, plan: Plan) -> Mapping[RoleId, GuildRole]:
    """Return the server's roles. Raises Skip while Discord shows none: that deletes none."""
    roles = services.discord.roles(plan.guild_id)
    if not roles:
        raise Skip("the server is not available now")
    return roles


def _present(plan: Plan, roles: Mapping[RoleId, GuildRole]) -> list[GuildRole]:
    return [roles[role_id] for role_id in sorted(plan.all_roles & roles.keys())]


def _fail(what: str, cause: str, fix: str) -> Finding:
    return Finding(outcome=Outcome.FAIL, what=what, cause=cause, fix=fix)
