"""What a page looks like that could not be made: whose it is, a number that staff find in the log, and a way back."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from membership.errors import Audience, Blocked, Reason, Retry
from tests.pages.stage import MANAGER, PageStage
from tests.usecases.world import VIP

TROUBLES = {
    "page_delayed": Retry("the secret name of a database"),
    "page_blocked": Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR, detail="secret key"),
    "page_failed": ZeroDivisionError("secret insides"),
}


@pytest.mark.parametrize("event", TROUBLES)
async def test_every_failure_of_ours_has_a_number_that_is_in_the_log(stage: PageStage, event: str) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.buys("vip")
    visitor = await stage.stranger()
    link = str(stage.world.mailer.sent[0].facts["link"]).removeprefix("https://door.example")
    stage.world.provider.faults.fails_always("portal", TROUBLES[event])
    with capture_logs() as lines:
        shown = await visitor.post(link.replace("/connect/", "/billing/"))
    assert shown.status in (500, 503)
    [line] = [line for line in lines if line["event"] == event]
    assert line["reference"] in shown.words
    assert "secret" not in shown.text
    assert "Traceback" not in shown.text
    assert "/" in shown.links


async def test_what_is_missing_stands_under_the_servers_name(stage: PageStage) -> None:
    shown = await (await stage.stranger()).get("/plans/nowhere")
    assert shown.status == 404
    assert "Ada's server" in shown.words


async def test_staff_are_led_back_to_their_pages(stage: PageStage) -> None:
    visitor = await stage.staff_member(MANAGER)
    shown = await visitor.get("/admin/77")
    assert shown.status == 404
    assert "/admin" in shown.links


async def test_a_failure_is_said_in_the_visitors_language(stage: PageStage) -> None:
    shown = await (await stage.stranger()).get("/plans/nowhere", **{"Accept-Language": "it"})
    assert 'lang="it"' in shown.text


async def test_a_refusal_is_said_in_the_visitors_language(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    await manager.post("/language", {"language": "it", "back": "/admin"})
    shown = await manager.press(await manager.get(stage.at("/settings")), "Salva", accent="ffee00")
    assert "Questo colore non si legge sul bianco" in shown.words
