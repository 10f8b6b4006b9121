"""Builds the payment platforms that are configured. Nothing else needs to know which ones there are."""

from __future__ import annotations

from collections.abc import Mapping

from membership.ports import Clock, Provider, Randomness
from providers.base import USUAL_PATIENCE, Patience
from providers.config import PaymentsSettings, StripeSettings
from providers.stripe import StripeProvider
from providers.stripe_client import StripeClient


def build_providers(
    settings: PaymentsSettings, *, clock: Clock, randomness: Randomness, patience: Patience = USUAL_PATIENCE
) -> Mapping[str, Provider]:
    """Return the platforms that have a key, by their name. Opens no connection; call `close` on each at the end."""
    providers: dict[str, Provider] = {}
    if settings.stripe.api_key.get_secret_value().strip():
        providers[StripeProvider.name] = build_stripe(
            settings.stripe, clock=clock, randomness=randomness, patience=patience
        )
    return providers


def build_stripe(
    settings: StripeSettings, *, clock: Clock, randomness: Randomness, patience: Patience = USUAL_PATIENCE
) -> StripeProvider:
    """Return Stripe as configured, whether or not it has a key."""
    client = StripeClient(
        settings.api_key.get_secret_value().strip(),
        api_url=settings.api_url,
        account_id=settings.account_id,
        jitter=randomness.jitter,
        patience=patience,
    )
    secrets = (settings.webhook_secret.get_secret_value(), settings.previous_webhook_secret.get_secret_value())
    return StripeProvider(client, secrets=secrets, now=clock.now)
