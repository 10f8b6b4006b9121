"""The `plan` commands: make, list and show plans, and apply a file of them (docs/plans.md)."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import click
from pydantic import BaseModel, ConfigDict, Field

from app.offline import FINE, WRONG_USE, answer
from app.settings import Settings
from membership import binding, plans
from membership.errors import UserError
from membership.model import AccountId, GuildId, Lane, OnEnd, OnPastDue, Plan, PlanId, PlanProduct, RoleId
from membership.records import HOUSE
from membership.services import Services

Id = Annotated[int, Field(gt=0, lt=1 << 63)]


class PlanEntry(BaseModel):
    """One table of a plan file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=60)
    guild: Id
    slug: str = Field(default="", pattern=r"^[a-z0-9-]*$", max_length=60)
    roles: tuple[Id, ...] = ()
    products: tuple[str, ...] = ()
    on_end: OnEnd = OnEnd.REMOVE_ROLES
    on_refund: OnEnd | None = None
    on_past_due: OnPastDue = OnPastDue.KEEP
    grace_days: int = 3
    past_due_role: Id | None = None
    trial_role: Id | None = None
    paused_grants: bool = False
    duration_days: int | None = None
    archived: bool = False


class ServerEntry(BaseModel):
    """One server's channels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    claim_channel: Id | None = None
    event_channel: Id | None = None
    invite_channel: Id | None = None
    invite_url: str | None = Field(default=None, pattern=r"^(https://\S+)?$", max_length=200)


class PlanFile(BaseModel):
    """A file of plans and of the servers they are for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plan: tuple[PlanEntry, ...] = ()
    server: tuple[ServerEntry, ...] = ()


def create_plan(
    settings: Settings, *, name: str, guild_id: int, role_ids: tuple[int, ...], product_ids: tuple[str, ...]
) -> int:
    """Make one plan."""
    entry = {"name": name, "guild": guild_id, "roles": role_ids, "products": product_ids}
    return answer(settings, lambda services: _apply(services, {"plan": [entry]}))


