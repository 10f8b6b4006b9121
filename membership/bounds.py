"""What bounds the steps for one member: the server's own rules, and what Discord lets us do. Their use is diff's."""

from __future__ import annotations

from membership.diff import Limits, delivered_roles
from membership.entitlements import Decision
from membership.model import ManualChange, MemberKey
from membership.records import Guild
from membership.services import Services


def limits_of(services: Services, guild: Guild, key: MemberKey, decision: Decision) -> Limits:
    """Return the limits for one look at a member."""
    is_restored = guild.manual_change is ManualChange.RESTORE
    known = services.discord.roles(key.guild_id)
    # Nobody took by hand what the server no longer has: trying it says so.
    taken_by_hand = delivered_roles(decision) & (known.keys() or decision.roles)
    return Limits(
        can_join=services.permits.of(key.user_id, services.clock.now()) is not None,
        assignable=[role.role_id for role in known.values() if not role.refusal],
        repairs=services.policy.repairs_per_day,
        left_away=frozenset() if is_restored else taken_by_hand,
    )
