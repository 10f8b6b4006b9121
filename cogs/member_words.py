"""Small pieces of text about members, for staff: masked addresses, providers' references, grants in a line. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from cogs.state_words import grant_line
from cogs.words import code_text, money, reason_text
from locales.catalogue import words_for
from membership.actors import Actor
from membership.addresses import masked
from membership.dossier import Payer
from membership.errors import Reason
from membership.model import OnEnd, OnPastDue, Plan, Proof
from membership.records import HOUSE, Customer
from membership.shown import ShownGrant, ShownState

KEPT_OF_REFERENCE = 3
_ENGLISH = words_for("en")
_MENTION = re.compile("<(?:(@)\u200b(&?)|\\\\(#))(\\d+)\\\\>")
"""A mention as `code_text` leaves it."""
_BUG = re.compile(r"[A-Za-z_.]+\(.*\)", re.DOTALL)
"""How the worker writes down what it did not expect."""

PROOFS = {
    Proof.OAUTH: "by Discord sign-in",
    Proof.CHECKOUT: "by a checkout that they started in Discord",
    Proof.CODE: "by a code",
    Proof.EMAIL: "by their verified e-mail",
    Proof.STAFF: "by staff",
}
_ENDS = {
    OnEnd.NOTHING: "the roles stay",
    OnEnd.REMOVE_ROLES: "the roles are taken",
    OnEnd.REMOVE_ALL_ROLES: "all roles are taken",
    OnEnd.KICK: "the roles are taken, and the member is kicked a day later",
}


def mail_text(email: str, actor: Actor) -> str:
    """Show an address whole to whoever may see data, and "a••@example.com" to everybody else."""
    if not email:
        return "no e-mail"
    if actor.can_data:
        return code_text(email)
    return code_text(masked(email)) or "••"


def payer_text(customer: Customer, actor: Actor) -> str:
    """Name a payer: their address, else what the provider calls them."""
    if customer.email:
        return mail_text(customer.email, actor)
    return "given by staff" if customer.external_id.startswith("user:") else reference(customer.external_id, actor)


def reference(external_id: str, actor: Actor) -> str:
    """Show a provider's id whole to whoever may see data, and "sub_…f3a" to everybody else."""
    if actor.can_data or len(external_id) <= 2 * KEPT_OF_REFERENCE:
        return code_text(external_id)
    kind, separator, _ = external_id.partition("_")
    return code_text(f"{kind}{separator}…{external_id[-KEPT_OF_REFERENCE:]}" if separator else f"…{external_id[-3:]}")


def state_line(grant: ShownGrant) -> str:
    """Say a grant's state to staff."""
    return grant_line(_ENGLISH, grant, reason=reason_text(grant.reason))


def grant_title(grant: ShownGrant) -> str:
    """Name a grant: the plan and our number."""
    return f"**{code_text(grant.plan.name)}** #{grant.grant.id}"


def source_text(grant: ShownGrant, payer: Payer | None, actor: Actor) -> str:
    """Say where a grant comes from: "Stripe sub_…f3a", or that it was given."""
    if payer is None or payer.account.provider == HOUSE:
        kind = grant.purchase.external_id.partition(":")[0]
        return {"code": "by a code", "import": "imported"}.get(kind, "given by staff")
    return f"{payer.account.provider.capitalize()} {reference(grant.purchase.external_id, actor)}"


def plain_label(grant: ShownGrant) -> str:
    """Name a grant where Discord shows no markup: in a list of suggestions."""
    state = grant.state.value.replace("_", " ")
    until = "" if grant.at is None else f" until {plain_day(grant.at)}"
    return f"{grant.plan.name} · {state}{until} · #{grant.grant.id}"


def plain_day(moment: datetime) -> str:
    """Write a day, in UTC, where Discord shows no dates of its own: "21 Dec 2026"."""
    return f"{moment.day} {moment:%b %Y}"


def totals_text(paid: Mapping[str, int]) -> str:
    """Write sums of money in several currencies."""
    return " + ".join(money({"amount": amount, "currency": currency}) for currency, amount in sorted(paid.items()))


def answer_text(failure: str) -> str:
    """Say in words what a try ended in: a reason of the catalogue, or our own sentence; never an exception."""
    head, _, detail = failure.partition(": ")
    if head in set(Reason):
        more = f" ({code_text(detail)})" if detail else ""
        return f"{reason_text(head)}{more}"
    return "a fault on our side, which is in the log" if _BUG.fullmatch(failure) else code_text(failure)


def summary_text(summary: str) -> str:
    """Show the summary of a change: harmless, like all foreign text, but for the mentions in it, which ping nobody."""
    return _MENTION.sub(lambda found: f"<{found[1] or found[3]}{found[2] or ''}{found[4]}>", code_text(summary))


def next_change(grant: ShownGrant) -> str:
    """Say what happens next to a grant by itself, and when; "" when nothing does."""
    if grant.at is None or grant.is_over:
        return ""
    at, plan = f"<t:{int(grant.at.timestamp())}:D>", grant.plan
    if grant.is_renewing:
        return f"{at} renewal. If it fails: {_late_text(plan)}"
    match grant.state:
        case ShownState.TRIALING:
            return f"{at} the trial ends and the first payment is due"
        case ShownState.PAST_DUE:
            return f"{at} the grace ends, then {_ENDS[plan.on_end]}"
        case _:
            return f"{at} it ends, then {_ENDS[plan.on_end]}"


def _late_text(plan: Plan) -> str:
    late = "" if plan.past_due_role_id is None else f"<@&{plan.past_due_role_id}>"
    days = f"{plan.grace_days} days, then {_ENDS[plan.on_end]}"
    match plan.on_past_due:
        case OnPastDue.KEEP:
            return f"roles kept {days}"
        case OnPastDue.KEEP_AND_ROLE:
            return f"{late} added, roles kept {days}"
        case OnPastDue.SWAP:
            return f"{late} instead of the roles for {days}"
        case OnPastDue.REMOVE:
            return _ENDS[plan.on_end]
