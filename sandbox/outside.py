"""The whole outside world on one port: local Discord, local Stripe, the mailbox, and the page that shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from sandbox.clock import MovableClock
from sandbox.discord import LocalDiscord
from sandbox.discord.buckets import Buckets
from sandbox.mailbox import Mailbox
from sandbox.seed import Seed, seed
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
    def stripe_key(self) -> str:
        """Return the secret key of the Stripe account."""
        return STRIPE_KEY

    @property
    def stripe_api_url(self) -> str:
        """Return the base of Stripe's API."""
        return f"{self.url}{STRIPE_MOUNT}"


@asynccontextmanager
async def outside(
    clock: MovableClock, *, host: str, port: int, doorlist_url: str, buckets: Buckets | None = None
) -> AsyncIterator[Outside]:
    """Run the outside world for a Doorlist at `doorlist_url`. Raises OSError when the port is taken."""
    url = f"http://{host}:{port}"
    async with AsyncExitStack() as stack:
        discord = LocalDiscord(clock, buckets=buckets, base_url=f"{url}{DISCORD_MOUNT}")
        stripe = LocalStripe(clock, secret_key=STRIPE_KEY)
        stripe.base_url = f"{url}{STRIPE_MOUNT}"
        mailbox = Mailbox(clock, host=host)
        world = Outside(
            clock=clock,
            discord=discord,
            stripe=stripe,
            mailbox=mailbox,
            seed=seed(discord, stripe, doorlist_url),
            url=url,
            doorlist_url=doorlist_url,
        )
        runner = web.AppRunner(_app(world), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, host, port).start()
        await mailbox.start()
        stack.push_async_callback(mailbox.close)
        await stripe.start()
        stack.push_async_callback(stripe.close)
        yield world


def _app(world: Outside) -> web.Application:
    app = web.Application()
    app.add_subapp(DISCORD_MOUNT, world.discord.app())
    app.add_subapp(STRIPE_MOUNT, world.stripe.app())
    return app
