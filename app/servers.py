"""The `server` commands: which servers there are, and which are let in. For operators without Discord at hand."""

from __future__ import annotations

import click

from app.offline import FINE, answer
from app.settings import Settings
from membership import servers
from membership.ledgers import Transaction
from membership.model import GuildId
from membership.records import Guild
from membership.services import Services

NEEDS_DECISION = 4
ACTOR = "operator"


def list_servers(settings: Settings) -> int:
    """Print a line per server; 4 when one waits to be let in."""
    return answer(settings, _list)


def approve(settings: Settings, guild_id: int) -> int:
    """Let a server in, and let it sell what the configured accounts sell."""

    async def work(services: Services) -> int:
        approval = await servers.approve(services, GuildId(guild_id), ACTOR)
        click.echo(f"✓ {_name(approval.guild)} is let in. Somebody with Manage Server goes on with /doorlist setup.")
        for name in approval.unknown_accounts:
            click.echo(f"· {name} did not answer: approve it again later, so that its products may be sold there.")
        return FINE

    return answer(settings, work)


def remove(settings: Settings, guild_id: int) -> int:
    """Stop working for a server. Nothing is taken from anybody."""

    async def work(services: Services) -> int:
        guild = await servers.remove(services, GuildId(guild_id), ACTOR)
        click.echo(f"✓ {_name(guild)} is no longer served. Everybody there keeps the roles they have.")
        return FINE

    return answer(settings, work)


async def _list(services: Services) -> int:
    async with services.store.read() as tx:
        found = await tx.guilds.all()
        lines = [(guild, await _standing(tx, guild)) for guild in found]
    if not lines:
        click.echo("The bot is in no server yet. Invite it, then start Doorlist.")
    for guild, standing in lines:
        click.echo(f"{guild.id}  {_name(guild)}: {standing}")
    waits = any(standing.startswith("waits") for _, standing in lines)
    return NEEDS_DECISION if waits else FINE


async def _standing(tx: Transaction, guild: Guild) -> str:
    if guild.is_active:
        return "paused" if guild.paused_at else "let in"
    asked = await tx.audit.recent(1, guild_id=guild.id, events=(servers.ASKED, servers.REFUSED, servers.REMOVED))
    if asked and asked[0][2].event == servers.ASKED:
        who = (asked[0][2].detail or {}).get("name", "somebody")
        return f"waits: {who} asked on {asked[0][1]:%Y-%m-%d}. python3 bot.py server approve {guild.id}"
    return "not let in"


def _name(guild: Guild) -> str:
    return f"“{guild.name}”" if guild.name else f"server {guild.id}"
