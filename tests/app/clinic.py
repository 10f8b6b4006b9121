"""A healthy Doorlist with its outside, to be broken in one place at a time and looked at by the doctor.

Nothing of Doorlist runs: the doctor looks at the stored data, and asks the local Discord, Stripe and mail server.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import web as aiohttp_web

from app.checks.every import every_check
from app.clocks import LAST_RUN
from app.doctor import open_patient
from app.process import offline
from app.sandboxed import HOST, free_port, pointed_at
from app.settings import Loaded, Settings
from membership import plans, resync
from membership.checks import Outcome, Result, run_checks
from membership.errors import Reason
from membership.model import (
    ChannelId,
    CustomerSnapshot,
    GrantState,
    GuildId,
    Item,
    Plan,
    PlanId,
    PlanProduct,
    PurchaseKind,
    PurchaseSnapshot,
    PurchaseStatus,
    RoleId,
)
from membership.services import Services
from sandbox.clock import MovableClock
from sandbox.outside import Outside, outside
from tests.storage.databases import settings as database_settings
from tests.storage.databases import sqlite_template
from web import health

FIRST_PORT = 31000 + os.getpid() % 300 * 40
"""Test runs beside this one take other ports."""


@dataclass(kw_only=True)
class Clinic:
    """The outside, the stored data, and the doctor."""

    outside: Outside
    settings: Settings
    services: Services
    clock: MovableClock
    folder: Path

    @property
    def guild_id(self) -> GuildId:
        return GuildId(self.outside.seed.server.guild.id)

    @property
    def vip_id(self) -> RoleId:
        return RoleId(self.outside.seed.server.vip.id)

    def set(self, section: str, **changes: object) -> None:
        """Change settings of one section, as in config.toml."""
        changed = getattr(self.settings, section).model_copy(update=changes)
        self.settings = self.settings.model_copy(update={section: changed})

    async def look(self, *ids: str, repairs: bool = False) -> list[Result]:
        """Run some checks, all without names; with `repairs`, make every repair that is offered."""
        loaded = Loaded(self.settings, {})
        async with open_patient(loaded, self.folder / "config.toml", self.clock) as patient:
            wanted = [check for check in every_check(patient) if not ids or check.id in ids]
            results = await run_checks(wanted, reference=lambda: "7F3K")
            for result in results:
                if repairs and result.repair:
                    await result.repair()
        return results

    async def only(self, number: str, *, repairs: bool = False) -> Result:
        """Run one check that has one result."""
        (result,) = await self.look(number, repairs=repairs)
        return result

    async def outcome(self, number: str) -> Outcome:
        return (await self.only(number)).outcome

    async def plan(self, **changes: object) -> Plan:
        """Change the plan."""
        async with self.services.store.read() as tx:
            known = (await tx.plans.all(self.guild_id))[0]
        return await plans.save(self.services, replace(known, **changes))  # type: ignore[arg-type]

    async def guild(self, **changes: object) -> None:
        """Change the server's settings."""
        async with self.services.store.write() as tx:
            known = await tx.guilds.get(self.guild_id)
            assert known is not None
            await tx.guilds.replace(replace(known, **changes))  # type: ignore[arg-type]

    async def fails_to_deliver(self) -> None:
        """Let the grant of a purchase have failed for the role order."""
        async with self.services.store.write() as tx:
            now = self.clock.now()
            (plan,) = await tx.plans.all()
            product = plan.products[0]
            customer = CustomerSnapshot(external_id="cus_1", email="ada@example.com")
            snapshot = PurchaseSnapshot(
                external_id="sub_1",
                kind=PurchaseKind.SUBSCRIPTION,
                status=PurchaseStatus.ACTIVE,
                raw_status="active",
                customer=customer,
                items=(Item(product_id=product.product_id, price_id="price_1"),),
                read_at=now,
                started_at=now,
            )
            customer_id = await tx.customers.record(product.account_id, customer)
            _, purchase = await tx.purchases.record(product.account_id, customer_id, snapshot)
            grant = await tx.purchases.open_grant(purchase, plan, now)
            await tx.purchases.set_grant(replace(grant, state=GrantState.FAILED, reason=Reason.ROLE_ABOVE_BOT))


@asynccontextmanager
async def a_clinic(folder: Path) -> AsyncIterator[Clinic]:
    """Open a healthy Doorlist: one server, one plan, nothing wrong but that its address is this machine's."""
    port = free_port(FIRST_PORT)
    doorlist_port = free_port(port + 1)
    clock = MovableClock()
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(
            outside(clock, host=HOST, port=port, doorlist_url=f"http://{HOST}:{doorlist_port}")
        )
        await _serve_health(stack, doorlist_port)
        shutil.copyfile(await asyncio.to_thread(sqlite_template), folder / "doorlist.db")
        settings = pointed_at(world, Settings(), database=folder, port=doorlist_port)
        stored = database_settings(f"sqlite:///{folder}/doorlist.db")
        settings = settings.model_copy(update={"database": stored, "mode": "live"})
        services = await stack.enter_async_context(offline(settings))
        await _open_shop(services, world)
        clinic = Clinic(outside=world, settings=settings, services=services, clock=clock, folder=folder)
        await clinic.look("D15", repairs=True)  # as the first start did
        yield clinic


async def _open_shop(services: Services, world: Outside) -> None:
    server = world.seed.server
    guild_id = GuildId(server.guild.id)
    account = await services.sellers.account("stripe")
    async with services.store.write() as tx:
        guild = await tx.guilds.ensure(guild_id, server.guild.name)
        claim, log = ChannelId(server.get_access.id), ChannelId(server.log.id)
        await tx.guilds.replace(replace(guild, is_active=True, claim_channel_id=claim, event_channel_id=log))
        await tx.guilds.allow_account(guild_id, account.id)
        await tx.cursors.put(LAST_RUN, services.clock.now().isoformat())
    await resync.read_catalogue(services, "stripe")
    async with services.store.read() as tx:
        sold = sorted({price.product_id for price in await tx.accounts.prices(account.id)})
    products = tuple(PlanProduct(account_id=account.id, product_id=product_id) for product_id in sold)
    plan = Plan(
        id=PlanId(0), guild_id=guild_id, name="VIP", slug="vip", roles=(RoleId(server.vip.id),), products=products
    )
    await plans.save(services, plan)


async def _serve_health(stack: AsyncExitStack, port: int) -> None:
    """Answer at Doorlist's own address as its web server would."""
    app = aiohttp_web.Application()
    app.router.add_get("/health/live", health.live)
    app.router.add_get("/health/ready", health.ready)
    runner = aiohttp_web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await aiohttp_web.TCPSite(runner, HOST, port).start()


def outcomes(results: Sequence[Result]) -> dict[str, Outcome]:
    """Return the outcomes by check, of checks with one result each."""
    return {result.id: result.outcome for result in results}
