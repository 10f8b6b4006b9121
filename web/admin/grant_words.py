"""Memberships in words, for staff: a state with its sign and tone, what comes next, where it comes from. Pure.

Which state it is in is decided in membership/shown; the sign repeats the colour, which is never alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from locales.catalogue import Words, translatable
from membership.desk import PaymentKind
from membership.model import Plan, Proof, PurchaseStatus
from membership.records import HOUSE, Account
from membership.resending import Sending
from membership.shown import ShownGrant, ShownState
from web.admin.staff_words import reason_text
from web.state_looks import LOOKS, PLAIN_NAMES
from web.wording import money

_MENTION = re.compile(r"<@!?(\d{1,20})>")
_ROLE_MENTION = re.compile(r"<@&(\d{1,20})>")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLook:
    """A state as it is read: `tone` is ok, info, warn, bad or off."""

    tone: str
    sign: str
    text: str


def look_of(words: Words, shown: ShownGrant, zone: tzinfo) -> StateLook:
    """Say a membership's state, and why where that is not plain."""
    tone, sign = LOOKS[shown.state]
    return StateLook(tone=tone, sign=sign, text=_text(words, shown, zone))


def short_look(words: Words, shown: ShownGrant) -> StateLook:
    """Say a membership's state in a word or two, where a list has room for no more."""
    tone, sign = LOOKS[shown.state]
    return StateLook(tone=tone, sign=sign, text=words.say(NAMES[shown.state]))


def next_words(words: Words, shown: ShownGrant, zone: tzinfo) -> str:
    """Say what comes next by itself, or why nothing does: "renews 21 Dec 2026", "cancelled", "" for nothing to say."""
    if shown.state in (ShownState.FAILED, ShownState.REVOKED, ShownState.REMOVING):
        return reason_text(words, shown.reason)
    if shown.at is None:
        return ""
    day = f"{words.short_day(shown.at, zone)} {shown.at.astimezone(zone).year}"
    if shown.is_renewing:
        return words.say("renews {day}", day=day)
    if shown.state is ShownState.PENDING_LINK and shown.at == shown.purchase.period_ends_at:
        return words.say("paid until {day}", day=day)
    if shown.state is ShownState.TRIALING:
        return words.say("trial ends {day}", day=day)
    return words.say("ends {day}", day=day)


def state_name(words: Words, state: ShownState) -> str:
    """Name a state, as in a list to choose from."""
    return words.say(NAMES[state])


def source_words(words: Words, account: Account | None, external_id: str) -> str:
    """Say where a membership comes from: a payment platform, or that it was given."""
    if account is None or account.provider == HOUSE:
        kinds = {"code": words.say("by a code"), "import": words.say("imported")}
        return kinds.get(external_id.partition(":")[0], words.say("given by staff"))
    return account.provider.capitalize()


def price_words(words: Words, shown: ShownGrant) -> str:
    """Say what is paid, "" where nothing is or it is not known."""
    purchase = shown.purchase
    return words.amount(money(purchase.amount, purchase.currency)) if shown.is_paid and purchase.amount else ""


def totals(words: Words, paid: Mapping[str, int]) -> str:
    """Write sums of money in several currencies."""
    return " + ".join(words.amount(money(amount, currency)) for currency, amount in sorted(paid.items()))


def status_words(words: Words, status: PurchaseStatus) -> str:
    """Say a purchase's status at its payment platform."""
    return words.say(_STATUSES[status])


def proof_words(words: Words, proof: Proof) -> str:
    """Say what tied somebody to their purchase."""
    return words.say(_PROOFS[proof])


def payment_words(words: Words, kind: PaymentKind) -> str:
    """Say what happened to money."""
    return words.say(_PAYMENTS[kind])


def sending_words(words: Words, sending: Sending) -> str:
    """Say what came of a mail that was asked for."""
    return words.say(_SENDINGS[sending])


