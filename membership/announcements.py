"""What people hear of a reconciliation: audit entries, event-log posts, mails and direct messages.

They hang on a grant's change of state or on an act that happened, and nothing else, so that they go out once however
often the same member is reconciled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import structlog

from membership.entitlements import Access, Outcome
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.model import BatchId, CustomerId, Grant, GrantState, MemberKey, RoleId
from membership.records import AuditEntry, Draft
from membership.steps import Progress

log = structlog.get_logger()

QUIET_ENDS = (Reason.PLAN_CHANGED, Reason.PLAN_UNMAPPED, Reason.MOVED, Reason.DISCONNECTED)
"""Ends that send no "has ended" mail: the customer has something else, or caused it and was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One grant's change, with the outcome that caused it."""

    before: Grant
    after: Grant
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Where one member's news is written: the open transaction and the moment."""

    tx: Transaction
    key: MemberKey
    now: datetime

    async def audit(self, event: str, detail: Mapping[str, object], grant: Grant | None = None) -> int:
        """Write an audit entry and return its number."""
        log.info(event.replace(".", "_"), guild_id=self.key.guild_id, user_id=self.key.user_id, **_spoken(detail))
        entry = AuditEntry(
            event=event,
            actor="doorlist",
            guild_id=self.key.guild_id,
            user_id=self.key.user_id,
            grant_id=None if grant is None else grant.id,
            detail=detail,
        )
        return await self.tx.audit.add(entry, self.now)

    async def post(self, event: str, facts: Mapping[str, object], number: int) -> None:
        """Queue an event-log post where the guild has a channel for it; the audit number makes it unique."""
        await self._post(f"post:{number}", event, {"user_id": str(self.key.user_id), "number": number, **facts})

    async def post_batch(self, batch_id: BatchId) -> None:
        """Queue one post for a whole batch of held removals, however many members it grows to."""
        await self._post(f"brake:{batch_id}", "brake.held", {"reason": Reason.BRAKE.value, "number": int(batch_id)})

    async def _post(self, dedupe_key: str, event: str, facts: Mapping[str, object]) -> None:
        guild = await self.tx.guilds.get(self.key.guild_id)
        if guild is not None and guild.event_channel_id is not None:
            known = {"at": self.now.isoformat(), **facts}
            await self._put(dedupe_key, "post", str(guild.event_channel_id), event, known)

    async def mail(self, dedupe_key: str, customer_id: CustomerId, template: str, facts: Mapping[str, object]) -> None:
        """Queue a mail to a payer."""
        await self._put(dedupe_key, "mail", str(customer_id), template, facts)

    async def direct_message(self, dedupe_key: str, template: str, facts: Mapping[str, object]) -> None:
        """Queue a direct message to the member."""
        await self._put(dedupe_key, "dm", str(self.key.user_id), template, facts)

    async def _put(self, dedupe_key: str, kind: str, target: str, template: str, facts: Mapping[str, object]) -> None:
        draft = Draft(dedupe_key=dedupe_key, kind=kind, target=target, template=template, facts=facts)
        await self.tx.outbox.put(draft, self.now)


async def announce_acts(record: Record, progress: Progress) -> None:
    """Write down what was done to the member. What "remove all roles" takes was written before (steps)."""
    for event, roles in (
        ("role.added", progress.added),
        ("role.removed", progress.removed | progress.stripped),
    ):
        if roles:
            await record.audit(event, _role_ids(roles))
    repaired = progress.repaired & progress.added
    if repaired:
        number = await record.audit("role.drift_fixed", _role_ids(repaired))
        await record.post("role.drift_fixed", {"name": progress.name, **_role_ids(repaired)}, number)
    for batch_id in sorted(progress.batches):
        await record.post_batch(batch_id)
    if progress.is_kicked:
        number = await record.audit("member.kicked", {})
        await record.post("member.kicked", {"name": progress.name}, number)


