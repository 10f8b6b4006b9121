"""What is stuck beside the grants themselves: jobs that fail, platforms that do not answer, people and channels.

For problems.py; each function reads a bounded part and returns a problem for every cause.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from membership import notices
from membership.addresses import masked
from membership.checks import redacted
from membership.errors import PAUSED_HERE, Reason
from membership.ledgers import Transaction
from membership.model import Grant, GrantState, GuildId, MemberKey
from membership.problem_kinds import Kind, Problem, Sufferer
from membership.records import Guild
from membership.report_ledgers import Tallies
from membership.resync import webhooks_failing_since
from membership.services import Services
from membership.syncing import KINDS, MOST_TROUBLED, member_of

SHOWN = 5
"""How many of those whom a problem concerns are named."""
MOST_CAUSES = 12
"""Causes of one kind that are told apart."""
MOST_REFUSED = 100
MOST_RUNS = 50
PATIENCE = timedelta(days=1)
"""Waiting for a person is no problem before."""

_AWAITED = {Reason.NOT_LINKED: Kind.UNCONNECTED, Reason.NOT_IN_SERVER: Kind.OUTSIDE}


async def failing_jobs(services: Services, guild_id: GuildId) -> list[Problem]:
    """Group the jobs that failed by what they failed with; whatever waits for the end of a pause has not failed."""
    async with services.store.read() as tx:
        jobs = await tx.jobs.troubled(KINDS, str(guild_id), MOST_TROUBLED)
        failed = [job for job in jobs if job.is_parked or job.last_error != PAUSED_HERE]
        found = []
        for error, count in Counter(job.last_error for job in failed).most_common(MOST_CAUSES):
            whose = [job for job in failed if job.last_error == error]
            people = [await _member(tx, key) for job in whose[:SHOWN] if (key := member_of(job)) is not None]
            parked = sum(job.is_parked for job in whose)
            subject = redacted(error)
            found.append(Problem(kind=Kind.JOBS, count=count, subject=subject, people=tuple(people), number=parked))
    return found


async def silent_platforms(services: Services, guild_id: GuildId) -> list[Problem]:
    """Return which payment platforms did not answer when they were asked last, or whose webhooks do not arrive."""
    found = []
    async with services.store.read() as tx:
        accounts = {account.provider: account for account in await tx.guilds.accounts_of(guild_id)}
        newest = {run.subject: run for run in reversed(await tx.runs.recent(guild_id, MOST_RUNS)) if run.subject}
        for name, account in accounts.items():
            run = newest.get(name)
            if run is not None and run.trouble:
                found.append(
                    Problem(
                        kind=Kind.PROVIDER, count=1, subject=name, names=(redacted(run.trouble),), since=run.started_at
                    )
                )
            since = await webhooks_failing_since(tx, account)
            if since is not None:
                found.append(Problem(kind=Kind.WEBHOOKS, count=1, subject=name, since=since))
    return found


async def long_waits(services: Services, guild_id: GuildId, tallies: Tallies) -> list[Problem]:
    """Return who has paid and has waited for more than a day to connect or to join, and whose mails come back."""
    now, found = services.clock.now(), []
    async with services.store.read() as tx:
        refused = await tx.reports.refused_mail(guild_id, MOST_REFUSED)
        if refused:
            people = [await sufferer(tx, grant) for grant in refused[:SHOWN]]
            since = min(grant.opened_at for grant in refused)
            found.append(Problem(kind=Kind.MAIL, count=len(refused), since=since, people=tuple(people)))
        for reason, kind in _AWAITED.items():
            if not tallies.get((GrantState.PENDING, reason)):
                continue
            waiting = await tx.reports.waiting(guild_id, GrantState.PENDING, reason)
            if waiting.since is not None and now - waiting.since >= PATIENCE:
                shown = await tx.purchases.grants_in_state(guild_id, GrantState.PENDING, reason, SHOWN)
                people = [await sufferer(tx, grant) for grant in shown]
                found.append(Problem(kind=kind, count=waiting.count, since=waiting.since, people=tuple(people)))
    return found


async def silent_channels(services: Services, guild: Guild) -> list[Problem]:
    """Return the channels of the event log that take no posts."""
    async with services.store.read() as tx:
        rules = await tx.rules.of_guild(guild.id)
        own = {guild.event_channel_id, guild.payment_channel_id, guild.membership_channel_id}
        channels = sorted({each for each in own | {rule.channel_id for rule in rules} if each is not None})
        troubles = {channel: await notices.channel_trouble(tx, channel) for channel in channels}
    return [
        Problem(
            kind=Kind.CHANNEL,
            count=1,
            subject=why,
            number=int(channel),
            names=(services.discord.channel_name(channel),),
        )
        for channel, why in troubles.items()
        if why
    ]


async def sufferer(tx: Transaction, grant: Grant) -> Sufferer:
    """Say who a grant is about: their name at Discord, else as they paid, else their address, masked."""
    purchase = await tx.purchases.get(grant.purchase_id)
    customer = await tx.customers.get(purchase.customer_id)
    link = await tx.links.active(purchase.customer_id)
    row = None if link is None else await tx.members.get(MemberKey(grant.guild_id, link.user_id))
    name = row.name if row is not None else ""
    return Sufferer(
        name=name or customer.name or masked(customer.email),
        purchase_id=purchase.id,
        user_id=None if link is None else link.user_id,
    )


async def _member(tx: Transaction, key: MemberKey) -> Sufferer:
    row = await tx.members.get(key)
    return Sufferer(name=row.name if row is not None else "", user_id=key.user_id)


def moment_of(written: str | None) -> datetime | None:
    """Read a moment as a cursor keeps it, None for never."""
    return datetime.fromisoformat(written) if written else None
