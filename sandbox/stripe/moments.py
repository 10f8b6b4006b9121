"""When something happens by itself: the due moments of one object, each named by what is to be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

from sandbox.stripe.schedules import EXPIRING_NOTICE_SECONDS
from sandbox.stripe.shapes import Object
from sandbox.stripe.subscriptions import ENDED, TRIAL_NOTICE_SECONDS, first_period_end
from sandbox.stripe.world import World


class Moment(StrEnum):
    """What is due. The order of the members decides between moments of the same second: ends come before renewals."""

    EXPIRE_SESSION = "expire_session"
    EXPIRE_INCOMPLETE = "expire_incomplete"
    CANCEL = "cancel"
    EXPIRE_PENDING = "expire_pending"
    SETTLE_DEBIT = "settle_debit"
    FINALIZE_DRAFT = "finalize_draft"
    RETRY_PAYMENT = "retry_payment"
    TRIAL_NOTICE = "trial_notice"
    END_TRIAL = "end_trial"
    RESUME_COLLECTION = "resume_collection"
    RENEW = "renew"
    SCHEDULE_STARTS = "schedule_starts"
    SCHEDULE_EXPIRING = "schedule_expiring"
    NEXT_PHASE = "next_phase"


Due = tuple[int, Moment]


def due_of(world: World, document: Object) -> Iterator[Due]:
    """Yield what the present state of an object makes due, and when (a second)."""
    planned = _PLANS.get(document["object"])
    if planned is not None and not document.get("deleted"):
        yield from planned(world, document)


def _of_subscription(world: World, subscription: Object) -> Iterator[Due]:
    status = subscription["status"]
    if status in ENDED:
        return
    if subscription["cancel_at"]:
        yield subscription["cancel_at"], Moment.CANCEL
    if subscription["pending_update"]:
        yield subscription["pending_update"]["expires_at"], Moment.EXPIRE_PENDING
    paused = subscription["pause_collection"]
    if paused and paused["resumes_at"]:
        yield paused["resumes_at"], Moment.RESUME_COLLECTION
    if status == "incomplete":
        lives = int(world.settings.incomplete_expires_after.total_seconds())
        yield subscription["created"] + lives, Moment.EXPIRE_INCOMPLETE
    elif status == "trialing":
        yield subscription["trial_end"] - TRIAL_NOTICE_SECONDS, Moment.TRIAL_NOTICE
        yield subscription["trial_end"], Moment.END_TRIAL
    elif status != "paused":
        yield first_period_end(subscription), Moment.RENEW


def _of_invoice(world: World, invoice: Object) -> Iterator[Due]:
    if invoice["status"] == "draft" and invoice["automatically_finalizes_at"]:
        yield invoice["automatically_finalizes_at"], Moment.FINALIZE_DRAFT
    if invoice["status"] == "open" and invoice["next_payment_attempt"]:
        yield invoice["next_payment_attempt"], Moment.RETRY_PAYMENT


def _of_session(world: World, session: Object) -> Iterator[Due]:
    if session["status"] == "open":
        yield session["expires_at"], Moment.EXPIRE_SESSION


def _of_intent(world: World, intent: Object) -> Iterator[Due]:
    if intent["status"] == "processing":
        yield intent["created"] + int(world.settings.debit_settles_after.total_seconds()), Moment.SETTLE_DEBIT


def _of_schedule(world: World, schedule: Object) -> Iterator[Due]:
    if schedule["status"] == "not_started":
        yield schedule["phases"][0]["start_date"], Moment.SCHEDULE_STARTS
    elif schedule["status"] == "active":
        yield schedule["phases"][-1]["end_date"] - EXPIRING_NOTICE_SECONDS, Moment.SCHEDULE_EXPIRING
        yield schedule["current_phase"]["end_date"], Moment.NEXT_PHASE


_PLANS: dict[str, Callable[[World, Object], Iterator[Due]]] = {
    "subscription": _of_subscription,
    "invoice": _of_invoice,
    "checkout.session": _of_session,
    "payment_intent": _of_intent,
    "subscription_schedule": _of_schedule,
}
