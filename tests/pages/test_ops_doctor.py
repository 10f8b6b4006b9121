"""The doctor's page: it looks when asked, tells what is wrong with its fix, and reports without secrets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from membership.checks import Area, Outcome, Result
from membership.model import GuildId
from tests.pages.stage import MANAGER, STAFF, PageStage, pages_of
from tests.usecases.world import GUILD, World
from web.admin.doctor import PLACES


class FoundDoctor:
    """A doctor who always finds the same."""

    def __init__(self) -> None:
        self.asked: list[GuildId] = []

    async def examine(self, guild_id: GuildId) -> Sequence[Result]:
        self.asked.append(guild_id)
        return [
            Result(id="D01", area=Area.DISCORD, outcome=Outcome.OK, what="The token"),
            Result(
                id="D08",
                area=Area.DISCORD,
                outcome=Outcome.FAIL,
                what="Role order",
                cause="VIP <script>is above doorlist; write to ada.lovelace@example.com",
                fix="drag doorlist above VIP",
                affects="2 waiting members",
            ),
            Result(
                id="P06",
                area=Area.PAYMENTS,
                outcome=Outcome.WARN,
                what="Products",
                cause="The plan VIP sells what is gone",
                fix="/plan edit",
            ),
            Result(id="M01", area=Area.MAIL, outcome=Outcome.SKIP, what="Mail", cause="no mail server is set"),
        ]


@pytest.fixture
def doctor() -> FoundDoctor:
    return FoundDoctor()


@pytest.fixture
async def stage(world: World, doctor: FoundDoctor) -> AsyncIterator[PageStage]:
    async with pages_of(world, doctor=doctor) as opened:
        yield opened


async def test_opening_the_page_asks_nobody(stage: PageStage, doctor: FoundDoctor) -> None:
    manager = await stage.staff_member(MANAGER)
    assert "Not looked at yet" in (await manager.get(stage.at("/doctor"))).words
    assert doctor.asked == []


async def test_a_press_looks_and_tells_what_is_wrong(stage: PageStage, doctor: FoundDoctor) -> None:
    manager = await stage.staff_member(MANAGER)
    shown = await manager.press(await manager.get(stage.at("/doctor")), "Run the checks")
    assert doctor.asked == [GUILD]
    assert "4 checks" in shown.words
    assert "drag doorlist above VIP" in shown.words
    assert "Affects 2 waiting members." in shown.words
    assert "no mail server is set" in shown.words
    assert "<script>" not in shown.text


async def test_a_finding_leads_to_the_page_that_puts_it_right(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    shown = await manager.press(await manager.get(stage.at("/doctor")), "Run the checks")
    assert "Open the roles by price" in shown.words
    assert shown.links.count(stage.at("/products")) == 2  # the menu's and the finding's


@pytest.mark.parametrize("path", sorted({path for path, _ in PLACES.values()}))
async def test_every_page_that_findings_lead_to_is_there(stage: PageStage, path: str) -> None:
    manager = await stage.staff_member(MANAGER)
    assert (await manager.get(stage.at(path))).status == 200


async def test_the_report_holds_no_address(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    assert (await manager.get(stage.at("/doctor/report"))).location == stage.at("/doctor")
    await manager.post(stage.at("/doctor"))
    report = await manager.get(stage.at("/doctor/report"))
    assert "attachment" in report.headers["Content-Disposition"]
    assert "D08" in report.text
    assert "ada.lovelace" not in report.text


async def test_it_is_for_managers(stage: PageStage, doctor: FoundDoctor) -> None:
    staff = await stage.staff_member(STAFF)
    assert (await staff.get(stage.at("/doctor"))).status == 403
    assert (await staff.post(stage.at("/doctor"))).status == 403
    assert doctor.asked == []
