"""A report in words and as a picture, whatever the numbers are."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PIL import Image

from cogs import charts
from cogs.cards import Picture, Text
from cogs.chart_canvas import writable
from cogs.report_cards import Answer, delivery_answer, members_answer, report_card, revenue_answer
from membership.charts import ChartSpec, Series, Shape
from membership.model import GuildId, Plan, PlanId
from membership.records import Guild
from membership.reports import DeliveryReport, MembersReport, RevenueReport, Scope, Sums, days_of

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAN = Plan(id=PlanId(1), guild_id=GuildId(1), name="VIP 🌟", slug="vip")


def scope(days: int) -> Scope:
    guild = Guild(id=GuildId(1), name="S")
    return Scope(days=days_of(guild, NOW, days), plan=PLAN, record_since=datetime(2025, 1, 1, tzinfo=UTC))


def members(days: int, active: int = 396) -> Answer:
    began = tuple(number % 3 for number in range(days))
    report = MembersReport(
        scope=scope(days), active=tuple(active + sum(began[: number + 1]) for number in range(days)),
        late=(0,) * days, began=began, ended=(0,) * days,
    )  # fmt: skip
    return members_answer(report)


def test_the_alternative_text_says_the_numbers() -> None:
    assert members(30).alt == (
        "Active members of VIP 🌟 rose from 396 to 426 between 22 October 2026 and 20 November 2026; 30 began, 0 ended."
    )


def test_long_periods_are_drawn_in_weeks_and_months_and_written_by_day() -> None:
    assert [len(members(days).spec.labels) for days in (7, 30, 90, 365)] == [7, 30, 13, 13]
    assert len(members(365).tables["members.csv"]) == 366


def test_money_of_each_currency_stands_alone() -> None:
    sums = (
        Sums(currency="eur", paid=[900] * 7, refunded=[0] * 7, plans={PlanId(1): 6300}),
        Sums(currency="jpy", paid=[500] * 7, refunded=[0] * 7, plans={PlanId(1): 3500}),
    )
    answer = revenue_answer(RevenueReport(scope=replace(scope(7), plan=None), sums=sums, plan_names={PlanId(1): "VIP"}))
    assert "63.00 € paid" in answer.lines[0]
    assert "3500 JPY paid" in answer.lines[0]
    assert answer.spec.series[0].values == (9.0,) * 7
    assert "VIP 63.00 € · VIP 3500 JPY" in answer.lines[1]


async def test_every_kind_of_numbers_gives_a_picture() -> None:
    empty = RevenueReport(scope=scope(30), sums=(), plan_names={})
    quick = DeliveryReport(scope=scope(30), seconds=(0.5, 1.9, 14.0, 9000.0), failures={"banned": 2})
    specs = [members(days, active).spec for days, active in ((1, 0), (7, 0), (365, 90_000))]
    specs += [revenue_answer(empty).spec, delivery_answer(quick).spec]
    long = Series(words="n" * 200, values=(-5.0, 0.0), shape=Shape.LINE)
    specs.append(ChartSpec(title="t" * 500, labels=("l" * 90, "m"), series=(long,), note="n" * 500))
    for spec in specs:
        picture = await charts.png(spec)
        assert picture is not None
        assert Image.open(io.BytesIO(picture)).size == (1400, 440)


def test_letters_that_the_font_lacks_are_no_boxes() -> None:
    assert writable("Ünï 🌟 VIP Супер") == "Uni VIP"


async def test_without_pillow_there_is_a_line_of_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    answer = members(30)
    card = report_card(answer, await charts.png(answer.spec))
    assert not any(isinstance(line, Picture) for line in card.lines)
    assert isinstance(card.lines[0], Text)
    assert card.lines[0].text.endswith("█")
    assert [file.file_name for file in card.files] == ["members.csv"]
