"""A tiny world: one member at Discord and our holdings, changed by steps the way the real performer changes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from membership.diff import Add, Disown, Join, Kick, Limits, Own, Remove, Step, diff
from membership.entitlements import Access, decide
from membership.model import Claim, GrantState, Holding, HoldingState, MemberFacts, Observation, RoleId, Seen

Act = Join | Add | Remove | Kick


@dataclass(slots=True)
class World:
    """What is true. `roles` is None while the person is not in the guild."""

    facts: MemberFacts
    roles: frozenset[RoleId] | None
    limits: Limits
    now: datetime
    is_pending: bool = False

    @classmethod
    def of(cls, facts: MemberFacts, observed: Observation, limits: Limits, now: datetime) -> World:
        """Start from drawn facts."""
        if observed is None:
            return cls(facts, None, limits, now)
        return cls(facts, observed.roles, limits, now, observed.is_pending)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return what a reconciliation would do now."""
        observed = None if self.roles is None else Seen(roles=self.roles, is_pending=self.is_pending)
        return diff(decide(self.facts, now=self.now), observed, self.facts.holdings, self.limits, now=self.now)

    @property
    def end(self) -> tuple[frozenset[RoleId] | None, dict[RoleId, HoldingState]]:
        """Return what must come out the same, whatever happened on the way.

        What is remembered of somebody outside depends on when they were last seen.
        """
        states = {holding.role_id: holding.state for holding in self.facts.holdings}
        if self.roles is None:
            states = {role: state for role, state in states.items() if state is not HoldingState.REMOVING}
        return self.roles, states

    def reconcile(self, happens: Callable[[int], bool] = lambda _: True, *, is_settled: bool = True) -> None:
        """Write ownership, take those acts that happen, by their place, and settle unless the process died first."""
        steps = self.steps
        for step in steps:
            self._write_ownership(step)
        acts: Sequence[Act] = [step for step in steps if isinstance(step, Act)]
        done = [act for place, act in enumerate(acts) if happens(place) and self._perform(act)]
        if is_settled:
            self._settle(done)
            if any(isinstance(act, Join) for act in done):
                # Discord tells of the join: only now is it seen which remembered roles did not come along.
                self.reconcile(happens)

    def settle_grants(self) -> None:
        """Mark every ended claim's grant as revoked, as is done once its roles are gone."""
        outcomes = decide(self.facts, now=self.now).outcomes
        self.facts = replace(self.facts, claims=tuple(_revoked_if(o.access is Access.ENDED, o.claim) for o in outcomes))

    def _write_ownership(self, step: Step) -> None:
        match step:
            case Own(role, state, is_repair):
                self._own(role, state, is_repair=is_repair)
            case Remove(role, _, True):
                self._own(role, HoldingState.REMOVING)
            case Disown(role):
                self._disown(role)
            case _:
                pass

    def _perform(self, act: Act) -> bool:
        if self.roles is None:
            if isinstance(act, Join):
                self.roles = frozenset()
            return isinstance(act, Join)
        match act:
            case Add(role):
                self.roles |= {role}
            case Remove(role):
                self.roles -= {role}
            case Kick():
                self.roles = None
            case Join():
                raise AssertionError("a member cannot join")
        return True

    def _settle(self, done: Sequence[Act]) -> None:
        for act in done:
            match act:
                case Add(role):
                    self._own(role, HoldingState.HELD)
                case Remove(role):
                    self._disown(role)
                case Kick() | Join():
                    pass

    def _own(self, role: RoleId, state: HoldingState, *, is_repair: bool = False) -> None:
        known = {holding.role_id: holding for holding in self.facts.holdings}
        holding = replace(known.get(role, Holding(role_id=role, state=state)), state=state)
        if is_repair:
            holding = replace(holding, repairs=holding.repairs + 1, repairs_since=holding.repairs_since or self.now)
        self.facts = replace(self.facts, holdings=tuple((known | {role: holding}).values()))

    def _disown(self, role: RoleId) -> None:
        left = tuple(holding for holding in self.facts.holdings if holding.role_id != role)
        self.facts = replace(self.facts, holdings=left)


def _revoked_if(is_ended: bool, claim: Claim) -> Claim:
    return replace(claim, grant=replace(claim.grant, state=GrantState.REVOKED)) if is_ended else claim
