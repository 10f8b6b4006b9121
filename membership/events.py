"""The closed list of what a server can hear of (EXPERIENCE 5.1): names, groups, defaults, and where each one goes.

Pure: a server's rules and channels in, a route out. What an event says is worded at the edge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from membership.desk import NotificationRule, NotifyMode
from membership.model import ChannelId, RoleId
from membership.records import Guild


class Group(StrEnum):
    """What events are about; a rule for a group holds for each of them that has no rule of its own."""

    PAYMENT = "payment"
    MEMBERSHIP = "membership"
    ACCESS = "access"
    LINK = "link"
    STAFF = "staff"
    SAFETY = "safety"
    HEALTH = "health"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One row of the matrix. `title` names it for people; `is_loud`: by default it makes a sound.

    With a problem named beside it, an event that `opens` one is posted and remembered; one that `solves` it edits that
    post and says no more; every other event closes it and is posted too.
    """

    name: str
    title: str
    group: Group
    mode: NotifyMode
    is_loud: bool = False
    opens: bool = False
    solves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where an event goes in one server. `is_own`: the server chose so itself; `channel_id` None: nowhere."""

    mode: NotifyMode
    channel_id: ChannelId | None
    ping_role_id: RoleId | None = None
    is_loud: bool = False
    is_own: bool = False


_E, _D = NotifyMode.EVERY, NotifyMode.DIGEST


def _event(group: Group, name: str, title: str, mode: NotifyMode, **flags: bool) -> Event:
    return Event(name=name, title=title, group=group, mode=mode, **flags)


EVENTS: Mapping[str, Event] = {
    event.name: event
    for event in (
        _event(Group.PAYMENT, "payment.succeeded", "Payment succeeded", _D),
        _event(Group.PAYMENT, "payment.failed", "Payment failed", _E),
        _event(Group.PAYMENT, "payment.refunded", "Payment refunded", _E),
        _event(Group.PAYMENT, "payment.disputed", "Payment disputed", _E, is_loud=True, opens=True),
        _event(Group.PAYMENT, "payment.dispute_closed", "Dispute closed", _E),
        _event(Group.MEMBERSHIP, "grant.created", "Subscription created", _D),
        _event(Group.MEMBERSHIP, "grant.delivered", "Role delivered", _E, solves=True),
        _event(Group.MEMBERSHIP, "grant.failed", "Role not delivered", _E, is_loud=True, opens=True),
        _event(Group.MEMBERSHIP, "grant.held", "Left as it is until somebody looks", _E, is_loud=True, opens=True),
        _event(Group.MEMBERSHIP, "grant.trial_started", "Trial started", _D),
        _event(Group.MEMBERSHIP, "grant.past_due", "Payment overdue", _E, opens=True),
        _event(Group.MEMBERSHIP, "grant.recovered", "Payment recovered", _D, solves=True),
        _event(Group.MEMBERSHIP, "grant.ending", "Subscription cancelled, still running", _D),
        _event(Group.MEMBERSHIP, "grant.revoked", "Subscription cancelled or ended", _E),
        _event(Group.MEMBERSHIP, "grant.changed", "Plan changed", _E),
        _event(Group.MEMBERSHIP, "grant.paused", "Subscription paused", _D),
        _event(Group.MEMBERSHIP, "grant.resumed", "Subscription resumed", _D),
        _event(Group.ACCESS, "role.added", "Role given", _D),
        _event(Group.ACCESS, "role.removed", "Role taken", _D),
        _event(Group.ACCESS, "member.joined_with_grant", "Paying member joined", _D),
        _event(Group.ACCESS, "member.left_with_grant", "Paying member left", _D),
        _event(Group.ACCESS, "member.kicked", "Member kicked", _E),
        _event(Group.ACCESS, "role.drift_fixed", "Role put right", _E),
        _event(Group.ACCESS, "role.manual_change", "Role changed by hand", _E),
        _event(Group.LINK, "link.created", "Purchase connected", _D),
        _event(Group.LINK, "link.moved", "Purchase moved", _E),
        _event(Group.LINK, "link.removed", "Purchase disconnected", _E),
        _event(Group.LINK, "claim.failed_often", "Many wrong codes", _E),
        _event(Group.STAFF, "staff.action", "Something done by staff", _E),
        _event(Group.STAFF, "settings.changed", "Settings changed", _E),
        _event(Group.STAFF, "staff.undo", "Change taken back", _E),
        _event(Group.SAFETY, "brake.held", "Removals held", _E, is_loud=True, opens=True),
        _event(Group.SAFETY, "brake.released", "Held removals released", _E, solves=True),
        _event(Group.SAFETY, "brake.discarded", "Held removals dropped", _E, solves=True),
        _event(Group.SAFETY, "pause.on", "Doorlist paused", _E, is_loud=True, opens=True),
        _event(Group.SAFETY, "pause.off", "Doorlist goes on", _E, is_loud=True),
        _event(Group.HEALTH, "health.degraded", "Doorlist has trouble", _E, is_loud=True, opens=True),
        _event(Group.HEALTH, "health.recovered", "Doorlist is well again", _E, is_loud=True, solves=True),
        _event(Group.HEALTH, "webhook.failing", "Webhooks do not arrive", _E, is_loud=True, opens=True),
        _event(Group.HEALTH, "key.expiring", "A key runs out", _E, opens=True),
        _event(Group.HEALTH, "bot.lost_permission", "A permission is missing", _E, is_loud=True, opens=True),
        _event(Group.HEALTH, "role.deleted", "A sold role was deleted", _E, is_loud=True, opens=True),
        _event(Group.HEALTH, "role.unusable", "A sold role cannot be given", _E, is_loud=True, opens=True),
        _event(Group.HEALTH, "backup.late", "Backup is late", _E, opens=True),
        _event(Group.HEALTH, "update.available", "Update available", _D),
    )
}
"""By name, in the order of EXPERIENCE 5.1. What is not here is written into the audit alone."""


def in_group(group: Group) -> tuple[Event, ...]:
    """Return a group's events, in order."""
    return tuple(event for event in EVENTS.values() if event.group is group)


def route(event: Event, rules: Sequence[NotificationRule], guild: Guild) -> Route:
    """Say how a server hears of an event: by its rule for it, else for its group, else by the default.

    A rule without a channel leaves the channel as it is: the group's own, else the event log.
    """
    by_name = {rule.event: rule for rule in rules}
    group_rule = by_name.get(event.group.value)
    rule = by_name.get(event.name) or group_rule
    own_channel = {Group.PAYMENT: guild.payment_channel_id, Group.MEMBERSHIP: guild.membership_channel_id}
    channels = (
        rule.channel_id if rule else None,
        group_rule.channel_id if group_rule else None,
        own_channel.get(event.group),
        guild.event_channel_id,
    )
    ping = rule.ping_role_id if rule else None
    return Route(
        mode=rule.mode if rule else event.mode,
        channel_id=next((channel for channel in channels if channel is not None), None),
        ping_role_id=ping,
        is_loud=event.is_loud or ping is not None,
        is_own=rule is not None,
    )
