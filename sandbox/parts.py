"""The parts of the running outside world in one record, with the addresses that Doorlist's settings are given."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.clock import MovableClock
from sandbox.discord import LocalDiscord
from sandbox.mailbox import Mailbox
from sandbox.seed import Seed
from sandbox.stripe import LocalStripe

DISCORD_MOUNT = "/_emu/discord"
STRIPE_MOUNT = "/_emu/stripe"
STRIPE_KEY = "sk_test_sandbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The running world. The addresses are what Doorlist's settings take in place of the real ones."""

    clock: MovableClock
    discord: LocalDiscord
    stripe: LocalStripe
    mailbox: Mailbox
    seed: Seed
    url: str
    doorlist_url: str

    @property
    def discord_api_url(self) -> str:
        """Return the base of Discord's REST API."""
        return f"{self.url}{DISCORD_MOUNT}/api/v10"

    @property
    def discord_gateway_url(self) -> str:
        """Return Discord's gateway."""
        return f"{self.url.replace('http', 'ws', 1)}{DISCORD_MOUNT}/gateway"

    @property
    def discord_site_url(self) -> str:
        """Return where people sign in at Discord."""
        return f"{self.url}{DISCORD_MOUNT}"

    @property
    def discord_cdn_url(self) -> str:
        """Return where Discord keeps pictures."""
        return self.discord_site_url

    @property
    def stripe_key(self) -> str:
        """Return the secret key of the Stripe account."""
        return STRIPE_KEY

    @property
    def stripe_api_url(self) -> str:
        """Return the base of Stripe's API."""
        return f"{self.url}{STRIPE_MOUNT}"
