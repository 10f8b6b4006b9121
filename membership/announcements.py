"""What people hear of a reconciliation: audit entries, event-log posts, mails and direct messages.

They hang on a grant's change of state or on an act that happened, and nothing else, so that they go out once however
often the same member is reconciled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from membership import alerts, direct_messages, mail_notices, notices
from membership.entitlements import Access, Outcome
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.model import BatchId, Grant, GrantState, MemberKey, PlanId, PurchaseKind, RoleId
from membership.records import AuditEntry
from membership.steps import Progress

log = structlog.get_logger()

QUIET_ENDS = (Reason.PLAN_CHANGED, Reason.PLAN_UNMAPPED, Reason.MOVED, Reason.DISCONNECTED)
"""Ends that send no "has ended" mail: the customer has something else, or caused it and was told."""

_PAID_EVENTS = ("grant.delivered", "grant.recovered", "grant.resumed")
"""Events whose posts say what was paid."""

LONGEST_NEWS = timedelta(hours=1)
"""A payment that we learnt of later than this was imported: how long ago it was says nothing about our speed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One grant's change, with the outcome that caused it."""

    before: Grant
    after: Grant
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Where one member's news is written: the open transaction and the moment.

    `kept_plans` are what the member goes on having, so that nobody is told of the end of what another purchase carries;
    `paid_plans` are those of them for which no payment has failed.
    """

    tx: Transaction
    key: MemberKey
    now: datetime
    kept_plans: frozenset[PlanId] = frozenset()
    paid_plans: frozenset[PlanId] = frozenset()

    async def tell(self, event: str, facts: Mapping[str, object], grant: Grant | None = None) -> None:
        """Write what happened into the audit and queue its post."""
        self._log(event, facts)
        await notices.tell(self.tx, event, self.key.guild_id, facts, self.now, **self._about(grant))

    async def audit(self, event: str, facts: Mapping[str, object], grant: Grant | None = None) -> int:
        """Write an audit entry alone and return its number; `post` may tell of it by another name."""
        self._log(event, facts)
        entry = AuditEntry(
            event=event,
            actor="doorlist",
            guild_id=self.key.guild_id,
            user_id=self.key.user_id,
            grant_id=None if grant is None else grant.id,
            detail=facts,
        )
        return await self.tx.audit.add(entry, self.now)

    async def post(self, event: str, facts: Mapping[str, object], number: int, grant: Grant) -> None:
        """Queue the post of an audit entry."""
        known = {**facts, "number": number}
        await notices.post(self.tx, event, self.key.guild_id, known, self.now, **self._about(grant))

    async def post_batch(self, batch_id: BatchId) -> None:
        """Queue one post and one mail for a whole batch of held removals, however many members it grows to."""
        facts = {"reason": Reason.BRAKE.value, "number": int(batch_id), "batch_id": int(batch_id)}
        key = notices.brake_problem(batch_id)
        await notices.post(self.tx, "brake.held", self.key.guild_id, facts, self.now, key=key, problem=key)
        await alerts.watch_brake(self.tx, self.key.guild_id, batch_id, self.now)

    def _about(self, grant: Grant | None) -> notices.About:
        about: notices.About = {"user_id": self.key.user_id}
        if grant is not None:
            about |= {"grant_id": grant.id, "problem": f"grant:{grant.id}"}
        return about

    def _log(self, event: str, facts: Mapping[str, object]) -> None:
        log.info(event.replace(".", "_"), guild_id=self.key.guild_id, user_id=self.key.user_id, **_spoken(facts))

    async def direct_message(self, dedupe_key: str, template: str, facts: Mapping[str, object]) -> None:
        """Queue a direct message to the member."""
        letter = direct_messages.Letter(template=template, facts=facts, dedupe_key=dedupe_key)
        await direct_messages.write(self.tx, self.key, letter, self.now)


async def announce_acts(record: Record, progress: Progress) -> None:
    """Write down what was done to the member. What "remove all roles" takes was written before (steps)."""
    for event, roles in (
        ("role.added", progress.added),
        ("role.removed", progress.removed | progress.stripped),
    ):
        if roles:
            await record.tell(event, {"name": progress.name, **_role_ids(roles)})
    repaired = progress.repaired & progress.added
    if repaired:
        await record.tell("role.drift_fixed", {"name": progress.name, **_role_ids(repaired)})
    for batch_id in sorted(progress.batches):
        await record.post_batch(batch_id)
    if progress.is_kicked:
        await record.tell("member.kicked", {"name": progress.name})


async def announce_changes(record: Record, progress: Progress, transitions: Sequence[Transition]) -> None:
    """Write each grant's change into the audit and post it; an upgrade is one post, not an end and a beginning."""
    begun = [change for change in transitions if event_of(change) == "grant.delivered"]
    swapped = [change for change in transitions if begun and _is_swapped_out(change)]
    for change in transitions:
        event = event_of(change)
        if event:
            facts = _facts(change, progress) | await _speed(record, change, event)
            if event in _PAID_EVENTS:
                facts |= await notices.rhythm(record.tx, event, record.key.guild_id, change.outcome.claim.purchase)
            number = await record.audit(event, facts, change.after)
            if swapped and change is begun[0]:
                names = ", ".join(other.outcome.claim.plan.name for other in swapped)
                await record.post("grant.changed", {**facts, "from_plan": names}, number, change.after)
            elif not (change in swapped or (swapped and change in begun) or event == "brake.held"):
                # What the brake holds is posted once for its batch.
                await record.post(event, facts, number, change.after)
            if _has_joined(change, event):
                await record.tell("member.joined_with_grant", facts)
        await _write_to_member(record, change, progress)
    for purchase_id in sorted({change.after.purchase_id for change in begun}):
        bought = [change.outcome for change in begun if change.after.purchase_id == purchase_id]
        await mail_notices.tell_of_delivery(record.tx, bought, record.now)


