"""What becomes of people who had a role before it was sold: left alone, given the plan for free, or asked to leave it.

The decision is a row; `carry_out` brings about what the row says, as often as it is called. Exactly the people who were
shown are touched. Only Discord knows who has a role, and shows it only with the members intent.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import assert_never

from membership import binding, crowd_walk, house, notices, recording, staff_acts
from membership.actors import Actor
from membership.change_kinds import ChangeKind, adoption_json
from membership.crowds import People
from membership.desk import Adoption, AdoptionPolicy, Preview
from membership.errors import Retry, UserError
from membership.ledgers import Transaction
from membership.model import (
    ChangeId,
    CustomerSnapshot,
    GuildId,
    HoldingState,
    Lane,
    MemberKey,
    Plan,
    PlanId,
    Proof,
    RoleId,
    UserId,
)
from membership.records import Draft
from membership.services import Services
from membership.staff_acts import StaffAct

NOTICE_DAYS = 14
LONGEST_NOTICE_DAYS = 90
MOST_HOLDERS = 20_000
"""Holders that one decision may be about."""
LISTING_SECONDS = 10.0
"""How long Discord may take to list them: somebody is waiting for the answer."""
NOTICED_AT_MOST = 100
"""Holders who get a direct message: Discord stops bots that write to many people who never wrote to them."""
PAGE = 50
KIND = "adoption"
_PEOPLE, _EARLIER = "user_ids", "earlier"
"""Whom the decision is about, and whom the one before it was."""
_KEPT = timedelta(days=8)
"""How long the people of a decision are known beyond its notice: as long as it can be taken back."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """Who has a role without anything that gives it. `set_hash` names exactly these people.

    `is_complete` False: there are more than MOST_HOLDERS.
    """

    role_id: RoleId
    user_ids: tuple[UserId, ...]
    set_hash: str
    is_complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A decision about the holders of a role. `set_hash` names the people who were shown; leaving alone needs none."""

    role_id: RoleId
    policy: AdoptionPolicy
    set_hash: str = ""
    notice_days: int = NOTICE_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """A decision that was made, how many people it touches, and what takes it back."""

    adoption: Adoption
    people: int
    change_id: ChangeId


async def holders_without_purchase(services: Services, guild_id: GuildId, role_id: RoleId) -> Holders:
    """List the people who have a role and neither a grant that gives it nor a holding of ours.

    Raises Blocked(MISSING_ACCESS) without the members intent, and Retry while Discord cannot tell.
    """
    found = await _listed_by_discord(services, guild_id, role_id)
    held = await crowd_walk.everybody(services, lambda tx, after: tx.crowds.holders(guild_id, role_id, after))
    ours = frozenset(held) | await _entitled(services, guild_id, role_id)
    left = sorted(set(found) - ours)[:MOST_HOLDERS]
    is_complete = len(found) <= MOST_HOLDERS
    return Holders(role_id=role_id, user_ids=tuple(left), set_hash=_hash(left), is_complete=is_complete)


async def _listed_by_discord(services: Services, guild_id: GuildId, role_id: RoleId) -> list[UserId]:
    found: list[UserId] = []
    try:
        async with asyncio.timeout(LISTING_SECONDS):
            async for page in services.discord.role_holders(guild_id, role_id):
                found += page
                if len(found) > MOST_HOLDERS:
                    break
    except TimeoutError:
        raise Retry("Discord did not list the members in time") from None
    return found


async def _entitled(services: Services, guild_id: GuildId, role_id: RoleId) -> frozenset[UserId]:
    """Return whoever has a grant that gives a role."""
    async with services.store.read() as tx:
        giving = [plan.id for plan in await tx.plans.all(guild_id) if role_id in plan.all_roles]
    found: set[UserId] = set()
    for plan_id in giving:
        found.update(await crowd_walk.everybody(services, partial(_entitled_by, plan_id)))
    return frozenset(found)


