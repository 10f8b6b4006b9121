"""What happened to a membership, one line each, said to its customer. Pure; what they may read is decided before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from locales.catalogue import Words, translatable
from locales.member_reasons import member_reason
from membership.desk import Payment, PaymentKind
from membership.portal_story import Told
from membership.records import AuditEntry
from web.wording import money


def told_words(words: Words, told: Told) -> tuple[datetime, str]:
    """Say one thing that happened, with when."""
    what = told.what
    return told.at, _payment(words, what) if isinstance(what, Payment) else _entry(words, what)


def _payment(words: Words, payment: Payment) -> str:
    if not payment.amount and payment.kind is PaymentKind.REFUND:
        return words.say("Refunded in part")
    price = words.amount(money(payment.amount, payment.currency))
    return words.say(_PAYMENTS[payment.kind], money=price)


def _entry(words: Words, entry: AuditEntry) -> str:
    text = words.say(_EVENTS[entry.event])
    reason = (entry.detail or {}).get("reason")
    if entry.event in _WITH_REASON and reason:
        return words.say("{what}: {reason}", what=text, reason=member_reason(words, reason))
    return text


_PAYMENTS: Mapping[PaymentKind, str] = {
    PaymentKind.NEW: translatable("Paid {money}"),
    PaymentKind.RENEWAL: translatable("Renewed, paid {money}"),
    PaymentKind.REFUND: translatable("Refunded {money}"),
    PaymentKind.FAILED: translatable("A payment of {money} failed"),
}
_WITH_REASON = ("grant.revoked", "grant.failed")
_EVENTS: Mapping[str, str] = {
    "grant.created": translatable("Bought"),
    "grant.trial_started": translatable("The trial began"),
    "grant.delivered": translatable("Everything was given to you"),
    "grant.failed": translatable("It could not be given"),
    "grant.past_due": translatable("A payment is overdue"),
    "grant.recovered": translatable("The payment arrived after all"),
    "grant.ending": translatable("Cancelled, and it runs until its end"),
    "grant.revoked": translatable("It ended"),
    "grant.changed": translatable("You changed to another plan"),
    "grant.paused": translatable("The subscription was paused"),
    "grant.resumed": translatable("The subscription goes on"),
    "member.joined_with_grant": translatable("You joined the server"),
    "member.left_with_grant": translatable("You left the server"),
    "role.added": translatable("A role was given"),
    "role.removed": translatable("A role was taken back"),
    "role.drift_fixed": translatable("A role that was missing was given again"),
    "link.created": translatable("The Discord account was connected"),
    "link.moved": translatable("Moved to this Discord account"),
    "link.removed": translatable("The Discord account was disconnected"),
    "customer.cancelled": translatable("You pressed Cancel"),
    "customer.resumed": translatable("You took the cancellation back"),
}