def event_of(change: Transition) -> str:
    """Name a change of state with EXPERIENCE 5.1's words; "" for one that nobody needs to hear of."""
    before, after = change.before, change.after
    if (before.state, before.reason) == (after.state, after.reason):
        return ""
    if Reason.PAUSED in (before.reason, after.reason):
        name = _pause_event(change)
        if name:
            return name
    match after.state:
        case GrantState.DELIVERED:
            # A trial that turned into a paid membership changed its reason, not its delivery.
            names = {GrantState.PAST_DUE: "grant.recovered", GrantState.DELIVERED: "grant.changed"}
            return names.get(before.state, "grant.delivered")
        case GrantState.PAST_DUE:
            return "grant.past_due"
        case GrantState.FAILED:
            return "grant.failed"
        case GrantState.HELD:
            return "brake.held" if after.reason is Reason.BRAKE else "grant.held"
        case GrantState.REVOKED:
            # An end that was told before only waited for its kick, which is told by itself.
            return "grant.revoked" if before.ended_at is None else ""
        case GrantState.PENDING:
            has_left = before.state is GrantState.DELIVERED and after.reason is Reason.NOT_IN_SERVER
            return "member.left_with_grant" if has_left else ""
        case _:
            assert_never(after.state)


def _pause_event(change: Transition) -> str:
    """Name a pause of the subscription and its end, which are no end and no beginning; "" for anything else."""
    before, after = change.before, change.after
    if after.reason is Reason.PAUSED and after.state is not GrantState.FAILED:
        return "grant.paused"
    is_back = before.reason is Reason.PAUSED and after.state is GrantState.DELIVERED
    return "grant.resumed" if is_back else ""


def _has_joined(change: Transition, event: str) -> bool:
    return event == "grant.delivered" and change.before.reason is Reason.NOT_IN_SERVER