async def _entitled_by(plan_id: PlanId, tx: Transaction, after: int) -> People:
    return await tx.crowds.entitled(plan_id, after)


async def adopt(services: Services, actor: Actor, wish: Wish) -> Adopted:
    """Decide about the holders of a role, and begin. Raises UserError, and as `holders_without_purchase`."""
    people = await _people(services, actor, wish)
    now = services.clock.now()
    notice = timedelta(days=wish.notice_days) if wish.policy is AdoptionPolicy.REMOVE else None
    adoption = Adoption(
        guild_id=actor.guild_id,
        role_id=wish.role_id,
        policy=wish.policy,
        decided_by=str(actor),
        decided_at=now,
        notice_until=None if notice is None else now + notice,
    )
    async with services.store.write() as tx:
        before = await tx.adoptions.get(actor.guild_id, wish.role_id)
        await tx.adoptions.put(adoption)
        await _remember(tx, adoption, people, str(actor))
        change_id = await staff_acts.write_down(tx, actor, _act(before, adoption, len(people)), now)
        await mark(tx, actor.guild_id, wish.role_id, now)
    services.wake()
    return Adopted(adoption=adoption, people=len(people), change_id=change_id)


async def mark(tx: Transaction, guild_id: GuildId, role_id: RoleId, run_at: datetime) -> None:
    """Ask for what the decision about a role says to be brought about."""
    await tx.jobs.mark(KIND, str(MemberKey(guild_id, UserId(role_id))), lane=Lane.BULK, run_at=run_at, scope=KIND)


async def take_back(tx: Transaction, key: tuple[GuildId, RoleId], before: Adoption | None, now: datetime) -> None:
    """Return to the decision before the last one about a role (None: there was none) and to the people it was about."""
    guild_id, role_id = key
    if before is None:
        await tx.adoptions.clear(guild_id, role_id)
    else:
        await tx.adoptions.put(before)
    kept = await tx.previews.take(_name(guild_id, role_id), guild_id, _BEGINNING)
    if kept is not None:
        turned = {_PEOPLE: kept.content.get(_EARLIER, []), _EARLIER: kept.content.get(_PEOPLE, [])}
        await tx.previews.put(replace(kept, content=turned))
    await mark(tx, guild_id, role_id, now)


async def carry_out(services: Services, key: str) -> None:
    """Bring about what was decided about a role, `key` as in its job; what was decided before and no longer holds ends.

    Free grants are withdrawn again without touching the role: it was the holder's own. So it is with whoever was to
    leave it and has it still.
    """
    guild_id, role_id = (int(part) for part in key.split(":"))
    async with services.store.read() as tx:
        adoption = await tx.adoptions.get(GuildId(guild_id), RoleId(role_id))
        kept = await tx.previews.get(_name(GuildId(guild_id), RoleId(role_id)), GuildId(guild_id), _BEGINNING)
    people, earlier = _listed(kept, _PEOPLE), _listed(kept, _EARLIER)
    policy = AdoptionPolicy.LEAVE if adoption is None else adoption.policy
    if policy is not AdoptionPolicy.GRANDFATHER:
        await _withdraw(services, GuildId(guild_id), RoleId(role_id))
    if policy is not AdoptionPolicy.REMOVE:
        await _let_go(services, GuildId(guild_id), RoleId(role_id), earlier)
    if adoption is None:
        return
    match policy:
        case AdoptionPolicy.LEAVE:
            return
        case AdoptionPolicy.GRANDFATHER:
            await _grandfather(services, adoption, people)
        case AdoptionPolicy.REMOVE:
            await _remove(services, adoption, people)
        case _:
            assert_never(policy)


# ------------------------------------------------------------------------------------------------------------ deciding


