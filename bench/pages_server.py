"""The serving child of `pages`: Doorlist's own web application over many memberships. No worker runs, no bot is there.

Who may do what is the one thing that the bot is asked for, and here everybody may do everything.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, cast

from app.door import Door
from app.process import offline
from app.settings import Settings
from bench.child import answer
from bench.roster_crowd import FIRST_USER, fill
from membership import sign_ins
from membership.browsing import Person
from membership.model import MemberKey, UserId
from membership.ports import Discord, ServerRights
from membership.services import Services
from membership.sign_ins import Proven
from storage.store import Database
from web.app import build_app
from web.config import WebSettings
from web.parts import DiscordApplication, Health, Parts
from web.server import start_server

HOST = "127.0.0.1"
_EVERYTHING = ServerRights(
    is_owner=True,
    is_administrator=True,
    can_manage_server=True,
    can_manage_roles=True,
    name="bench",
    top_position=None,
)


class KnowsRights:
    """A Discord that answers who may do what, and is unconnected otherwise."""

    def __init__(self, discord: Discord) -> None:
        """Take the unconnected one."""
        self._discord = discord

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Ask the unconnected one everything else."""
        return cast("Callable[..., Any]", getattr(self._discord, name))

    async def rights(self, key: MemberKey) -> ServerRights | None:
        """Let everybody do everything."""
        return _EVERYTHING


async def main(database: str, secret: str, count: str) -> None:
    """Serve until the asking end is done."""
    settings = Settings.model_validate(
        {
            "mode": "live",
            "database": {"url": f"sqlite:///{database}"},
            "payments": {"stripe": {"api_key": "sk_test_bench", "webhook_secret": secret}},
        }
    )
    async with AsyncExitStack() as stack:
        unconnected = await stack.enter_async_context(offline(settings))
        services = replace(unconnected, discord=cast("Discord", KnowsRights(unconnected.discord)))
        guild_id = await fill(cast("Database", services.store), services, int(count))
        staff = Proven(user_id=UserId(FIRST_USER), name="bench")
        customer = Proven(user_id=UserId(FIRST_USER + 1), email="buyer1@example.com", name="bench")
        about = {
            "port": await _serve(stack, services),
            "guild_id": guild_id,
            "first_user": FIRST_USER,
            "process": os.getpid(),
            "doorlist-staff": await sign_ins.begin(services, Person.STAFF, staff, "bench"),
            "doorlist-portal": await sign_ins.begin(services, Person.CUSTOMER, customer, "bench"),
        }

        async def tell_about() -> dict[str, object]:
            return about

        await answer({"about": tell_about})


async def _serve(stack: AsyncExitStack, services: Services) -> int:
    settings = WebSettings(host=HOST, port=0)
    parts = Parts(
        settings=settings,
        public_url=f"http://{HOST}",
        discord=DiscordApplication(client_id="", client_secret=""),
        services=services,
        store=services.store,
        intake=services.intake,
        providers=services.sellers.by_name,
        use_cases=Door(services, site_url="", look=_nothing_to_see),
        clock=services.clock,
        randomness=services.randomness,
    )
    runner = await start_server(build_app(parts), settings)
    stack.push_async_callback(runner.cleanup)
    port: int = runner.addresses[0][1]
    return port


async def _nothing_to_see() -> Health:
    return Health(checks={})


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