async def _speed(record: Record, change: Transition, event: str) -> dict[str, object]:
    """Measure a first delivery, in seconds: from the payment, or from the link where that came later."""
    purchase, opened_at = change.outcome.claim.purchase, change.before.opened_at
    is_paid = purchase.kind is not PurchaseKind.COMP
    if event != "grant.delivered" or change.before.reason is not Reason.NOT_LINKED or not is_paid:
        return {}
    is_news = opened_at - purchase.started_at < LONGEST_NEWS
    link = await record.tx.links.active(purchase.customer_id)
    since = max(purchase.started_at if is_news else opened_at, link.created_at if link else opened_at)
    return {"seconds": round(max((record.now - since).total_seconds(), 0.0), 1)}


def _is_swapped_out(change: Transition) -> bool:
    return event_of(change) == "grant.revoked" and change.after.reason is Reason.PLAN_CHANGED


def _facts(change: Transition, progress: Progress) -> dict[str, object]:
    outcome, plan = change.outcome, change.outcome.claim.plan
    reason = change.after.reason
    refusals = [refusal.detail for refusal in progress.blocked.values() if refusal.reason is reason]
    # Of a role above our own Discord tells the name alone, and `role_ids` say it.
    detail = refusals[0] if refusals and reason is not Reason.ROLE_ABOVE_BOT else ""
    until = outcome.until or outcome.claim.purchase.ends_at
    return {
        "grant_id": int(change.after.id),
        "name": progress.name,
        "plan": plan.name,
        **_role_ids(outcome.roles or plan.roles),
        "reason": reason.value,
        "detail": detail,
        "is_removal": outcome.access is not Access.GRANTED,
        "until": until.isoformat() if until else "",
        # In a trial nothing has been paid yet.
        "amount": 0 if reason is Reason.TRIAL else outcome.claim.purchase.amount,
        "currency": outcome.claim.purchase.currency,
    }


async def _write_to_member(record: Record, change: Transition, progress: Progress) -> None:
    tx, key, now = record.tx, record.key, record.now
    before, after, plan = change.before, change.after, change.outcome.claim.plan
    if after.state is GrantState.PAST_DUE:
        is_carried = plan.id in record.paid_plans
        await mail_notices.tell_of_failed_payment(tx, change.outcome, now, is_carried=is_carried)
        await direct_messages.tell_of_failed_payment(tx, key, change.outcome, now)
    is_new_end = after.state is GrantState.REVOKED and before.ended_at is None
    is_quiet = after.reason in QUIET_ENDS or plan.id in record.kept_plans
    if is_new_end and before.state is not after.state and not is_quiet:
        gone = (progress.removed | progress.stripped) & plan.all_roles
        facts = {"is_still_member": progress.is_present, **_role_ids(gone)}
        await mail_notices.tell_of_end(tx, change.outcome.claim.purchase, after, facts, now)
        if progress.is_present and after.kick_at is None:
            await direct_messages.tell_of_end(tx, key, after, plan, now)
    if after.kick_at is not None and before.kick_at is None:
        # DM first: after the kick we share no guild and cannot.
        about = {"purchase_id": int(after.purchase_id), "grant_id": int(after.id), "reason": after.reason.value}
        dm = about | {"plan": plan.name, "kick_at": after.kick_at.isoformat()}
        await record.direct_message(f"kick:{after.id}:{after.episode}", "kick", dm)
    if event_of(change) == "grant.delivered" and progress.added:
        # Who had the role already, as when a whole role is adopted, got nothing new.
        await direct_messages.tell_of_delivery(tx, key, after, change.outcome, now)
    if event_of(change) or before.reason is not after.reason:
        await mail_notices.watch_failure(tx, before, change.outcome, after, now)


def _spoken(detail: Mapping[str, object]) -> dict[str, object]:
    """Keep of an entry's detail what a log line needs; names of people stay out of it."""
    return {name: detail[name] for name in ("plan", "reason", "role_ids") if detail.get(name)}


def _role_ids(roles: Collection[RoleId]) -> dict[str, object]:
    return {"role_ids": [str(role) for role in sorted(roles)]}
