"""The notification matrix: an event's own rule, its group's, or the default; and which channel."""

from __future__ import annotations

import pytest

from membership.desk import NotificationRule, NotifyMode
from membership.events import EVENTS, Group, in_group, route
from membership.model import ChannelId, GuildId, RoleId
from membership.records import Guild

LOG, MONEY, MEMBERS, OTHER, STAFF = ChannelId(1), ChannelId(2), ChannelId(3), ChannelId(4), RoleId(5)
GUILD = Guild(id=GuildId(1), name="S", event_channel_id=LOG, payment_channel_id=MONEY, membership_channel_id=MEMBERS)


def rule(event: str, mode: NotifyMode = NotifyMode.EVERY, **own: object) -> NotificationRule:
    return NotificationRule(guild_id=GUILD.id, event=event, mode=mode, **own)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "channel"), [("payment.failed", MONEY), ("grant.created", MEMBERS), ("link.moved", LOG)]
)
def test_a_group_goes_to_its_own_channel_and_the_rest_to_the_event_log(event: str, channel: ChannelId) -> None:
    assert route(EVENTS[event], [], GUILD).channel_id == channel


def test_an_event_s_own_rule_beats_its_group_s() -> None:
    rules = [rule("payment", NotifyMode.OFF, channel_id=OTHER), rule("payment.failed", ping_role_id=STAFF)]
    failed = route(EVENTS["payment.failed"], rules, GUILD)
    assert (failed.mode, failed.channel_id, failed.ping_role_id) == (NotifyMode.EVERY, OTHER, STAFF)
    assert failed.is_loud
    assert route(EVENTS["payment.refunded"], rules, GUILD).mode is NotifyMode.OFF


def test_without_a_rule_the_default_counts() -> None:
    assert route(EVENTS["payment.succeeded"], [], GUILD).mode is NotifyMode.DIGEST
    assert route(EVENTS["grant.failed"], [], GUILD).is_loud
    assert not route(EVENTS["grant.delivered"], [], GUILD).is_loud


def test_the_four_classic_switches_are_four_rows() -> None:
    rows = {name: EVENTS[name].title for name in ("payment.succeeded", "payment.failed", "grant.created")}
    assert rows == {
        "payment.succeeded": "Payment succeeded",
        "payment.failed": "Payment failed",
        "grant.created": "Subscription created",
    }
    assert "cancelled" in EVENTS["grant.ending"].title
    assert "cancelled" in EVENTS["grant.revoked"].title


def test_every_event_is_in_one_group() -> None:
    assert [event for group in Group for event in in_group(group)] == list(EVENTS.values())
