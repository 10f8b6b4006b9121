"""What a seller can configure at Stripe and the sandbox lets people change: versions, dunning, delays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

PINNED_VERSION = "2026-10-28.endive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Autofill:
    """What the buyer's browser fills in on the checkout; "" for nothing."""

    email: str = ""
    name: str = ""


@dataclass(slots=True)
class Settings:
    """The account's settings. Durations are measured on the sandbox clock."""

    api_version: str = PINNED_VERSION
    # A renewal invoice stays a draft for about an hour: https://docs.stripe.com/billing/invoices/subscription
    finalize_after: timedelta = timedelta(hours=1)
    retry_after_days: tuple[int, ...] = (3, 5, 7)
    when_retries_end: Literal["cancel", "unpaid", "past_due"] = "cancel"
    incomplete_expires_after: timedelta = timedelta(hours=23)
    debit_settles_after: timedelta = timedelta(minutes=3)
    session_lives: timedelta = timedelta(hours=24)
    autofill: Autofill = Autofill()
