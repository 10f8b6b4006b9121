"""The whole outside world on one port: local Discord, local Stripe, the mailbox, and the page that shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from sandbox.clock import MovableClock
from sandbox.discord import LocalDiscord
from sandbox.discord.buckets import Buckets
from sandbox.mailbox import Mailbox
from sandbox.page.site import Site
from sandbox.parts import DISCORD_MOUNT, STRIPE_KEY, STRIPE_MOUNT, Outside
from sandbox.seed import seed
from sandbox.stripe import LocalStripe

LARGEST_REQUEST = 32 * 1024 * 1024

__all__ = ["Outside", "outside"]


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
    app = web.Application(client_max_size=LARGEST_REQUEST)
    Site(world).add_to(app)
    app.add_subapp(DISCORD_MOUNT, world.discord.app())
    app.add_subapp(STRIPE_MOUNT, world.stripe.app())
    return app
