"""What refuses a start: a clear no of Discord or the payment platform, and never their silence."""

from __future__ import annotations

from app.starting import refusals_before, refusals_beside
from tests.scenarios.stage import Stage


async def test_a_start_that_works_is_not_refused(s: Stage) -> None:
    assert await refusals_before(s.settings) == []
    assert await refusals_beside(s.process) == []


async def test_silence_refuses_no_start(s: Stage) -> None:
    s.outside.discord.go_down()
    s.outside.stripe.start_outage()
    assert await refusals_beside(s.process) == []


async def test_a_refused_token_refuses_the_start(s: Stage) -> None:
    s.outside.discord.portal.token = "another"
    (refusal,) = await refusals_beside(s.process)
    assert refusal.id == "D01"
    assert "secrets/discord__token" in refusal.fix


async def test_a_revoked_key_refuses_the_start(s: Stage) -> None:
    key = s.settings.payments.stripe.api_key.get_secret_value()
    s.outside.stripe.keys.revoke(key)
    await s.reopen()
    (refusal,) = await refusals_beside(s.process)
    assert refusal.id == "P01"
    assert key not in refusal.cause
