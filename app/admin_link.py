"""The `admin-link` command: a link that makes whoever opens it an operator. Works beside a running Doorlist."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import click

from app.checks.opening import open_database
from app.offline import FINE, FOUND_PROBLEMS, WRONG_USE
from app.process import Bell, Ground, SystemClock, open_services
from app.settings import Settings
from cogs.discord_side import open_discord
from membership import first_sign_in
from membership.checks import Skip
from membership.errors import DoorlistError
from membership.model import UserId

MINUTES = int(first_sign_in.LIFE.total_seconds() / 60)


def print_link(settings: Settings, user: int | None = None) -> int:
    """Print a link and what it does; with a Discord user's id it serves them alone."""
    if settings.is_sandbox:
        return _complain("The sandbox needs no link: open its staff pages and sign in as Olga, who runs it.", WRONG_USE)
    try:
        token, public_url = asyncio.run(_issue(settings, None if user is None else UserId(user)))
    except Skip as refusal:
        return _complain(f"A link cannot be made: {refusal}. Start Doorlist, then try again.", WRONG_USE)
    except DoorlistError as failure:
        return _complain(f"A link cannot be made: {failure}.", FOUND_PROBLEMS)
    click.echo(f"{public_url}/admin/first/{token}\n")
    click.echo(
        f"Open it within {MINUTES} minutes, while Doorlist runs, and sign in there with your Discord account. Then"
    )
    click.echo(
        "that account runs this Doorlist: it lets servers in, and its sign-in opens the staff pages from then on."
    )
    if user is None:
        click.echo("The link serves once. Give it to nobody: whoever opens it first gets all of that.")
    else:
        click.echo(f"The link serves once, and only the account {user}.")
    return FINE


async def _issue(settings: Settings, user_id: UserId | None) -> tuple[str, str]:
    """Store a new link in the database as it is, which a running instance may use at the same time."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        opened = await open_database(stack, settings.database, clock)
        discord = open_discord(settings.discord)
        stack.push_async_callback(discord.port.close)
        ground = Ground(settings=settings, clock=clock, database=opened.database.get(), discord=discord, bell=Bell())
        services = await open_services(stack, ground)
        return await first_sign_in.issue(services, user_id, may_operate=True), services.public_url


def _complain(text: str, code: int) -> int:
    click.echo(f"✗ {text}", err=True)
    return code
