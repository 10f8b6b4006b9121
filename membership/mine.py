"""What a member sees of their own memberships, and the little they can do about them: try again, direct messages.

A person sees only what is linked to them; in a server only what is in this server, in direct messages everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from membership import binding, codes, invites
from membership import dossier as dossiers
from membership.desk import MemberSettings
from membership.dossier import Dossier, Payer
from membership.ledgers import Transaction
from membership.model import GuildId, Lane, MemberKey, PlanId, PurchaseId, RoleId, UserId
from membership.reach import READS_THE_MAIL
from membership.records import Guild
from membership.services import Services
from membership.shown import ShownGrant, ShownState

PATIENCE = timedelta(seconds=8)
BILLING_LIFE = timedelta(hours=1)
"""How long a way to billing that was shown on a card works."""
MOST_SHOWN = 6

_UNDER_WAY = (ShownState.DELIVERING, ShownState.PENDING_PAYMENT, ShownState.PENDING_LINK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """One grant as its member sees it. `has`: the roles that were seen on them; `role_names`: of all roles it names.

    `invite_url` is the way in for somebody outside; `billing_url` leads to the provider, "" where there is none to
    show: with `can_mail_billing` the payer gets it by mail. `is_inside`: they were seen in the server.
    """

    guild: Guild
    shown: ShownGrant
    payer: Payer
    has: frozenset[RoleId]
    role_names: Mapping[RoleId, str]
    invite_url: str = ""
    billing_url: str = ""
    can_mail_billing: bool = False
    is_inside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """Everything of one person. `left_out`: memberships beyond those that fit on a card."""

    memberships: tuple[Membership, ...]
    settings: MemberSettings
    left_out: int = 0

    @property
    def is_live(self) -> bool:
        """Say whether anything is left that has not ended."""
        return any(not each.shown.is_over for each in self.memberships)


async def read(
    services: Services, user_id: UserId, guild_id: GuildId | None, seen: frozenset[RoleId] | None = None
) -> Mine:
    """Read a person's memberships, and make the ways in and to billing that their card shows.

    `seen` are the roles that Discord just said they have in this server; None: what was last seen counts.
    """
    now = services.clock.now()
    async with services.store.read() as tx:
        keys = await _keys(tx, user_id, guild_id)
        found = [each for key in keys for each in _memberships(services, await dossiers.read(tx, key, now), seen)]
        settings = await tx.member_settings.get(user_id)
    worth = _worth_showing(found)
    shown = [await _with_invite(services, each, user_id) for each in worth[:MOST_SHOWN]]
    return Mine(
        memberships=tuple(await _with_billing(services, shown, user_id)),
        settings=settings,
        left_out=max(0, len(worth) - MOST_SHOWN),
    )


async def held(services: Services, user_id: UserId, guild_id: GuildId | None) -> Sequence[ShownGrant]:
    """Return what a person has that has not ended."""
    now = services.clock.now()
    async with services.store.read() as tx:
        keys = await _keys(tx, user_id, guild_id)
        found = [each for key in keys for each in _memberships(services, await dossiers.read(tx, key, now), None)]
    return [each.shown for each in found if not each.shown.is_over]


async def try_again(services: Services, user_id: UserId, guild_id: GuildId | None) -> None:
    """Look at a person's memberships once more, before anybody else, and wait a few seconds for what comes of it."""
    started = services.signals.tick()
    async with services.store.write() as tx:
        keys = await _keys(tx, user_id, guild_id)
        await binding.mark(tx, keys, Lane.PERSON, services.clock.now())
    services.wake()
    await services.signals.wait([str(key) for key in keys], since=started, patience=PATIENCE)


async def set_dms(services: Services, user_id: UserId, *, is_on: bool) -> None:
    """Let the bot write direct messages to a person, or no longer; it holds in every server."""
    async with services.store.write() as tx:
        settings = await tx.member_settings.get(user_id)
        await tx.member_settings.put(replace(settings, dms=is_on))


async def guild_ids(services: Services, user_id: UserId) -> frozenset[GuildId]:
    """Return where a person has, or had, something."""
    async with services.store.read() as tx:
        return frozenset(key.guild_id for key in await _keys(tx, user_id, None))


