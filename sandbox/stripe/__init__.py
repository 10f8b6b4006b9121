"""A local Stripe: a stateful API, hosted pages, signed deliveries and a movable clock."""

from sandbox.stripe.cards import Card
from sandbox.stripe.local import LocalStripe

__all__ = ["Card", "LocalStripe"]
