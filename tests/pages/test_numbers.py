"""Numbers that no table can hold, in addresses and forms: nobody's, and never a bug of ours."""

from __future__ import annotations

import pytest

from tests.pages.stage import OWNER, PageStage
from tests.usecases.world import GUILD
from web.numbers import number_in

TOO_LARGE = str(2**63)
MEMBER = 9001


@pytest.mark.parametrize("text", ["", "-1", "1.0", "٣", " 1", "1 ", "1_000", TOO_LARGE, "9" * 40])
def test_it_reads_no_number_where_there_is_none(text: str) -> None:
    assert number_in(text) is None


def test_it_reads_the_largest_number_that_a_table_holds() -> None:
    assert number_in(str(2**63 - 1)) == 2**63 - 1


@pytest.mark.parametrize(
    "path",
    [
        f"/admin/{TOO_LARGE}",
        f"/icons/{TOO_LARGE}.png",
        f"/admin/servers/added/{TOO_LARGE}",
        f"/admin/{GUILD}/members/{TOO_LARGE}",
        f"/admin/{GUILD}/events?member={TOO_LARGE}",
    ],
)
async def test_an_address_with_a_number_too_large_is_nowhere(stage: PageStage, path: str) -> None:
    owner = await stage.staff_member(OWNER)
    assert (await owner.get(path)).status == 404


@pytest.mark.parametrize(
    "path", ["/move?target=", "/members?q=", "/members?q=<@", "/audit?before=", "/webhooks?search="]
)
async def test_what_is_asked_for_with_a_number_too_large_is_not_found(stage: PageStage, path: str) -> None:
    owner = await stage.staff_member(OWNER)
    assert (await owner.get(stage.at(path) + TOO_LARGE + (">" if path.endswith("<@") else ""))).status == 200


@pytest.mark.parametrize(
    ("path", "field", "status"),
    [
        ("/admin/servers/add", "guild", 303),
        (f"/admin/{GUILD}/move", "target", 404),
        (f"/admin/{GUILD}/members/{MEMBER}/grant", "plan", 422),
        (f"/admin/{GUILD}/members/{MEMBER}/grant", "days", 422),
        (f"/admin/{GUILD}/codes/new", "plan", 422),
    ],
)
async def test_a_form_with_a_number_too_large_is_refused(stage: PageStage, path: str, field: str, status: int) -> None:
    owner = await stage.staff_member(OWNER)
    assert (await owner.post(path, {field: TOO_LARGE})).status == status


async def test_a_customer_who_names_an_account_too_large_finds_nothing(stage: PageStage) -> None:
    customer = await stage.customer(email="ada@example.com")
    assert (await customer.post("/portal/discord/connect", {"from": TOO_LARGE})).status == 404
