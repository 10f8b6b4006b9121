"""The matrix of notifications: what it tells, a rule from a form, and tests."""

from __future__ import annotations

import pytest

from membership import notices, notifying
from membership.desk import NotifyMode
from membership.model import ChannelId, RoleId
from membership.notifying import Row
from tests.pages.stage import MANAGER, STAFF, PageStage
from tests.usecases.world import EVENT_CHANNEL, FRIEND, GUILD

MONEY = ChannelId(777)


async def row(stage: PageStage, name: str) -> Row:
    found = await notifying.matrix(stage.world.services, GUILD)
    return next(each for each in found if each.event.name == name)


async def test_it_lists_every_event_by_group(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at("/notifications"))
    assert shown.status == 200
    assert "Payments" in shown.words
    assert "Removals held" in shown.words
    assert len(shown.text) < 30_000


async def test_a_rule_is_set_with_a_form(stage: PageStage) -> None:
    stage.world.discord.guilds[GUILD].channels[MONEY] = "money"
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at("/notifications/payment.succeeded"))

    shown = await manager.press(shown, "Save", mode="every", channel=str(MONEY), ping=str(FRIEND))

    assert "Saved: Payment succeeded." in shown.words
    found = await row(stage, "payment.succeeded")
    assert (found.route.mode, found.route.channel_id, found.route.ping_role_id) == (NotifyMode.EVERY, MONEY, FRIEND)


async def test_a_group_is_set_at_once(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at("/notifications/access"))
    await manager.press(shown, "Save", mode="off")
    assert (await row(stage, "role.added")).route.mode is NotifyMode.OFF


@pytest.mark.parametrize(
    ("field", "value"),
    [("channel", "123456"), ("channel", "x"), ("ping", str(int(GUILD))), ("ping", "31337"), ("mode", "loud")],
)
async def test_what_is_not_on_the_list_is_refused_and_nothing_typed_is_lost(
    stage: PageStage, field: str, value: str
) -> None:
    stage.world.discord.guilds[GUILD].roles[RoleId(int(GUILD))] = 0
    manager = await stage.staff_member(MANAGER)
    wish = {"mode": "digest", "channel": "", "ping": "", field: value}
    shown = await manager.post(stage.at("/notifications/payment.failed"), wish)
    assert shown.status == 422
    assert "Please look at this again" in shown.words
    assert (await row(stage, "payment.failed")).route.is_own is False


async def test_a_test_posts_one_event_once_a_minute(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at("/notifications/payment.failed"))
    assert "1 test is on its way." in (await manager.press(shown, "Send a test")).words
    await stage.world.settle()
    assert [event for event, _ in stage.world.discord.posts] == ["payment.failed"]
    assert "Nothing was sent" in (await manager.press(shown, "Send a test")).words


async def test_it_says_which_channel_takes_no_posts(stage: PageStage) -> None:
    async with stage.world.services.store.write() as tx:
        await notices.note_channel_trouble(tx, EVENT_CHANNEL, "missing_access")
    manager = await stage.staff_member(MANAGER)
    assert "does not arrive: the bot cannot see" in (await manager.get(stage.at("/notifications"))).words


async def test_an_event_that_does_not_exist_is_not_there(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    assert (await manager.get(stage.at("/notifications/nothing.here"))).status == 404
    assert (await manager.post(stage.at("/notifications/nothing.here"), {"mode": "off"})).status == 404


async def test_support_changes_nothing(stage: PageStage) -> None:
    staff = await stage.staff_member(STAFF)
    assert (await staff.get(stage.at("/notifications"))).status == 403
    assert (await staff.post(stage.at("/notifications/payment.failed"), {"mode": "off"})).status == 403
