"""A plan in sentences: what somebody gets who pays, and what becomes of it. For people who set it up."""

from __future__ import annotations

from collections.abc import Sequence

from locales.catalogue import Words
from membership.model import OnEnd, OnPastDue, Plan
from web.admin.plan_form import Choices
from web.admin.role_words import name_of
from web.wording import shortened

_MOST_NAMED = 4


def sentences(plan: Plan, choices: Choices, words: Words, server: str) -> Sequence[str]:
    """Say what a plan means, a sentence for each rule."""
    roles = _names(plan, choices, words)
    return [
        _given(plan, choices, words, (roles, server)),
        _ended(plan, words, roles),
        _refunded(plan, words),
        _late(plan, choices, words),
        *_trial(plan, choices, words),
        words.say("Paused: keeps access.") if plan.paused_grants else words.say("Paused: access ends."),
        *_duration(plan, words),
    ]


def product_names(plan: Plan, choices: Choices) -> list[str]:
    """Name what unlocks a plan, each product once."""
    named = {
        (product.account_id, product.product_id): next(
            (ware.name for ware in choices.offers if ware.has(product)), product.product_id
        )
        for product in plan.products
    }
    return list(named.values())


def _given(plan: Plan, choices: Choices, words: Words, named: tuple[str, str]) -> str:
    roles, server = named
    names = product_names(plan, choices)
    if plan.is_archived:
        return words.say("Nobody new gets this plan. Who has it keeps it until it ends.")
    if not names:
        return words.say("Nobody can buy it yet: no product unlocks it.")
    sold = shortened(", ".join(names[:_MOST_NAMED]), 120)
    if not plan.roles:
        return words.say("Who pays for {product} becomes a member of {server}.", product=sold, server=server)
    return words.say("Who pays for {product} gets {roles} in {server}.", product=sold, roles=roles, server=server)


def _ended(plan: Plan, words: Words, roles: str) -> str:
    match plan.on_end:
        case OnEnd.REMOVE_ROLES if roles:
            return words.say("When it ends: {roles} is removed at the end of what was paid.", roles=roles)
        case OnEnd.REMOVE_ROLES:
            return words.say("When it ends: they stay in the server.")
        case OnEnd.NOTHING:
            return words.say("When it ends: they keep everything, for ever.")
        case OnEnd.REMOVE_ALL_ROLES:
            return words.say("When it ends: all their roles are removed.")
        case OnEnd.KICK:
            return words.say("When it ends: they are told, and kicked a day later.")


def _refunded(plan: Plan, words: Words) -> str:
    match plan.on_refund:
        case None:
            return words.say("After a full refund or a lost dispute: the same, at once for one-time purchases.")
        case OnEnd.REMOVE_ROLES:
            return words.say("After a full refund or a lost dispute: the roles are removed.")
        case OnEnd.NOTHING:
            return words.say("After a full refund or a lost dispute: they keep everything.")
        case OnEnd.REMOVE_ALL_ROLES:
            return words.say("After a full refund or a lost dispute: all their roles are removed.")
        case OnEnd.KICK:
            return words.say("After a full refund or a lost dispute: they are kicked a day later.")


def _late(plan: Plan, choices: Choices, words: Words) -> str:
    late = name_of(plan.past_due_role_id, choices.roles, words) if plan.past_due_role_id else ""
    days = words.count("{number} day", "{number} days", plan.grace_days)
    match plan.on_past_due:
        case OnPastDue.REMOVE:
            return words.say("Failed payment: access ends at once.")
        case OnPastDue.KEEP:
            return words.say("Failed payment: keeps access for {days}.", days=days)
        case OnPastDue.KEEP_AND_ROLE:
            return words.say("Failed payment: keeps access for {days}, and gets {role}.", days=days, role=late)
        case OnPastDue.SWAP:
            return words.say("Failed payment: has {role} instead for {days}.", days=days, role=late)


def _trial(plan: Plan, choices: Choices, words: Words) -> Sequence[str]:
    if plan.trial_role_id is None:
        return ()
    return (words.say("In trial: {role} instead.", role=name_of(plan.trial_role_id, choices.roles, words)),)


def _duration(plan: Plan, words: Words) -> Sequence[str]:
    if plan.duration_days is None:
        return ()
    return (
        words.count(
            "A one-time purchase lasts {number} day; buying again adds to it.",
            "A one-time purchase lasts {number} days; buying again adds to it.",
            plan.duration_days,
        ),
    )


def _names(plan: Plan, choices: Choices, words: Words) -> str:
    return ", ".join(name_of(role, choices.roles, words, plan.name) for role in plan.roles)