async def announce_changes(record: Record, progress: Progress, transitions: Sequence[Transition]) -> None:
    """Write each grant's change into the audit and post it; an upgrade is one post, not an end and a beginning."""
    begun = [change for change in transitions if event_of(change) == "grant.delivered"]
    swapped = [change for change in transitions if begun and _is_swapped_out(change)]
    for change in transitions:
        event = event_of(change)
        if event:
            facts = _facts(change, progress)
            number = await record.audit(event, facts, change.after)
            if swapped and change is begun[0]:
                names = ", ".join(other.outcome.claim.plan.name for other in swapped)
                await record.post("grant.changed", {**facts, "from_plan": names}, number)
            elif not (change in swapped or (swapped and change in begun) or event == "brake.held"):
                # What the brake holds is posted once for its batch.
                await record.post(event, facts, number)
        await _write_to_member(record, change, is_present=progress.is_present)


def event_of(change: Transition) -> str:
    """Name a change of state with EXPERIENCE 5.1's words; "" for one that nobody needs to hear of."""
    before, after = change.before, change.after
    if (before.state, before.reason) == (after.state, after.reason):
        return ""
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
            return "member.left_with_grant" if before.state is GrantState.DELIVERED else ""
        case _:
            assert_never(after.state)


def _is_swapped_out(change: Transition) -> bool:
    return event_of(change) == "grant.revoked" and change.after.reason is Reason.PLAN_CHANGED


def _facts(change: Transition, progress: Progress) -> dict[str, object]:
    outcome, plan = change.outcome, change.outcome.claim.plan
    refusals = [refusal.detail for refusal in progress.blocked.values() if refusal.reason is change.after.reason]
    until = outcome.until or outcome.claim.purchase.ends_at
    return {
        "grant_id": int(change.after.id),
        "name": progress.name,
        "plan": plan.name,
        **_role_ids(outcome.roles or plan.roles),
        "reason": change.after.reason.value,
        "detail": refusals[0] if refusals else "",
        "is_removal": outcome.access is not Access.GRANTED,
        "until": until.isoformat() if until else "",
        "amount": outcome.claim.purchase.amount,
        "currency": outcome.claim.purchase.currency,
    }


async def _write_to_member(record: Record, change: Transition, *, is_present: bool) -> None:
    after, purchase = change.after, change.outcome.claim.purchase
    facts: dict[str, object] = {
        "purchase_id": int(purchase.id),
        "grant_id": int(after.id),
        "reason": after.reason.value,
    }
    if after.state is GrantState.PAST_DUE:
        since = purchase.past_due_since.isoformat() if purchase.past_due_since else ""
        until = change.outcome.until.isoformat() if change.outcome.until else ""
        key = f"past_due:{after.id}:{since}"
        await record.mail(key, purchase.customer_id, "past_due", facts | {"until": until})
    is_new_end = after.state is GrantState.REVOKED and change.before.ended_at is None
    if is_new_end and change.before.state is not after.state and after.reason not in QUIET_ENDS:
        ended = facts | {"ended_at": record.now.isoformat(), "is_still_member": is_present}
        await record.mail(f"ended:{after.id}:{after.episode}", purchase.customer_id, "ended", ended)
    if after.kick_at is not None and change.before.kick_at is None:
        # DM first: after the kick we share no guild and cannot.
        dm = facts | {"plan": change.outcome.claim.plan.name, "kick_at": after.kick_at.isoformat()}
        dm["guild_id"] = str(after.guild_id)
        await record.direct_message(f"kick:{after.id}:{after.episode}", "kick", dm)


def _spoken(detail: Mapping[str, object]) -> dict[str, object]:
    """Keep of an entry's detail what a log line needs; names of people stay out of it."""
    return {name: detail[name] for name in ("plan", "reason", "role_ids") if detail.get(name)}


def _role_ids(roles: Collection[RoleId]) -> dict[str, object]:
    return {"role_ids": [str(role) for role in sorted(roles)]}
