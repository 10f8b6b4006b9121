"""How far a server's set-up has come, from what is stored, what Discord shows, and what the providers answer.

Only facts: the pages put them into words. `/doorlist setup` looks at more, with an examiner of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from membership.errors import Blocked, Gone, Retry
from membership.model import ChannelId, GuildId, OnEnd, Plan
from membership.ports import GuildRole
from membership.records import Guild
from membership.services import Services

LOOK_SECONDS = 10.0
NEEDED = ("manage_roles", "create_instant_invite", "view_channel", "send_messages", "embed_links", "attach_files")
"""What the bot needs, by Discord's names; kicking only where a plan kicks."""
KICK = "kick_members"
_ALIASES = {"read_messages": "view_channel"}


class Step(StrEnum):
    """What has to be done before the first sale, in the order in which people do it."""

    BOT = "bot"
    PERMISSIONS = "permissions"
    PAYMENTS = "payments"
    PLAN = "plan"
    ROLE_ORDER = "role_order"
    CHANNELS = "channels"
    INVITE = "invite"


class State(StrEnum):
    """How a step stands. UNKNOWN: it could not be looked at, and is not done."""

    DONE = "done"
    LOOK = "look"
    OPEN = "open"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentLook:
    """One configured account: live or test, or why it could not be asked. `is_refused`: the provider said no."""

    name: str
    is_live: bool = False
    trouble: str = ""
    is_refused: bool = False
    is_allowed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupLook:
    """Everything that a server's set-up depends on, looked at once.

    `missing` are permissions by Discord's names; `refused` are roles of plans that cannot be given; `deleted` counts
    roles of plans that are no longer there.
    """

    guild: Guild
    is_available: bool
    permissions: frozenset[str]
    missing: tuple[str, ...]
    payments: tuple[PaymentLook, ...]
    plans: tuple[Plan, ...]
    refused: tuple[GuildRole, ...]
    deleted: int
    channels: Mapping[ChannelId, str]

    @property
    def sold(self) -> Sequence[Plan]:
        """Return the plans that something unlocks."""
        return [plan for plan in self.plans if plan.products]

    @property
    def states(self) -> Mapping[Step, State]:
        """Return how each step stands."""
        return {
            Step.BOT: State.DONE if self.is_available else State.UNKNOWN,
            Step.PERMISSIONS: self._permissions(),
            Step.PAYMENTS: self._payments(),
            Step.PLAN: State.DONE if self.sold else State.LOOK if self.plans else State.OPEN,
            Step.ROLE_ORDER: self._role_order(),
            Step.CHANNELS: self._channels(),
            Step.INVITE: self._invite(),
        }

    @property
    def is_complete(self) -> bool:
        """Say whether nothing is left that somebody has to do."""
        return all(state is State.DONE for state in self.states.values())

    def _permissions(self) -> State:
        if not self.is_available:
            return State.UNKNOWN
        if self.missing:
            return State.OPEN
        return State.LOOK if "administrator" in self.permissions else State.DONE

    def _payments(self) -> State:
        if not self.payments or any(each.is_refused for each in self.payments):
            return State.OPEN
        if not any(each.is_allowed for each in self.payments):
            return State.OPEN
        return State.UNKNOWN if any(each.trouble for each in self.payments) else State.DONE

    def _role_order(self) -> State:
        if not self.is_available:
            return State.UNKNOWN
        if self.refused or self.deleted or not any(plan.all_roles for plan in self.plans):
            return State.OPEN
        return State.DONE

    def _channels(self) -> State:
        if not self.is_available:
            return State.UNKNOWN
        event = self.guild.event_channel_id
        if event is not None and event not in self.channels:
            return State.OPEN
        return State.DONE if event is not None else State.LOOK

    def _invite(self) -> State:
        if not self.is_available:
            return State.UNKNOWN
        is_made = "create_instant_invite" in self.permissions or "administrator" in self.permissions
        return State.DONE if is_made or self.guild.invite_url else State.OPEN


async def look(services: Services, guild_id: GuildId) -> SetupLook:
    """Look at a server. Raises Gone for one that nobody knows."""
    async with services.store.read() as tx:
        guild = await tx.guilds.get(guild_id)
        plans = [plan for plan in await tx.plans.all(guild_id) if not plan.is_archived]
    if guild is None:
        raise Gone("guild")
    roles = services.discord.roles(guild_id)
    sold = sorted({role for plan in plans for role in plan.all_roles}) if roles else []
    permissions = frozenset(_ALIASES.get(name, name) for name in services.discord.permissions(guild_id))
    return SetupLook(
        guild=guild,
        is_available=services.discord.is_available(guild_id),
        permissions=permissions,
        missing=missing(permissions, plans),
        payments=await payments(services, guild_id),
        plans=tuple(plans),
        refused=tuple(roles[role] for role in sold if role in roles and roles[role].refusal),
        deleted=sum(role not in roles for role in sold),
        channels=services.discord.text_channels(guild_id),
    )


def missing(permissions: frozenset[str], plans: Sequence[Plan]) -> tuple[str, ...]:
    """Return the permissions that the bot lacks, by Discord's names."""
    if "administrator" in permissions:
        return ()
    kicks = any(OnEnd.KICK in (plan.on_end, plan.on_refund) for plan in plans)
    return tuple(name for name in (*NEEDED, *((KICK,) if kicks else ())) if name not in permissions)


async def payments(services: Services, guild_id: GuildId) -> tuple[PaymentLook, ...]:
    """Ask every configured account whether it takes our key."""
    async with services.store.read() as tx:
        allowed = {account.provider for account in await tx.guilds.accounts_of(guild_id)}
    names = sorted(services.sellers.by_name)
    return tuple(await asyncio.gather(*(_payment(services, name, is_allowed=name in allowed) for name in names)))


async def _payment(services: Services, name: str, *, is_allowed: bool) -> PaymentLook:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            _, is_live = await services.sellers.by_name[name].account()
    except Blocked as failure:
        return PaymentLook(name=name, trouble=failure.detail or str(failure), is_refused=True, is_allowed=is_allowed)
    except (Retry, Gone, TimeoutError) as failure:
        return PaymentLook(name=name, trouble=str(failure) or "it took too long", is_allowed=is_allowed)
    return PaymentLook(name=name, is_live=is_live, is_allowed=is_allowed)
