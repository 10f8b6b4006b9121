"""The forms that make and change a plan, and what was filled into them. Pure; products are picked in plan_products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cogs.cards import Field, Form, Option, Shape
from cogs.plan_products import Ware, find, options
from cogs.plan_words import ENDS
from membership.errors import UserError
from membership.model import GuildId, OnEnd, Plan, PlanProduct, RoleId
from membership.plan_effects import NEW_PLAN, NEW_ROLE
from membership.plans import LONGEST_NAME

MOST_ROLES = 10
_NAME, _ROLES, _PRODUCTS, _END, _GRACE = "name", "roles", "products", "end", "grace"


def form(plan: Plan, offered: Sequence[Ware]) -> Form:
    """Return the form for a plan, filled in as it is; a plan with id 0 is a new one."""
    is_new = plan.id == NEW_PLAN
    listed = options(offered, plan.products)
    products = Field(
        name=_PRODUCTS,
        label="Product",
        about="What members buy. Leave empty to choose later.",
        shape=Shape.OPTIONS,
        options=listed,
        most=len(listed),
        is_needed=False,
    )
    fields = (
        Field(name=_NAME, label="Name", about="Members see it.", value=plan.name, longest=LONGEST_NAME),
        Field(
            name=_ROLES,
            label="Roles",
            about="Leave empty: I make one, named like the plan." if is_new else "Members of the plan have these.",
            shape=Shape.ROLES,
            most=MOST_ROLES,
            is_needed=False,
            chosen=tuple(role for role in plan.roles if role != NEW_ROLE),
        ),
        *((products,) if listed else ()),
        Field(
            name=_END,
            label="When it ends",
            shape=Shape.RADIO,
            options=tuple(
                Option(label=words.capitalize(), value=rule.value, about=_ABOUT[rule], is_chosen=rule is plan.on_end)
                for rule, words in ENDS.items()
            ),
        ),
        Field(
            name=_GRACE,
            label="Grace days",
            about="How long a failed payment changes nothing.",
            value=str(plan.grace_days),
            longest=3,
        ),
    )
    title = "New plan" if is_new else f"Edit {plan.name}"
    return Form(title=title, action="plan-form", args=(plan.id,), fields=fields)


def blank(guild_id: GuildId, name: str = "") -> Plan:
    """Return a new plan with the usual rules, before anything is chosen."""
    return Plan(id=NEW_PLAN, guild_id=guild_id, name=name, slug="")


def filled(plan: Plan, fields: Mapping[str, tuple[str, ...]], offered: Sequence[Ware]) -> Plan:
    """Return the plan as the form says. A new plan without a role gets one of its own. Raises UserError."""
    roles = tuple(RoleId(_number(role, "role")) for role in fields.get(_ROLES, ()))
    is_new = plan.id == NEW_PLAN
    return replace(
        plan,
        name=" ".join(_only(fields, _NAME).split()),
        roles=roles or ((NEW_ROLE,) if is_new else ()),
        products=tuple(_product(plan, key, offered) for key in fields.get(_PRODUCTS, ())),
        on_end=_rule(_only(fields, _END) or plan.on_end.value),
        grace_days=_number(_only(fields, _GRACE) or "0", "number of days"),
    )


def _product(plan: Plan, key: str, offered: Sequence[Ware]) -> PlanProduct:
    """Keep what the plan has already, though it is no longer for sale; anything else has to be offered here."""
    for product, option in zip(plan.products, options((), plan.products), strict=False):
        if option.value == key:
            return product
    return find(offered, key).product


def _rule(text: str) -> OnEnd:
    try:
        return OnEnd(text)
    except ValueError as error:
        raise UserError("There is no such rule for the end of a plan.") from error


def _only(fields: Mapping[str, tuple[str, ...]], name: str) -> str:
    values = fields.get(name, ())
    return values[0] if values else ""


def _number(text: str, what: str) -> int:
    try:
        return int(text.strip())
    except ValueError as error:
        raise UserError(f"“{text[:20]}” is no {what}.") from error


_ABOUT: Mapping[OnEnd, str] = {
    OnEnd.REMOVE_ROLES: "Only the plan's roles go.",
    OnEnd.NOTHING: "The roles stay for ever.",
    OnEnd.KICK: "Out of the server a day later. Cannot be undone.",
    OnEnd.REMOVE_ALL_ROLES: "Every role that I can take, remembered for an undo.",
}
