"""The form of a plan: what stands in it, and the plan that what was typed makes. Decides nothing about the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from locales.catalogue import Words, translatable
from membership import plans, wares
from membership.model import OnEnd, OnPastDue, Plan, PlanProduct, RoleId
from membership.plan_effects import NEW_ROLE
from membership.ports import GuildRole
from membership.wares import Ware
from web.numbers import number_in
from web.visits import Form

MOST_DAYS = 3660
LONGEST_GRACE = 365
MOST_ROLES = 25
NONE = ""

E = TypeVar("E", bound=StrEnum)

ENDS: Mapping[OnEnd, tuple[str, str]] = {
    OnEnd.REMOVE_ROLES: (translatable("Remove the plan's roles"), translatable("They stay in the server.")),
    OnEnd.NOTHING: (translatable("Keep everything"), translatable("The roles stay for ever.")),
    OnEnd.REMOVE_ALL_ROLES: (
        translatable("Remove all roles"),
        translatable("Every role that the bot can take, remembered for an undo."),
    ),
    OnEnd.KICK: (translatable("Kick"), translatable("Out of the server a day later. This cannot be undone.")),
}
LATE: Mapping[OnPastDue, str] = {
    OnPastDue.KEEP: translatable("Keep the roles"),
    OnPastDue.KEEP_AND_ROLE: translatable("Keep them, and add the past-due role"),
    OnPastDue.SWAP: translatable("Swap them for the past-due role"),
    OnPastDue.REMOVE: translatable("Remove them at once"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What can be chosen in a server: what its accounts sell, and its roles."""

    offers: Sequence[Ware]
    roles: Mapping[RoleId, GuildRole]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What stands in the form, as texts: of a plan, or just as somebody typed it."""

    name: str
    slug: str
    products: tuple[str, ...]
    roles: tuple[str, ...]
    on_end: str
    on_refund: str
    on_past_due: str
    grace_days: str
    past_due_role: str
    trial_role: str
    paused_grants: bool
    duration_days: str


def typed_of(plan: Plan) -> Typed:
    """Return a plan as its form shows it."""
    return Typed(
        name=plan.name,
        slug=plan.slug,
        products=tuple(map(wares.key_of, plan.products)),
        roles=tuple(map(str, plan.roles)),
        on_end=plan.on_end,
        on_refund=plan.on_refund or NONE,
        on_past_due=plan.on_past_due,
        grace_days=str(plan.grace_days),
        past_due_role=str(plan.past_due_role_id or NONE),
        trial_role=str(plan.trial_role_id or NONE),
        paused_grants=plan.paused_grants,
        duration_days=str(plan.duration_days or NONE),
    )


def typed_in(form: Form) -> Typed:
    """Return what somebody typed and ticked."""
    return Typed(
        name=" ".join(form.text("name").split()),
        slug=form.text("slug"),
        products=tuple(form.texts("products")),
        roles=tuple(form.texts("roles")),
        on_end=form.text("on_end"),
        on_refund=form.text("on_refund"),
        on_past_due=form.text("on_past_due"),
        grace_days=form.text("grace_days"),
        past_due_role=form.text("past_due_role"),
        trial_role=form.text("trial_role"),
        paused_grants=form.is_on("paused_grants"),
        duration_days=form.text("duration_days"),
    )


def read(typed: Typed, before: Plan, choices: Choices, words: Words) -> tuple[Plan, dict[str, str]]:
    """Return the plan that the form makes of the one before, and what is wrong with it, by field.

    `before` is a blank plan for a new one. What could not be read stays as it was.
    """
    reader = _Reader(before=before, choices=choices, words=words, errors={})
    grace_days = reader.days("grace_days", typed.grace_days, (0, LONGEST_GRACE))
    plan = replace(
        before,
        name=reader.name(typed.name),
        slug=reader.slug(typed.slug),
        products=_products(typed, before, choices),
        roles=reader.roles(typed.roles),
        on_end=_one_of(OnEnd, typed.on_end, before.on_end),
        on_refund=None if typed.on_refund == NONE else _one_of(OnEnd, typed.on_refund, before.on_end),
        on_past_due=_one_of(OnPastDue, typed.on_past_due, before.on_past_due),
        grace_days=before.grace_days if grace_days is None else grace_days,
        past_due_role_id=reader.role("past_due_role", typed.past_due_role),
        trial_role_id=reader.role("trial_role", typed.trial_role),
        paused_grants=typed.paused_grants,
        duration_days=reader.days("duration_days", typed.duration_days, (1, MOST_DAYS)),
    )
    needs_role = plan.on_past_due in (OnPastDue.KEEP_AND_ROLE, OnPastDue.SWAP)
    if needs_role and plan.past_due_role_id is None:
        reader.errors.setdefault("past_due_role", words.say("Choose which role late payers get."))
    return plan, reader.errors


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads single fields, and notes what is wrong with them."""

    before: Plan
    choices: Choices
    words: Words
    errors: dict[str, str]

    def name(self, text: str) -> str:
        if not text:
            self.errors["name"] = self.words.say("A plan needs a name: it is what members see.")
        elif len(text) > plans.LONGEST_NAME:
            self.errors["name"] = self.words.say("Use {number} characters at most.", number=plans.LONGEST_NAME)
        return text

    def slug(self, text: str) -> str:
        if text and plans.slug_of(text) != text:
            self.errors["slug"] = self.words.say(
                "Use small letters, digits and hyphens, such as {example}.", example=plans.slug_of(text)
            )
        return text or self.before.slug

    def roles(self, values: Sequence[str]) -> tuple[RoleId, ...]:
        found = tuple(dict.fromkeys(role for value in values if (role := self._known("roles", value)) is not None))
        if len(found) > MOST_ROLES:
            self.errors["roles"] = self.words.say("A plan gives {number} roles at most.", number=MOST_ROLES)
        return found

    def role(self, field: str, value: str) -> RoleId | None:
        return None if value == NONE else self._known(field, value)

    def days(self, field: str, text: str, bounds: tuple[int, int]) -> int | None:
        """Return a number of days, None for none and for what is no such number."""
        least, most = bounds
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 6 and least <= int(text) <= most):
            self.errors[field] = self.words.say("Write a number from {least} to {most}.", least=least, most=most)
            return None
        return int(text)

    def _known(self, field: str, value: str) -> RoleId | None:
        """Return a role of this server, or one that the plan has already."""
        number = number_in(value)
        role = None if number is None else RoleId(number)
        is_new = role == NEW_ROLE and field == "roles"
        if role is None or not (is_new or role in self.choices.roles or role in self.before.all_roles):
            self.errors[field] = self.words.say("There is no such role in this server.")
            return None
        return role


def _products(typed: Typed, before: Plan, choices: Choices) -> tuple[PlanProduct, ...]:
    return wares.chosen(typed.products, choices.offers, before.products)


def _one_of(kind: type[E], text: str, otherwise: E) -> E:
    return kind(text) if text in set(kind) else otherwise