async def _people(services: Services, actor: Actor, wish: Wish) -> tuple[UserId, ...]:
    """Return whom the wish is about: exactly those who were shown. Raises UserError."""
    if wish.role_id not in services.discord.roles(actor.guild_id):
        raise UserError("There is no such role in this server.")
    if wish.policy is AdoptionPolicy.LEAVE:
        return ()
    if not 0 <= wish.notice_days <= LONGEST_NOTICE_DAYS:
        raise UserError(f"{wish.notice_days} days of notice do not work: use 0 to {LONGEST_NOTICE_DAYS}.")
    async with services.store.read() as tx:
        await _plan_giving(tx, actor.guild_id, wish.role_id)
    holders = await holders_without_purchase(services, actor.guild_id, wish.role_id)
    if not holders.is_complete:
        raise UserError(f"More than {MOST_HOLDERS} people have this role. That is too many for one decision.")
    if holders.set_hash != wish.set_hash:
        raise UserError("Who has the role has changed since the list was shown. Look at it again, then decide.")
    return holders.user_ids


async def _plan_giving(tx: Transaction, guild_id: GuildId, role_id: RoleId) -> Plan:
    """Return the plan that a free grant of a role is for: the one that gives the least besides. Raises UserError."""
    giving = [plan for plan in await tx.plans.all(guild_id) if role_id in plan.roles and not plan.is_archived]
    if not giving:
        raise UserError("No plan gives this role. Put it into a plan first.")
    return min(giving, key=lambda plan: (len(plan.roles), plan.id))


def _act(before: Adoption | None, after: Adoption, people: int) -> StaffAct:
    return StaffAct(
        kind=ChangeKind.ADOPTION,
        summary=_SUMMARIES[after.policy].format(role=after.role_id, people=people),
        before={} if before is None else adoption_json(before),
        after=adoption_json(after),
    )


_SUMMARIES = {
    AdoptionPolicy.LEAVE: "Holders of <@&{role}> without a purchase are left alone",
    AdoptionPolicy.GRANDFATHER: "{people} holders of <@&{role}> got it for free",
    AdoptionPolicy.REMOVE: "{people} holders of <@&{role}> without a purchase got notice",
}


async def _remember(tx: Transaction, adoption: Adoption, people: Sequence[UserId], actor: str) -> None:
    """Keep whom the decision is about, and the one before it: `carry_out` must not find others."""
    name = _name(adoption.guild_id, adoption.role_id)
    before = await tx.previews.take(name, adoption.guild_id, _BEGINNING)
    await tx.previews.put(
        Preview(
            id=name,
            guild_id=adoption.guild_id,
            actor=actor,
            kind=KIND,
            content={_PEOPLE: list(map(str, people)), _EARLIER: list(map(str, _listed(before, _PEOPLE)))},
            set_hash=_hash(people),
            created_at=adoption.decided_at,
            expires_at=(adoption.notice_until or adoption.decided_at) + _KEPT,
        )
    )


def _listed(kept: Preview | None, which: str) -> list[UserId]:
    listed = None if kept is None else kept.content.get(which)
    return [UserId(int(user)) for user in listed] if isinstance(listed, list) else []


# -------------------------------------------------------------------------------------------------------- carrying out


async def _grandfather(services: Services, adoption: Adoption, people: Sequence[UserId]) -> None:
    """Give everybody the plan for ever, and take the role into our care: when the grant is revoked, it goes."""
    now = services.clock.now()
    for page in _pages(people):
        async with services.store.write() as tx:
            plan = await _plan_giving(tx, adoption.guild_id, adoption.role_id)
            account_id = await house.account_id(tx, now)
            for user_id in page:
                external_id = f"{_name(adoption.guild_id, adoption.role_id)}:{user_id}"
                known = await tx.purchases.find(account_id, external_id)
                if known is None or known.raw_status == house.WITHDRAWN:
                    gift = house.Gift(external_id=external_id, plan=plan, until=None, started_at=now)
                    # A payer of its own: whatever else they are given must not go or come with this.
                    purchase, _ = await house.record(tx, gift, CustomerSnapshot(external_id=external_id), now)
                    await tx.links.bind(purchase.customer_id, user_id, Proof.STAFF, now)
                    key = MemberKey(adoption.guild_id, user_id)
                    await tx.members.own(key, adoption.role_id, HoldingState.HELD, now)
            keys = [MemberKey(adoption.guild_id, user_id) for user_id in page]
            await binding.mark(tx, keys, Lane.BULK, now)
        services.wake()


