"""The process is killed at each point between payment and role: after a restart all is delivered, mails once each.

A point is reached when what Doorlist asks of the outside there hangs; then it is killed, as by SIGKILL or a power cut.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from sandbox.discord.faults import Fault as DiscordFault
from sandbox.stripe.faults import Fault as StripeFault
from tests.scenarios.killable import kill, own_process
from tests.scenarios.stage import Stage

MAILS = ["You're in — connect Discord to unlock VIP", "VIP is active on Demo Server"]
Reached = Callable[[], bool]


def _fetching_the_purchase(s: Stage) -> Reached:
    fault = s.outside.stripe.faults.add(StripeFault(answer="hang", method="GET", path="/subscriptions/", times=1))
    return lambda: fault.times == 0


def _sending_the_mail(s: Stage) -> Reached:
    s.outside.mailbox.fail_next("hang")
    return lambda: s.outside.mailbox.faults_left == 0


def _discord(s: Stage, method: str, path: str, *, after_effect: bool = False) -> Reached:
    fault = s.outside.discord.add_fault(
        DiscordFault(method=method, path=path, answer="hang", after_effect=after_effect)
    )
    return lambda: fault.times == 0


def _deleting_the_typed_code(s: Stage) -> Reached:
    return _discord(s, "DELETE", "/messages/")


def _putting_the_role(s: Stage) -> Reached:
    return _discord(s, "PUT", "/roles/")


def _hearing_that_the_role_is_there(s: Stage) -> Reached:
    return _discord(s, "PUT", "/roles/", after_effect=True)


def _posting_to_the_event_log(s: Stage) -> Reached:
    return _discord(s, "POST", f"/channels/{s.outside.seed.server.log.id}/messages")


@pytest.mark.parametrize("point", [_fetching_the_purchase, _sending_the_mail])
async def test_a_process_killed_between_payment_and_mail_delivers_after_a_restart(
    point: Callable[[Stage], Reached], s: Stage
) -> None:
    await s.close()
    async with own_process(s) as process:
        is_reached = point(s)
        s.buys("ada")
        await s.eventually(is_reached, "the point")
        await kill(process)
    await s.open()
    await s.settled()
    await s.claims("ada")
    await s.settled()
    assert s.roles("ada") == {"VIP"}
    assert s.mails("ada") == MAILS


async def test_a_payment_while_the_process_is_dead_is_delivered_after_a_restart(s: Stage) -> None:
    await s.close()
    s.buys("ada")
    await s.outside.stripe.deliver_pending()
    await s.open()
    await s.claims("ada")
    await s.settled()
    assert s.roles("ada") == {"VIP"}
    assert s.mails("ada") == MAILS


@pytest.mark.parametrize(
    "point",
    [_deleting_the_typed_code, _putting_the_role, _hearing_that_the_role_is_there, _posting_to_the_event_log],
)
async def test_a_process_killed_between_claim_and_role_delivers_after_a_restart(
    point: Callable[[Stage], Reached], s: Stage
) -> None:
    await s.advance(minutes=5)  # the first five-minute run notes from where on typed codes are Doorlist's business
    s.buys("ada")
    await s.invitation("ada")
    await s.settled()
    await s.close()
    async with own_process(s) as process:
        is_reached = point(s)
        claiming = asyncio.create_task(s.claims("ada"))
        await s.eventually(is_reached, "the point")
        await kill(process)
        claiming.cancel()
        await asyncio.gather(claiming, return_exceptions=True)
    await s.open()
    await s.advance(minutes=5)
    await s.eventually(lambda: s.has("ada"), "the role")
    await s.settled()
    assert s.mails("ada") == MAILS
    assert s.posts() == ["✅ VIP given to @\u200bAda"]
