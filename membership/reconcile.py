"""Bring one member to what the facts say: read, decide, observe, diff, perform, settle (DESIGN 2).

The same function runs whoever asked (law 1). It holds no transaction open while it talks to Discord or a provider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from membership import binding, evidence
from membership.bounds import limits_of
from membership.desk import Exemption
from membership.diff import Kick, Remove, Step, diff
from membership.entitlements import Decision, Outcome, decide
from membership.errors import PAUSED_HERE, Audience, Blocked, Gone, Reason, Retry
from membership.model import Lane, MemberKey, Observation, PurchaseId, PurchaseKind, UserId
from membership.services import Services
from membership.steps import Errand, perform
from membership.transitions import Result, settle

ROUNDS = 4
FROZEN_PATIENCE = timedelta(minutes=1)
PAUSED_PATIENCE = timedelta(minutes=5)
MISSING_PATIENCE = timedelta(hours=6)
"""How long until a provider that no longer knows a purchase is asked for it again."""


async def reconcile(services: Services, key: MemberKey, lane: Lane) -> None:
    """Reconcile one member. Raises Retry when the outside could not be asked or did not finish; nothing is lost."""
    if not services.discord.is_available(key.guild_id):
        # A frozen guild is an outage, not an empty one: nothing is read from it and nothing removed (law 3).
        raise Retry("the server cannot be reached at Discord", after=FROZEN_PATIENCE)
    asked: dict[PurchaseId, bool] = {}
    for _ in range(ROUNDS):
        now = services.clock.now()
        async with services.store.read() as tx:
            facts = await tx.members.facts(key)
            guild = await tx.guilds.get(key.guild_id)
            exemption = await tx.exemptions.get(key, now)
        if guild is None or not guild.is_active or (not facts.claims and not facts.holdings):
            return
        if guild.paused_at is not None:
            raise Retry(PAUSED_HERE, after=PAUSED_PATIENCE)
        if exemption is not None:
            await _look_again(services, exemption)
            return
        missing = {purchase_id for purchase_id, is_known in asked.items() if not is_known}
        facts = evidence.unconfirmed(facts, missing)
        decision = decide(facts, now=now)
        observed = (await _observe(services, key, lane))[key.user_id]
        limits = limits_of(services, guild, key, decision)
        steps = diff(decision, observed, facts.holdings, limits, now=now)
        if await _confirm_removals(services, decision, steps, asked, lane):
            continue
        errand = Errand(services=services, key=key, decision=decision, lane=lane)
        progress = await perform(errand, steps, observed)
        look_again_at = now + MISSING_PATIENCE if missing else None
        result = Result(
            facts=facts,
            decision=decision,
            limits=limits,
            progress=progress,
            manual_change=guild.manual_change,
            look_again_at=look_again_at,
        )
        await settle(services, result)
        if isinstance(progress.failure, Gone):
            continue
        if progress.failure is not None:
            raise progress.failure
        await binding.let_go_of_permit(services, key.user_id)
        return
    raise Retry("the member kept changing while being reconciled")


async def _look_again(services: Services, exemption: Exemption) -> None:
    """Leave an exempt member as they are, and come back when the exemption ends."""
    if exemption.until is not None:
        async with services.store.write() as tx:
            await binding.mark(tx, [exemption.key], Lane.EVENT, exemption.until)


async def _observe(services: Services, key: MemberKey, lane: Lane) -> Mapping[UserId, Observation]:
    try:
        return await services.discord.observe(key.guild_id, [key.user_id], lane=lane)
    except Gone as gone:
        if gone.what != "guild":
            raise
        raise Blocked(Reason.BOT_NOT_IN_SERVER, audience=Audience.OWNER) from gone


async def _confirm_removals(
    services: Services, decision: Decision, steps: Sequence[Step], asked: dict[PurchaseId, bool], lane: Lane
) -> bool:
    """Read the purchases behind an end again unless their word is fresh; say whether anything was read.

    `asked` takes the answers: whether the provider still knows the purchase.
    """
    oldest = services.clock.now() - evidence.FRESH
    stale = {
        outcome.claim.purchase.id: outcome.claim.purchase
        for outcome in _witnesses(decision, steps)
        if outcome.claim.purchase.read_at < oldest
        and outcome.claim.purchase.id not in asked
        and not _is_our_word(outcome)
    }
    for purchase in stale.values():
        asked[purchase.id] = await evidence.reread(services, purchase, lane)
    return bool(stale)


def _is_our_word(outcome: Outcome) -> bool:
    """Say whether no provider has to be heard: a comp is ours alone, and what staff end is a person's word."""
    return outcome.claim.purchase.kind is PurchaseKind.COMP or outcome.reason is Reason.REVOKED


def _witnesses(decision: Decision, steps: Sequence[Step]) -> list[Outcome]:
    """Return the claims that a removal rests on, and those that only our own clock ends."""
    removed = {step.role_id for step in steps if isinstance(step, Remove)}
    is_total = decision.strips or any(isinstance(step, Kick) for step in steps)
    linked = [outcome for outcome in decision.outcomes if outcome.claim.is_linked]
    concerned = [outcome for outcome in linked if is_total or removed & outcome.claim.plan.all_roles]
    speaking = [outcome for outcome in concerned if _bears_witness(outcome)]
    # A role that came back after its end was settled: the ends speak for its removal, and may be over themselves.
    return [*(speaking or concerned), *(outcome for outcome in linked if _is_ended_by_our_clock(outcome))]


def _bears_witness(outcome: Outcome) -> bool:
    """Say whether a removal rests on this claim: it ends now, changes its roles, or waits to kick."""
    is_waiting_to_kick = outcome.kick_at is not None
    return outcome.is_ending or outcome.is_live or is_waiting_to_kick


def _is_ended_by_our_clock(outcome: Outcome) -> bool:
    return outcome.is_ending and outcome.is_evidence and not evidence.is_over(outcome.claim.purchase)
