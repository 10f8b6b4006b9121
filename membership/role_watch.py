"""Looks again at the roles that plans give whenever roles change, and tells the server once what became unusable.

The members of a plan whose role is gone are looked at again, so that their grants say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from membership import notices
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.model import GuildId, Lane, Plan, RoleId
from membership.ports import GuildRole
from membership.services import Services

NO_PERMISSION = "no_permission"
DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a sold role was when it was last looked at: why we may not give it, and its dangerous permissions."""

    refusal: str
    dangers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A sold role that became unusable, and the plans that give it. `dangers`: only those that are new."""

    role_id: RoleId
    name: str
    plans: tuple[str, ...]
    refusal: str
    dangers: tuple[str, ...] = ()


async def look(services: Services, guild_id: GuildId) -> None:
    """Compare a server's sold roles with the last look; tell what is new, and solve what is well again."""
    roles = services.discord.roles(guild_id)
    if not roles:
        # An outage shows no role at all; that deletes none.
        return
    now = services.clock.now()
    async with services.store.write() as tx:
        plans = [plan for plan in await tx.plans.all(guild_id) if not plan.is_archived]
        known = _read(await tx.cursors.get(_name(guild_id)))
        present = standings(plans, roles)
        if present == known:
            return
        await tx.cursors.put(_name(guild_id), json.dumps({role: asdict(each) for role, each in present.items()}))
        found = troubles(plans, roles, (known, present))
        lost = [trouble for trouble in found if trouble.refusal == NO_PERMISSION]
        # One permission for all roles is one piece of news.
        for trouble in [*(each for each in found if each not in lost), *lost[:1]]:
            await _tell(tx, guild_id, trouble, now)
        deleted = {trouble.role_id for trouble in found if trouble.refusal == DELETED}
        for plan in plans:
            if plan.all_roles & deleted:
                await tx.jobs.mark("plan", str(plan.id), lane=Lane.PLAN, run_at=now)
        for role_id, standing in present.items():
            if not standing.refusal and role_id in known and known[role_id].refusal:
                await notices.solve(tx, guild_id, _problem(role_id), now)
        if not any(each.refusal == NO_PERMISSION for each in present.values()):
            await notices.solve(tx, guild_id, NO_PERMISSION, now)
    services.wake()


def standings(plans: Iterable[Plan], roles: Mapping[RoleId, GuildRole]) -> dict[RoleId, Standing]:
    """Return how every sold role stands."""
    sold = sorted({role_id for plan in plans for role_id in plan.all_roles})
    return {
        role_id: Standing(refusal=roles[role_id].refusal, dangers=roles[role_id].dangers)
        if role_id in roles
        else Standing(refusal=DELETED)
        for role_id in sold
    }


def troubles(
    plans: Iterable[Plan],
    roles: Mapping[RoleId, GuildRole],
    known_and_present: tuple[Mapping[RoleId, Standing], Mapping[RoleId, Standing]],
) -> list[Trouble]:
    """Return what was usable, or not sold, at the last look and is not usable now.

    Dangerous permissions at the first look are no news: whoever chose the role confirmed them.
    """
    known, present = known_and_present
    sold_by = list(plans)
    found = []
    for role_id, standing in present.items():
        before = known.get(role_id)
        is_new = standing.refusal != (before.refusal if before else "")
        grown = tuple(name for name in standing.dangers if before is not None and name not in before.dangers)
        if (standing.refusal and is_new) or grown:
            found.append(
                Trouble(
                    role_id=role_id,
                    name=roles[role_id].name if role_id in roles else "",
                    plans=tuple(plan.name for plan in sold_by if role_id in plan.all_roles),
                    refusal=standing.refusal if is_new else "",
                    dangers=grown,
                )
            )
    return found


async def _tell(tx: Transaction, guild_id: GuildId, trouble: Trouble, now: datetime) -> None:
    facts: dict[str, object] = {"plan": ", ".join(trouble.plans), "role_ids": [str(trouble.role_id)]}
    match trouble.refusal:
        case "deleted":
            event, facts["reason"] = "role.deleted", Reason.ROLE_DELETED.value
        case "no_permission":
            facts = {"reason": Reason.MISSING_PERMISSION.value, "permission": "manage_roles"}
            await notices.tell(tx, "bot.lost_permission", guild_id, facts, now, problem=NO_PERMISSION)
            return
        case "above_bot":
            event, facts["reason"] = "role.unusable", Reason.ROLE_ABOVE_BOT.value
        case _:
            event = "role.unusable"
            facts |= {"refusal": trouble.refusal, "dangers": list(trouble.dangers)}
    await notices.tell(tx, event, guild_id, facts, now, problem=_problem(trouble.role_id))


def _problem(role_id: RoleId) -> str:
    return f"role:{role_id}"


def _name(guild_id: GuildId) -> str:
    return f"roles:{guild_id}"


def _read(written: str | None) -> dict[RoleId, Standing]:
    found = json.loads(written or "{}")
    return {
        RoleId(int(role)): Standing(refusal=each["refusal"], dangers=tuple(each["dangers"]))
        for role, each in found.items()
    }
