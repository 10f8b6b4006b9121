"""Every row of EXPERIENCE 2.8 and of facts 3.4, and what the network does, mapped to one of our failures."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace

import aiohttp
import discord
import pytest

from cogs.errors import TRANSPORT_ERRORS, failure
from membership.errors import Audience, Blocked, Gone, Reason, Retry


def answered(status: int, code: int = 0, text: str = "", **headers: str) -> discord.HTTPException:
    """Build what discord.py raises for an answer."""
    response = SimpleNamespace(
        status=status, reason="", headers={key.replace("_", "-"): headers[key] for key in headers}
    )
    body: dict[str, object] | str = {"code": code, "message": text} if code else text
    return discord.HTTPException(response, body)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "code", "reason", "audience"),
    [
        (403, 50013, Reason.MISSING_PERMISSION, Audience.OWNER),
        (403, 50001, Reason.MISSING_ACCESS, Audience.OWNER),
        (404, 10013, Reason.ACCOUNT_GONE, Audience.OWNER),
        (400, 30001, Reason.SERVER_LIMIT, Audience.MEMBER),
        (403, 40007, Reason.BANNED, Audience.OWNER),
        (403, 50025, Reason.TOKEN_EXPIRED, Audience.MEMBER),
        (403, 50026, Reason.SCOPE_MISSING, Audience.MEMBER),
        (403, 340015, Reason.JOIN_LIMITED, Audience.MEMBER),
        (403, 50007, Reason.DMS_CLOSED, Audience.MEMBER),
        (403, 50278, Reason.DMS_CLOSED, Audience.MEMBER),
        (403, 60003, Reason.TWO_FACTOR_REQUIRED, Audience.OPERATOR),
        (401, 0, Reason.CREDENTIALS_REFUSED, Audience.OPERATOR),
    ],
)
def test_it_is_blocked_until_somebody_acts(status: int, code: int, reason: Reason, audience: Audience) -> None:
    mapped = failure(answered(status, code))
    assert isinstance(mapped, Blocked)
    assert (mapped.reason, mapped.audience) == (reason, audience)


@pytest.mark.parametrize(
    ("code", "what"),
    [(10003, "channel"), (10004, "guild"), (10007, "member"), (10008, "message"), (10011, "role"), (50028, "role")],
)
def test_it_is_gone(code: int, what: str) -> None:
    mapped = failure(answered(404, code))
    assert isinstance(mapped, Gone)
    assert mapped.what == what


@pytest.mark.parametrize("status", [500, 502, 503, 504, 507, 520, 521, 522, 523, 524, 525, 526, 530])
@pytest.mark.parametrize("text", ["", "<html>bad gateway</html>"])
def test_trouble_at_discord_is_tried_again(status: int, text: str) -> None:
    assert isinstance(failure(answered(status, text=text)), Retry)


@pytest.mark.parametrize(("status", "code"), [(403, 40333), (503, 130000), (400, 130000), (400, 40003), (408, 0)])
def test_other_temporary_refusals_are_tried_again(status: int, code: int) -> None:
    assert isinstance(failure(answered(status, code)), Retry)


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_without_discords_own_code_says_nothing_about_us(status: int) -> None:
    assert isinstance(failure(answered(status, text="<html>Attention Required! | Cloudflare</html>")), Retry)


@pytest.mark.parametrize(
    ("header", "after"),
    [("7", timedelta(seconds=7)), ("", None), ("soon", None), ("999999", timedelta(hours=1)), ("-4", timedelta())],
)
def test_a_429_waits_as_long_as_it_says(header: str, after: timedelta | None) -> None:
    mapped = failure(answered(429, text="error code: 1015", Retry_After=header))
    assert isinstance(mapped, Retry)
    assert mapped.after == after


def test_a_pause_that_discord_py_will_not_sit_out_is_passed_on() -> None:
    mapped = failure(discord.RateLimited(90.0))
    assert isinstance(mapped, Retry)
    assert mapped.after == timedelta(seconds=90)


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError(),
        ConnectionResetError(104, "reset"),
        TimeoutError(),
        json.JSONDecodeError("bad", "{", 0),
    ],
)
def test_what_the_network_does_is_an_unknown_outcome(error: Exception) -> None:
    assert isinstance(error, TRANSPORT_ERRORS)
    assert isinstance(failure(error), Retry)


def test_a_request_that_discord_does_not_understand_stays_a_loud_bug() -> None:
    bug = answered(400, 50035, "Invalid Form Body")
    assert failure(bug) is bug
