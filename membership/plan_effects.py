"""What a plan would do to its people: `effect` judges one member with the same rules as a reconciliation. Pure.

A preview is a list of effects. Its text form is what is stored and hashed, so that "exactly this" has a meaning.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from membership.crowds import Standing
from membership.diff import Add, Limits, Remove, delivered_roles, diff
from membership.entitlements import Access, Decision, Outcome, decide
from membership.errors import Reason
from membership.model import (
    Claim,
    Grant,
    GrantId,
    GrantState,
    MemberFacts,
    Observation,
    OnEnd,
    Plan,
    PlanId,
    Purchase,
    RoleId,
    Seen,
    UserId,
)
from membership.ports import GuildRole

NEW_PLAN = PlanId(0)
NEW_ROLE = RoleId(1)
"""Stands for the role that is made together with the plan."""
EXEMPT = "exempt"
_SORTED_AT_ONCE = 2000


class Fate(StrEnum):
    """What would happen to one member."""

    GET = "get"
    LOSE = "lose"
    MOVE = "move"
    BLOCKED = "blocked"


class Effect(NamedTuple):
    """What would happen to one member, and why. `why` is a Reason, or for BLOCKED what is in the way."""

    user_id: UserId
    fate: Fate
    gained: tuple[RoleId, ...]
    lost: tuple[RoleId, ...]
    is_kicked: bool
    why: str

    def __str__(self) -> str:
        """Write the effect as one line."""
        gained, lost = (",".join(map(str, roles)) for roles in (self.gained, self.lost))
        return f"{self.user_id}|{self.fate}|{gained}|{lost}|{int(self.is_kicked)}|{self.why}"

    @classmethod
    def parse(cls, line: str) -> Effect:
        """Read what `str` wrote."""
        user_id, fate, gained, lost, is_kicked, why = line.split("|")
        return cls(UserId(int(user_id)), Fate(fate), _roles(gained), _roles(lost), is_kicked == "1", why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is the same for everybody: the plan as it would be, the server's roles, and what bounds the steps.

    `leaves_hand_changes`: a role that a person took away is not put back.
    """

    plan: Plan
    roles: Mapping[RoleId, GuildRole]
    limits: Limits
    leaves_hand_changes: bool
    now: datetime


@dataclass(slots=True, kw_only=True)
class Tally:
    """The effects counted so far, of `done` members out of `total`. It grows while it is counted.

    Effects are kept as lines of text: a hundred thousand tuples would make each garbage collection a stall.
    """

    total: int = 0
    done: int = 0
    unlinked: int = 0
    kicked: int = 0
    lines: dict[Fate, list[str]] = field(default_factory=lambda: {fate: [] for fate in Fate})
    reasons: Counter[tuple[Fate, str]] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """Return to how many members something would happen if it could be done."""
        return sum(map(len, self.lines.values()))

    @property
    def unchanged(self) -> int:
        """Return how many of those looked at would stay as they are."""
        return self.done - self.size

    @property
    def touched(self) -> int:
        """Return to how many members something would happen."""
        return self.size - self.number(Fate.BLOCKED)

    def number(self, fate: Fate) -> int:
        """Return to how many members the same kind of thing would happen."""
        return len(self.lines[fate])

    def of(self, fate: Fate, start: int = 0, limit: int | None = None) -> list[Effect]:
        """Return the effects of one kind, all of them or a page."""
        end = None if limit is None else start + limit
        return [Effect.parse(line) for line in self.lines[fate][start:end]]

    def effects(self) -> Iterator[Effect]:
        """Return all effects, one after the other."""
        return (Effect.parse(line) for lines in self.lines.values() for line in lines)

    def users(self) -> set[UserId]:
        """Return whom the effects are about."""
        return {UserId(int(line.partition("|")[0])) for lines in self.lines.values() for line in lines}

    def add(self, effect: Effect | None) -> None:
        """Count one member; None: nothing happens to them."""
        self.done += 1
        if effect is not None:
            self.lines[effect.fate].append(str(effect))
            self.reasons[effect.fate, effect.why] += 1
            self.kicked += effect.is_kicked


def effect(standing: Standing, observed: Observation, ground: Ground) -> Effect | None:
    """Say what the plan would do to one member, None for nothing."""
    facts = with_plan(standing, ground.plan)
    decision = decide(facts, now=ground.now)
    limits = ground.limits
    if ground.leaves_hand_changes:
        limits = replace(limits, left_away=delivered_roles(decision))
    gained: tuple[RoleId, ...]
    lost: tuple[RoleId, ...] = ()
    if observed is None:
        gained = tuple(sorted(decision.roles)) if decision.is_wanted else ()
    else:
        steps = diff(decision, observed, facts.holdings, limits, now=ground.now)
        gained = tuple(step.role_id for step in steps if isinstance(step, Add))
        lost = tuple(step.role_id for step in steps if isinstance(step, Remove))
    is_kicked = observed is not None and _is_kicked(decision)
    if not gained and not lost and not is_kicked:
        return None
    obstacle = _obstacle(standing, observed, {*gained, *lost}, ground)
    user_id = facts.key.user_id
    if obstacle:
        return Effect(user_id, Fate.BLOCKED, gained, lost, is_kicked, obstacle)
    fate = Fate.MOVE if gained and lost else Fate.GET if gained else Fate.LOSE
    why = _why(decision, ground.plan, frozenset(gained))
    return Effect(user_id, fate, gained, lost, is_kicked, why)


