"""Test cards: which behaviour a payment method has, by Stripe's own test ids and by the buttons of the sandbox."""

from __future__ import annotations

from enum import StrEnum


class Card(StrEnum):
    """What happens when this payment method is charged."""

    GOOD = "good"
    FAILS_LATER = "fails_later"
    DECLINED = "declined"
    NEEDS_ACTION = "needs_action"
    DISPUTED = "disputed"
    INQUIRY = "inquiry"
    REFUND_FAILS = "refund_fails"
    REFUND_PENDING = "refund_pending"
    DEBIT = "debit"
    DEBIT_FAILS = "debit_fails"

    @property
    def is_debit(self) -> bool:
        """Say whether the money arrives days later."""
        return self in (Card.DEBIT, Card.DEBIT_FAILS)


# https://docs.stripe.com/testing: payment methods and tokens that work without a card number.
TEST_METHODS: dict[str, Card] = {
    "pm_card_visa": Card.GOOD,
    "pm_card_mastercard": Card.GOOD,
    "tok_visa": Card.GOOD,
    "pm_card_chargeDeclined": Card.DECLINED,
    "pm_card_visa_chargeDeclined": Card.DECLINED,
    "pm_card_chargeCustomerFail": Card.DECLINED,
    "tok_chargeCustomerFail": Card.DECLINED,
    "pm_card_threeDSecure2Required": Card.NEEDS_ACTION,
    "pm_card_authenticationRequired": Card.NEEDS_ACTION,
    "pm_card_createDispute": Card.DISPUTED,
    "pm_card_createDisputeInquiry": Card.INQUIRY,
    "pm_card_refundFail": Card.REFUND_FAILS,
    "pm_card_pendingRefund": Card.REFUND_PENDING,
}

# https://docs.stripe.com/payments/sepa-debit/accept-a-payment#test-integration
FAILING_IBANS = ("AT861904300235473202", "IT60X0542811101000000123456", "DE62370400440532013001")


def of_iban(iban: str) -> Card:
    """Return how a direct debit from this account ends."""
    return Card.DEBIT_FAILS if iban.replace(" ", "") in FAILING_IBANS else Card.DEBIT