async def bought_since(services: Services, key: MemberKey, plan_id: PlanId, since: datetime) -> ShownGrant | None:
    """Return a member's grant on a plan that was opened since a moment, once it is more than on its way."""
    async with services.store.read() as tx:
        dossier = await dossiers.read(tx, key, services.clock.now())
    for each in dossier.grants:
        is_new = each.plan.id == plan_id and each.grant.opened_at >= since
        if is_new and each.state not in _UNDER_WAY:
            return each
    return None


async def _keys(tx: Transaction, user_id: UserId, guild_id: GuildId | None) -> list[MemberKey]:
    """Return where something that is linked to a person bears on them."""
    keys = {
        key
        for customer_id in await tx.links.customers_of(user_id)
        for key in await tx.members.keys_of_customer(customer_id)
        if key.user_id == user_id and guild_id in (None, key.guild_id)
    }
    return sorted(keys)


def _memberships(services: Services, dossier: Dossier, seen: frozenset[RoleId] | None) -> list[Membership]:
    """Return what is linked to the member now: what moved to another account is shown there."""
    names = {role_id: role.name for role_id, role in services.discord.roles(dossier.key.guild_id).items()}
    known = frozenset() if dossier.row is None else dossier.row.observed
    is_inside = seen is not None or (dossier.row is not None and dossier.row.is_present)
    found = []
    for each in dossier.grants:
        payer = dossier.payers[each.purchase.customer_id]
        if payer.link is not None and payer.link.user_id == dossier.key.user_id:
            has = known if seen is None else seen
            found.append(
                Membership(guild=dossier.guild, shown=each, payer=payer, has=has, role_names=names, is_inside=is_inside)
            )
    return found


def _worth_showing(found: Sequence[Membership]) -> list[Membership]:
    """Leave out the ends of plans that a person has again, and of one plan's ends all but the newest."""
    worth: list[Membership] = []
    told: set[PlanId] = set()
    for each in sorted(found, key=lambda each: each.shown.is_over):
        if not each.shown.is_over or each.shown.plan.id not in told:
            worth.append(each)
        told.add(each.shown.plan.id)
    return worth


async def _with_invite(services: Services, membership: Membership, user_id: UserId) -> Membership:
    grant = membership.shown.grant
    # A refusal may be about a role as well as about the way in: whoever was seen inside needs no invite.
    if membership.shown.is_over or membership.is_inside or not invites.is_outside(grant):
        return membership
    return replace(membership, invite_url=await invites.offer(services, grant, membership.guild, user_id))


async def _with_billing(services: Services, shown: Sequence[Membership], user_id: UserId) -> list[Membership]:
    """Add the ways to billing: a link of their own for whoever had the payer's mail in hand, else by mail.

    The token belongs to a Discord user, so that it leads to billing alone and moves nothing.
    """
    wanted = dict.fromkeys(each.shown.purchase.id for each in shown if _has_billing(each) and _is_payer(each))
    urls = await _billing_urls(services, list(wanted), user_id) if wanted else {}
    return [
        replace(
            each,
            billing_url=urls.get(each.shown.purchase.id, ""),
            can_mail_billing=_has_billing(each) and can_be_mailed(services, each),
        )
        for each in shown
    ]


async def _billing_urls(
    services: Services, purchases: Sequence[PurchaseId], user_id: UserId
) -> Mapping[PurchaseId, str]:
    tokens = {purchase_id: services.randomness.token() for purchase_id in purchases}
    until = services.clock.now() + BILLING_LIFE
    async with services.store.write() as tx:
        for purchase_id, token in tokens.items():
            await tx.links.issue_token(codes.digest(token), purchase_id, user_id, until)
    return {purchase_id: f"{services.public_url}/billing/{token}" for purchase_id, token in tokens.items()}


def can_be_mailed(services: Services, membership: Membership) -> bool:
    """Say whether a mail would reach the payer."""
    customer = membership.payer.customer
    return services.mailer.is_configured and bool(customer.email) and not customer.is_mail_refused


def _has_billing(membership: Membership) -> bool:
    return membership.shown.is_paid and not membership.shown.is_over


def _is_payer(membership: Membership) -> bool:
    link = membership.payer.link
    return link is not None and link.proof in READS_THE_MAIL
