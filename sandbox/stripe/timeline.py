"""The passing of time: plays what is due in order of time. Every change to an object plans its moments again."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from sandbox.stripe import billing, checkout, payments, renewals, schedules, subscriptions, versions
from sandbox.stripe.moments import Moment, due_of
from sandbox.stripe.shapes import Object
from sandbox.stripe.world import World

_MAX_MOMENTS = 200_000
_RANK = {moment: rank for rank, moment in enumerate(Moment)}

_Entry = tuple[int, int, int, Moment, Object]


class Timeline:
    """The plan of everything that will happen by itself, one per test clock and one for the sandbox clock."""

    def __init__(self, world: World) -> None:
        """Plan for `world`."""
        self._world = world
        self._plans: dict[str, list[_Entry]] = {}
        self._order = count()

    def play(self, until: int, test_clock: str | None = None, *, at_most: int = _MAX_MOMENTS) -> int:
        """Play the moments up to `until` (a second), `at_most` so many, and return how many it looked at."""
        played = 0
        for _ in range(at_most):
            self._plan_touched()
            plan = self._plans.get(test_clock or "", [])
            if not plan or plan[0][0] > until:
                break
            at, _rank, _order, moment, subject = heapq.heappop(plan)
            if (at, moment) not in due_of(self._world, subject) or _is_done(self._world, subject, moment, at):
                played += 1
                continue
            self._world.play_as_of(at, test_clock)
            try:
                _PLAYED[moment](self._world, subject)
            finally:
                self._world.play_as_of(None, test_clock)
            played += 1
        return played

    def advance_test_clock(self, clock: Object, to: int) -> Object:
        """Move a test clock forward and play what it passes."""
        self.play(to, clock["id"])
        return self._world.update(clock, event="advancing", frozen_time=to)

    def _plan_touched(self) -> None:
        touched, self._world.touched = self._world.touched, []
        for document in touched:
            plan = self._plans.setdefault(document.get("test_clock") or "", [])
            for at, moment in due_of(self._world, document):
                heapq.heappush(plan, (at, _RANK[moment], next(self._order), moment, document))


def _is_done(world: World, subject: Object, moment: Moment, at: int) -> bool:
    """Say whether a moment was played before although the object does not show it (a notice)."""
    notes = world.secrets_of(subject["id"])
    if moment is Moment.TRIAL_NOTICE:
        return bool(notes.get("noticed") == subject["trial_end"])
    return moment is Moment.SCHEDULE_EXPIRING and bool(notes.get("announced"))


def _expire_session(world: World, session: Object) -> None:
    checkout.expire(world, session)


def _cancel(world: World, subscription: Object) -> None:
    reason = subscription["cancellation_details"]["reason"] or "cancellation_requested"
    subscriptions.cancel(world, subscription, reason=reason)


def settle_debit(world: World, intent: Object) -> None:
    """End a bank debit and tell everything that waited for it: the invoice, the session."""
    arrived = payments.settle_debit(world, intent)
    invoice = world.find("invoice", versions.invoice_of_payment(world, intent["id"]))
    if invoice:
        billing.debit_ended(world, invoice, arrived=arrived)
    session = checkout.session_of_payment(world, intent["id"])
    if session:
        checkout.settle(world, session, arrived=arrived)


def _start_schedule(world: World, schedule: Object) -> None:
    schedules.enter_phase(world, schedule, 0)


_PLAYED: dict[Moment, Callable[[World, Object], None]] = {
    Moment.EXPIRE_SESSION: _expire_session,
    Moment.EXPIRE_INCOMPLETE: subscriptions.expire_incomplete,
    Moment.CANCEL: _cancel,
    Moment.EXPIRE_PENDING: renewals.expire_pending,
    Moment.SETTLE_DEBIT: settle_debit,
    Moment.FINALIZE_DRAFT: renewals.finalize_draft,
    Moment.RETRY_PAYMENT: renewals.retry_payment,
    Moment.TRIAL_NOTICE: subscriptions.notify_trial_end,
    Moment.END_TRIAL: renewals.end_trial,
    Moment.RESUME_COLLECTION: renewals.resume_collection,
    Moment.RENEW: renewals.renew,
    Moment.SCHEDULE_STARTS: _start_schedule,
    Moment.SCHEDULE_EXPIRING: schedules.announce_expiring,
    Moment.NEXT_PHASE: schedules.next_phase,
}
