"""The serving child of `ingest`: Doorlist's own web application three times, which differ only in how events are kept.

`none` keeps nothing, `each` commits every event on its own, `group` is what production does. No worker runs: what
an event leads to is not part of accepting it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

from app.door import Door
from app.process import offline
from app.settings import Settings
from bench.child import answer
from membership.ledgers import Intake
from membership.ports import IncomingEvent
from membership.services import Services
from web.app import build_app
from web.config import WebSettings
from web.parts import DiscordApplication, Health, Parts
from web.server import start_server

HOST = "127.0.0.1"


class KeepNothing:
    """An intake that has accepted everything at once."""

    async def accept(self, provider: str, events: Sequence[IncomingEvent]) -> int:
        """Count the events."""
        return len(events)


class CommitEach:
    """An intake with a transaction for every request: how it is usually done."""

    def __init__(self, services: Services) -> None:
        """Take the services whose store to write to."""
        self._services = services

    async def accept(self, provider: str, events: Sequence[IncomingEvent]) -> int:
        """Store the events of one request."""
        async with self._services.store.write() as tx:
            return await tx.inbox.add(provider, events, self._services.clock.now())


async def main(database: str, secret: str) -> None:
    """Serve until the asking end is done."""
    settings = Settings.model_validate(
        {
            "mode": "live",
            "database": {"url": f"sqlite:///{database}"},
            "payments": {"stripe": {"api_key": "sk_test_bench", "webhook_secret": secret}},
        }
    )
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(offline(settings))
        intakes: dict[str, Intake] = {
            "none": KeepNothing(),
            "group": services.intake,
            "each": CommitEach(services),
        }
        ports = {name: await _serve(stack, services, intake) for name, intake in intakes.items()}

        async def tell_ports() -> dict[str, int]:
            return ports

        async def count_stored() -> int:
            async with services.store.read() as tx:
                return (await tx.jobs.counts())["due"]

        await answer({"ports": tell_ports, "stored": count_stored})


async def _serve(stack: AsyncExitStack, services: Services, intake: Intake) -> int:
    """Start one of the applications and return its port."""
    parts = Parts(
        settings=WebSettings(host=HOST, port=0),
        public_url=services.public_url,
        discord=DiscordApplication(client_id="", client_secret=""),
        services=services,
        store=services.store,
        intake=intake,
        providers=services.sellers.by_name,
        use_cases=Door(services, site_url="", look=_nothing_to_see),
        clock=services.clock,
        randomness=services.randomness,
    )
    runner = await start_server(build_app(parts), parts.settings)
    stack.push_async_callback(runner.cleanup)
    port: int = runner.addresses[0][1]
    return port


async def _nothing_to_see() -> Health:
    return Health(checks={})


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