def end_words(words: Words, plan: Plan) -> str:
    """Say what the end of a membership does to the member, by its plan."""
    return words.say(_ENDS[plan.on_end.value])


def readable(text: str, names: Mapping[int, str]) -> str:
    """Put names where a text for Discord mentions members and roles; unknown ones keep their number."""

    def named(found: re.Match[str]) -> str:
        return names.get(int(found[1]), f"@{found[1]}")

    return _MENTION.sub(named, _ROLE_MENTION.sub(named, text))


def _text(words: Words, shown: ShownGrant, zone: tzinfo) -> str:
    day = "" if shown.at is None else words.day(shown.at, zone)
    match shown.state:
        case ShownState.TRIALING if day:
            return words.say("Trial until {day}", day=day)
        case ShownState.ENDING if day:
            return words.say("Ends {day}", day=day)
        case ShownState.PAST_DUE if day:
            return words.say("Payment failed, access until {day}", day=day)
        case ShownState.FAILED:
            return words.say("Not delivered: {reason}", reason=reason_text(words, shown.reason))
        case ShownState.REVOKED if day:
            return words.say("Ended {day}: {reason}", day=day, reason=reason_text(words, shown.reason))
        case _:
            return words.say(NAMES[shown.state])


NAMES: Mapping[ShownState, str] = {**PLAIN_NAMES, ShownState.ENDING: translatable("Cancelled, still running")}
"""As customers read them; of an ending one staff want to know why."""
_STATUSES: Mapping[PurchaseStatus, str] = {
    PurchaseStatus.PENDING: translatable("not paid yet"),
    PurchaseStatus.TRIALING: translatable("in trial"),
    PurchaseStatus.ACTIVE: translatable("paid"),
    PurchaseStatus.PAST_DUE: translatable("payment failed"),
    PurchaseStatus.PAUSED: translatable("paused"),
    PurchaseStatus.UNPAID: translatable("not paid"),
    PurchaseStatus.ENDED: translatable("ended"),
    PurchaseStatus.EXPIRED: translatable("expired"),
    PurchaseStatus.UNKNOWN: translatable("not clear"),
}
_PROOFS: Mapping[Proof, str] = {
    Proof.OAUTH: translatable("by Discord sign-in"),
    Proof.CHECKOUT: translatable("by a checkout that they started in Discord"),
    Proof.CODE: translatable("by a code"),
    Proof.EMAIL: translatable("by their verified e-mail"),
    Proof.STAFF: translatable("by staff"),
}
_PAYMENTS: Mapping[PaymentKind, str] = {
    PaymentKind.NEW: translatable("Paid"),
    PaymentKind.RENEWAL: translatable("Renewed"),
    PaymentKind.REFUND: translatable("Refunded"),
    PaymentKind.FAILED: translatable("Payment failed"),
}
_SENDINGS: Mapping[Sending, str] = {
    Sending.QUEUED: translatable("The mail is on its way."),
    Sending.QUEUED_BEFORE: translatable("The mail was sent less than an hour ago already, so not again."),
    Sending.NO_MAIL_SERVER: translatable("No mail was sent: whoever runs Doorlist has not set up a mail server."),
    Sending.NO_ADDRESS: translatable("No mail was sent: the payment provider told no e-mail address."),
    Sending.ADDRESS_REFUSED: translatable(
        "No mail was sent: this address bounces. They have to correct it at the payment provider."
    ),
    Sending.NOT_LINKED: translatable("No Discord account is connected yet."),
    Sending.NOT_DELIVERED: translatable("Nothing was delivered yet that a message could tell of."),
    Sending.TURNED_OFF: translatable("They, or this server, turned direct messages off."),
}
_ENDS: Mapping[str, str] = {
    "nothing": translatable("The roles stay."),
    "remove_roles": translatable("The roles of the plan are taken, unless something else gives them."),
    "remove_all_roles": translatable("All their roles are taken."),
    "kick": translatable("The roles are taken, and a day later they are kicked unless something else speaks for them."),
}
