"""Doorlist in the sandbox: the same process as in production, pointed at the outside world of this machine."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from app.process import Process, running
from app.settings import Settings
from cogs.paces import Paces
from membership import plans, resync
from membership.model import AccountId, ChannelId, GuildId, OnPastDue, Plan, PlanId, PlanProduct, RoleId
from membership.policy import Policy
from providers.base import USUAL_PATIENCE
from sandbox.clock import MovableClock
from sandbox.discord.buckets import Buckets
from sandbox.outside import Outside, outside
from sandbox.seed import Ware

HOST = "127.0.0.1"
PORTS_TRIED = 50
PASS_DAYS = 30
SPEED = 20
"""Rate limits run so many times faster than the real ones, for both sides: a wave takes seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """Both sides of the wire."""

    outside: Outside
    process: Process


@asynccontextmanager
async def sandbox(settings: Settings, *, database: Path, port: int, clock: MovableClock) -> AsyncIterator[Sandbox]:
    """Run the outside world on `port` and Doorlist on the next free one. Raises OSError when `port` is taken."""
    doorlist_port = free_port(port + 1)
    async with AsyncExitStack() as stack:
        doorlist_url = f"http://{HOST}:{doorlist_port}"
        world = await stack.enter_async_context(
            outside(clock, host=HOST, port=port, doorlist_url=doorlist_url, buckets=Buckets(time_scale=1 / SPEED))
        )
        pointed = _run_by_olga(world, pointed_at(world, settings, database=database, port=doorlist_port))
        pointed = pointed.model_copy(update={"policy": _faster(pointed.policy)})
        process = await stack.enter_async_context(
            running(
                pointed,
                clock,
                paces=Paces().faster(SPEED),
                patience=replace(USUAL_PATIENCE, requests_per_second=USUAL_PATIENCE.requests_per_second * SPEED),
            )
        )
        await open_shop(process, world)
        _follow_clock(process, world)
        yield Sandbox(outside=world, process=process)


def pointed_at(world: Outside, settings: Settings, *, database: Path, port: int) -> Settings:
    """Return the settings of a Doorlist whose outside is `world`. Only addresses and keys differ from production."""
    portal = world.discord.portal
    changes: dict[str, dict[str, object]] = {
        "discord": {
            "token": portal.token,
            "client_id": portal.client_id,
            "client_secret": portal.client_secret,
            "api_url": world.discord_api_url,
            "gateway_url": world.discord_gateway_url,
            "site_url": world.discord_site_url,
            "cdn_url": world.discord_cdn_url,
        },
        "web": {"host": HOST, "port": port, "public_url": world.doorlist_url},
        "mail": {
            "transport": "smtp",
            "from_address": "Demo Server <gate@demo.example>",
            "smtp": {"host": HOST, "port": world.mailbox.port, "tls": "none"},
        },
        "database": {"url": f"sqlite:///{database}"},
        "payments": {
            "stripe": {
                "api_key": world.stripe_key,
                "webhook_secret": world.seed.webhook_secret,
                "api_url": world.stripe_api_url,
                "checkout_url": world.url,
                "portal_url": world.url,
            }
        },
    }
    sections = {name: {**_plain(settings, name), **section} for name, section in changes.items()}
    return Settings.model_validate({"mode": "sandbox", **sections, "policy": settings.policy})


def _run_by_olga(world: Outside, settings: Settings) -> Settings:
    """Make the demo server's owner the operator too, so that somebody is there to let the server next door in."""
    operators = (*settings.discord.operators, world.seed.cast.olga.id)
    return settings.model_copy(update={"discord": settings.discord.model_copy(update={"operators": operators})})


def _faster(policy: Policy) -> Policy:
    """Let an address have as much more mail as everything else is faster: the tour is played again within the hour."""
    return replace(policy, mails_per_hour=policy.mails_per_hour * SPEED, mails_per_day=policy.mails_per_day * SPEED)


def free_port(first: int) -> int:
    """Return the first port from `first` on that nobody listens on. Raises OSError when none of 50 is free."""
    for port in range(first, first + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {first} and {first + PORTS_TRIED - 1}")


def _plain(settings: Settings, section: str) -> dict[str, object]:
    dumped: dict[str, object] = getattr(settings, section).model_dump(exclude_defaults=True)
    return dumped


async def open_shop(process: Process, world: Outside) -> None:
    """Make the demo server's settings and a plan for everything it sells: what an owner does once."""
    services, server = process.services, world.seed.server
    guild_id = GuildId(server.guild.id)
    async with services.store.write() as tx:
        guild = await tx.guilds.ensure(guild_id, server.guild.name)
        await tx.guilds.replace(
            replace(
                guild,
                is_active=True,
                approved_by="operator",
                claim_channel_id=ChannelId(server.get_access.id),
                invite_channel_id=ChannelId(server.welcome.id),
                event_channel_id=ChannelId(server.log.id),
            )
        )
    account = await services.sellers.account("stripe")
    async with services.store.write() as tx:
        await tx.guilds.allow_account(guild_id, account.id)
    for ware in world.seed.wares:
        await plans.save(services, _plan(ware, world, account.id))
    await resync.poll_events(services, "stripe")


def _plan(ware: Ware, world: Outside, account_id: AccountId) -> Plan:
    server = world.seed.server
    return Plan(
        id=PlanId(0),
        guild_id=GuildId(server.guild.id),
        name=ware.name,
        slug=ware.slug,
        roles=(RoleId(server.vip.id),),
        products=(PlanProduct(account_id=account_id, product_id=ware.product_id),),
        on_past_due=OnPastDue.KEEP_AND_ROLE,
        past_due_role_id=RoleId(server.past_due.id),
        duration_days=PASS_DAYS if ware.slug == "pass" else None,
    )


def _follow_clock(process: Process, world: Outside) -> None:
    """Let a jump of the sandbox's clock do what time would have done."""
    last = [world.clock.now()]

    async def advanced(now: datetime) -> None:
        before, last[0] = last[0], now
        await process.clocks.after_jump(before, now)
        process.worker.wake()

    world.clock.on_advance(advanced)