async def _withdraw(services: Services, guild_id: GuildId, role_id: RoleId) -> None:
    now = services.clock.now()
    occasion = recording.Occasion(now=now, lane=Lane.BULK, policy=services.policy)
    prefix = f"{_name(guild_id, role_id)}:"
    for _ in range(MOST_HOLDERS // PAGE + 1):
        async with services.store.write() as tx:
            given = await tx.crowds.named(await house.account_id(tx, now), prefix, PAGE)
            for purchase in given:
                await tx.members.disown(MemberKey(guild_id, _user_of(purchase.external_id)), role_id)
                await house.change(tx, purchase, occasion, is_given=False, until=now)
        services.wake()
        if len(given) < PAGE:
            return


async def _remove(services: Services, adoption: Adoption, people: Sequence[UserId]) -> None:
    """Tell people first; when the notice is over the role is ours to take, and the brake asks a person once more."""
    now = services.clock.now()
    until = adoption.notice_until or now
    if now < until:
        async with services.store.write() as tx:
            for user_id in people[:NOTICED_AT_MOST]:
                await tx.outbox.put(await _notice(tx, adoption, user_id), now)
            await mark(tx, adoption.guild_id, adoption.role_id, until)
        services.wake()
        return
    for page in _pages(people):
        keys = [MemberKey(adoption.guild_id, user_id) for user_id in page]
        async with services.store.write() as tx:
            for key in keys:
                await tx.members.own(key, adoption.role_id, HoldingState.HELD, now)
            await binding.mark(tx, keys, Lane.BULK, now)
        services.wake()


async def _let_go(services: Services, guild_id: GuildId, role_id: RoleId, people: Sequence[UserId]) -> None:
    """Give the role back to those who have it and nothing that gives it: it is theirs, and nobody is asked about it."""
    now = services.clock.now()
    entitled = await _entitled(services, guild_id, role_id) if people else frozenset()
    for page in _pages([user_id for user_id in people if user_id not in entitled]):
        keys = [MemberKey(guild_id, user_id) for user_id in page]
        async with services.store.write() as tx:
            for key in keys:
                await tx.members.disown(key, role_id)
                await notices.solve_batches(tx, guild_id, await tx.removals.drop(key, [role_id]), now)
            await binding.mark(tx, keys, Lane.BULK, now)
        services.wake()


async def _notice(tx: Transaction, adoption: Adoption, user_id: UserId) -> Draft:
    plan = await _plan_giving(tx, adoption.guild_id, adoption.role_id)
    name = _name(adoption.guild_id, adoption.role_id)
    facts = {"guild_id": str(adoption.guild_id), "plan": plan.name, "until": adoption.notice_until}
    return Draft(
        dedupe_key=f"{name}:{adoption.decided_at.isoformat()}:{user_id}",
        kind="dm",
        target=str(user_id),
        template="adoption_notice",
        facts=facts,
    )


def _name(guild_id: GuildId, role_id: RoleId) -> str:
    """Name a decision: its list of people, and the purchases it gives, begin like this."""
    return f"adopt:{guild_id}:{role_id}"


def _user_of(external_id: str) -> UserId:
    return UserId(int(external_id.rpartition(":")[2]))


def _pages(people: Sequence[UserId]) -> Iterable[Sequence[UserId]]:
    return (people[start : start + PAGE] for start in range(0, len(people), PAGE))


def _hash(people: Iterable[UserId]) -> str:
    return hashlib.sha256(",".join(map(str, sorted(people))).encode()).hexdigest()[:16]