def observed_of(standing: Standing) -> Observation:
    """Return how the member was last seen; whoever nobody looked at yet is taken to be there with what is ours."""
    row = standing.row
    if row is None:
        return Seen(roles=standing.facts.held_roles)
    return Seen(roles=row.observed) if row.is_present else None


def with_plan(standing: Standing, plan: Plan) -> MemberFacts:
    """Return a member's facts as they would be with the plan: its claims changed, and new ones opened."""
    claims = [replace(claim, plan=plan) if claim.plan.id == plan.id else claim for claim in standing.facts.claims]
    if not plan.is_archived:
        known = {claim.purchase.id for claim in claims if claim.plan.id == plan.id}
        claims += [
            _new_claim(plan, purchase)
            for purchase in standing.others
            if purchase.id not in known and plan.unlocked_by(purchase) is not None
        ]
    return replace(standing.facts, claims=tuple(claims))


def deed(line: str) -> str:
    """Return what makes two effects, as lines, the same to the person: everything but the reason."""
    return line.rpartition("|")[0]


def differences(before: Tally, after: Tally) -> tuple[list[Effect], list[Effect]]:
    """Return the effects that came and those that went between two countings, those that can be done first."""
    then, now = ({deed(line): line for lines in tally.lines.values() for line in lines} for tally in (before, after))
    came = [Effect.parse(line) for key, line in now.items() if key not in then]
    return came, [Effect.parse(line) for key, line in then.items() if key not in now]


def spelled(tally: Tally) -> tuple[str, str]:
    """Return all effects as lines, and a name for exactly what would be done to whom.

    Who cannot be served does not count, and neither does why something happens.
    """
    lines = [line for each in tally.lines.values() for line in each]
    deeds = [deed(line) for fate, each in tally.lines.items() if fate is not Fate.BLOCKED for line in each]
    digest = hashlib.sha256()
    # Sorted: a grant that is opened meanwhile moves its member to another place in the count, and changes nothing. In
    # portions: while Python sorts one list, no other thread runs.
    portions = [sorted(deeds[start : start + _SORTED_AT_ONCE]) for start in range(0, len(deeds), _SORTED_AT_ONCE)]
    for line in heapq.merge(*portions):
        digest.update(line.encode() + b"\n")
    return "\n".join(lines), digest.hexdigest()


def told_as(tally: Tally, people: str) -> dict[str, object]:
    """Return a tally as a preview keeps it; `people` are its effects as `spelled` wrote them.

    One text, not a list: it is written and read in one go, however many people it names.
    """
    return {"people": people, "done": tally.done, "unlinked": tally.unlinked}


def told(written: Mapping[str, object]) -> Tally:
    """Read back what `told_as` wrote."""
    tally = Tally(unlinked=int(str(written["unlinked"])))
    for line in str(written["people"]).splitlines():
        tally.add(Effect.parse(line))
    tally.done = tally.total = int(str(written["done"]))
    return tally


def _roles(text: str) -> tuple[RoleId, ...]:
    return tuple(RoleId(int(role)) for role in text.split(",")) if text else ()


def _new_claim(plan: Plan, purchase: Purchase) -> Claim:
    """Return the claim that the plan's new form would open for a purchase."""
    item = plan.unlocked_by(purchase)
    grant = Grant(
        # Negative, so that it is no number of a stored grant.
        id=GrantId(-purchase.id),
        purchase_id=purchase.id,
        plan_id=plan.id,
        guild_id=plan.guild_id,
        product_id=item.product_id if item else "",
        price_id=item.price_id if item else "",
        state=GrantState.PENDING,
        reason=Reason.NOT_LINKED,
        opened_at=purchase.started_at,
    )
    return Claim(grant=grant, purchase=purchase, plan=plan)


def _is_kicked(decision: Decision) -> bool:
    """Say whether the member would have to leave the server, at once or a day later."""
    if any(outcome.is_live for outcome in decision.outcomes):
        return False
    return decision.kick or any(outcome.is_ending and outcome.rule is OnEnd.KICK for outcome in decision.outcomes)


def _obstacle(standing: Standing, observed: Observation, roles: Set[RoleId], ground: Ground) -> str:
    """Name what keeps us from doing it: an exemption, their absence, or the refusal of a role; "" for nothing."""
    if standing.is_exempt:
        return EXEMPT
    if observed is None:
        return Reason.NOT_IN_SERVER.value
    for role in sorted(roles - {NEW_ROLE}):
        known = ground.roles.get(role)
        if known is None:
            return Reason.ROLE_DELETED.value
        if known.refusal:
            return known.refusal
    return ""


def _why(decision: Decision, plan: Plan, gained: frozenset[RoleId]) -> str:
    """Return the reason of the claim that speaks most for what happens, "" when nothing speaks any more."""
    giving = [outcome for outcome in decision.outcomes if gained & outcome.roles]
    ending = [outcome for outcome in decision.outcomes if outcome.access is Access.ENDED]
    outcomes: Sequence[Outcome] = giving or sorted(ending, key=lambda outcome: outcome.claim.plan.id != plan.id)
    return outcomes[0].reason.value if outcomes else ""
