"""The [payments] section of the configuration: one sub-section for each payment platform."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class StripeSettings(BaseModel):
    """The seller's own Stripe account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr = Field(default=SecretStr(""), description="a restricted key, rk_live_... or rk_test_...")
    webhook_secret: SecretStr = Field(default=SecretStr(""), description="whsec_...; empty: the webhook address is off")
    previous_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="accepted as well while the secret is being changed"
    )
    account_id: str = Field(default="", description="acct_...; empty: the key's own account")
    api_url: str = "https://api.stripe.com"
    checkout_url: str = Field(default="https://checkout.stripe.com", description="where its checkout pages are")
    portal_url: str = Field(default="https://billing.stripe.com", description="where customers manage billing")


class PaymentsSettings(BaseModel):
    """The payment platforms; one without a key is off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stripe: StripeSettings = StripeSettings()