def apply_plans(settings: Settings, path: Path) -> int:
    """Make the plans be as the file says; plans that it does not name stay as they are."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        click.echo(f"✗ {path}: {error}", err=True)
        return WRONG_USE
    return answer(settings, lambda services: _apply(services, content))


def list_plans(settings: Settings) -> int:
    """Print a line per plan."""
    return answer(settings, _list)


def show_plan(settings: Settings, name: str) -> int:
    """Print one plan in full, by its slug or name."""
    return answer(settings, lambda services: _show(services, name))


async def _apply(services: Services, content: Mapping[str, object]) -> int:
    file = PlanFile.model_validate(content)
    account_id = await _account(services, file.plan)
    await _activate(
        services, {GuildId(entry.guild) for entry in file.plan} | {GuildId(entry.id) for entry in file.server}
    )
    for server in file.server:
        await _set_channels(services, server)
    for entry in file.plan:
        stored = await plans.save(services, _plan(entry, account_id))
        click.echo(f"✓ {stored.name} ({stored.slug}): {len(stored.roles)} roles, {len(stored.products)} products")
    click.echo("Members are looked at when Doorlist runs next.")
    return FINE


async def _activate(services: Services, guild_ids: Collection[GuildId]) -> None:
    """Set the servers up: whoever may edit the plan file is the operator, and says what is sold where."""
    for guild_id in sorted(guild_ids):
        async with services.store.write() as tx:
            guild = await tx.guilds.get(guild_id) or await tx.guilds.ensure(guild_id, "")
            await tx.guilds.replace(replace(guild, is_active=True, approved_by=guild.approved_by or "operator"))
            for account in await tx.accounts.all():
                if account.provider != HOUSE:
                    await tx.guilds.allow_account(guild_id, account.id)
        if not guild.is_active:
            await binding.mark_everybody(services, guild_id, Lane.BULK)


async def _set_channels(services: Services, entry: ServerEntry) -> None:
    given = {
        "claim_channel_id": entry.claim_channel,
        "event_channel_id": entry.event_channel,
        "invite_channel_id": entry.invite_channel,
        "invite_url": entry.invite_url,
    }
    async with services.store.write() as tx:
        guild = await tx.guilds.get(GuildId(entry.id)) or await tx.guilds.ensure(GuildId(entry.id), "")
        changes = {name: value for name, value in given.items() if value is not None}
        await tx.guilds.replace(replace(guild, **changes))  # type: ignore[arg-type]
    click.echo(f"✓ server {entry.id}: {', '.join(changes) or 'nothing changed'}")


async def _account(services: Services, entries: tuple[PlanEntry, ...]) -> AccountId:
    """Return the seller account that the products belong to: the one that is configured."""
    names = list(services.sellers.by_name)
    if not names:
        if any(entry.products for entry in entries):
            raise UserError("The products belong to no account: configure payments.stripe.api_key first.")
        return AccountId(0)
    return (await services.sellers.account(names[0])).id


def _plan(entry: PlanEntry, account_id: AccountId) -> Plan:
    return Plan(
        id=PlanId(0),
        guild_id=GuildId(entry.guild),
        name=entry.name,
        slug=entry.slug or plans.slug_of(entry.name),
        roles=tuple(RoleId(role) for role in entry.roles),
        products=tuple(_product(text, account_id) for text in entry.products),
        on_end=entry.on_end,
        on_refund=entry.on_refund,
        on_past_due=entry.on_past_due,
        grace_days=entry.grace_days,
        past_due_role_id=None if entry.past_due_role is None else RoleId(entry.past_due_role),
        trial_role_id=None if entry.trial_role is None else RoleId(entry.trial_role),
        paused_grants=entry.paused_grants,
        duration_days=entry.duration_days,
        is_archived=entry.archived,
    )


def _product(text: str, account_id: AccountId) -> PlanProduct:
    product_id, _, price_id = text.partition(":")
    return PlanProduct(account_id=account_id, product_id=product_id, price_id=price_id or None)


async def _list(services: Services) -> int:
    async with services.store.read() as tx:
        found = await tx.plans.all()
    if not found:
        click.echo("No plans yet. Make one: python3 bot.py plan create NAME --guild ID --role ID --product ID")
    for plan in found:
        mark = "  (archived)" if plan.is_archived else ""
        click.echo(f"{plan.slug:<20} {plan.name:<24} server {plan.guild_id}  {len(plan.roles)} roles{mark}")
    return FINE


async def _show(services: Services, name: str) -> int:
    async with services.store.read() as tx:
        found = [plan for plan in await tx.plans.all() if name in (plan.slug, plan.name)]
    if not found:
        raise UserError(f"There is no plan {name}. All plans: python3 bot.py plan list")
    for plan in found:
        for key, value in _rows(plan):
            click.echo(f"{key:<14} {value}")
    return FINE


def _rows(plan: Plan) -> list[tuple[str, str]]:
    products = [
        f"{product.product_id}{':' + product.price_id if product.price_id else ''}" for product in plan.products
    ]
    return [
        ("name", plan.name),
        ("slug", plan.slug),
        ("server", str(plan.guild_id)),
        ("roles", ", ".join(map(str, plan.roles)) or "none: server membership alone"),
        ("products", ", ".join(products) or "none: nothing unlocks it"),
        ("when it ends", plan.on_end.value),
        ("on refund", plan.on_refund.value if plan.on_refund else "as when it ends"),
        ("past due", f"{plan.on_past_due.value}, {plan.grace_days} days, role {plan.past_due_role_id or 'none'}"),
        ("trial role", str(plan.trial_role_id or "none: the plan's roles")),
        ("paused", "keeps access" if plan.paused_grants else "access ends"),
        ("lasts", f"{plan.duration_days} days a pass" if plan.duration_days else "as long as the purchase"),
        ("archived", "yes" if plan.is_archived else "no"),
    ]
