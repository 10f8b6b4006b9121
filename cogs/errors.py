"""What Discord's refusals and the network's failures mean, in one table (EXPERIENCE 2.8). The words are in texts.

What is not in the table and not plainly temporary is a bug of ours and stays loud.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import aiohttp
import discord

from membership.errors import Audience, Blocked, DoorlistError, Gone, Reason, Retry

TRANSPORT_ERRORS = (
    discord.HTTPException,
    discord.RateLimited,
    aiohttp.ClientError,
    OSError,
    TimeoutError,
    ValueError,  # a 200 with broken JSON
)
LONGEST_BELIEVED_PAUSE_SECONDS = 3600.0


def _blocked(reason: Reason, audience: Audience) -> Callable[[str], DoorlistError]:
    return lambda detail: Blocked(reason, audience=audience, detail=detail)


def _gone(what: str) -> Callable[[str], DoorlistError]:
    return lambda _detail: Gone(what)


def _retry(seconds: float | None = None) -> Callable[[str], DoorlistError]:
    after = None if seconds is None else timedelta(seconds=seconds)
    return lambda detail: Retry(detail, after=after)


BY_CODE: Mapping[int, Callable[[str], DoorlistError]] = {
    10003: _gone("channel"),
    10004: _gone("guild"),
    10007: _gone("member"),
    10008: _gone("message"),
    10011: _gone("role"),
    10013: _blocked(Reason.ACCOUNT_GONE, Audience.OWNER),
    30001: _blocked(Reason.SERVER_LIMIT, Audience.MEMBER),
    40003: _retry(60),  # opening direct messages too fast
    40007: _blocked(Reason.BANNED, Audience.OWNER),
    40333: _retry(),  # Cloudflare in front of Discord
    50001: _blocked(Reason.MISSING_ACCESS, Audience.OWNER),
    50007: _blocked(Reason.DMS_CLOSED, Audience.MEMBER),
    50013: _blocked(Reason.MISSING_PERMISSION, Audience.OWNER),
    50025: _blocked(Reason.TOKEN_EXPIRED, Audience.MEMBER),
    50026: _blocked(Reason.SCOPE_MISSING, Audience.MEMBER),
    50028: _gone("role"),
    50033: _blocked(Reason.ACCOUNT_GONE, Audience.OWNER),  # an id in discord.operators that is nobody's
    50278: _blocked(Reason.DMS_CLOSED, Audience.MEMBER),
    60003: _blocked(Reason.TWO_FACTOR_REQUIRED, Audience.OPERATOR),
    130000: _retry(),  # overloaded
    340015: _blocked(Reason.JOIN_LIMITED, Audience.MEMBER),
}


def failure(error: Exception) -> Exception:
    """Turn one of TRANSPORT_ERRORS into Retry, Blocked or Gone; return the error itself when it is a bug of ours."""
    match error:
        case discord.RateLimited():
            return Retry("Discord asked for a pause", after=timedelta(seconds=error.retry_after))
        case discord.HTTPException():
            return _answered(error)
        case _:
            return Retry(f"Discord could not be reached ({type(error).__name__})")


def _answered(error: discord.HTTPException) -> Exception:
    detail = f"Discord said: {error.text or 'no'} ({error.code or error.status})"[:200]
    if error.status == 429:
        return Retry("Discord asked for a pause", after=_pause(error))
    if error.status == 401:
        return Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR, detail=detail)
    if error.status >= 500:
        return Retry(f"Discord is having trouble ({error.status})")
    if error.code in BY_CODE:
        return BY_CODE[error.code](detail)
    if error.code == 0 and error.status in (403, 404, 408):
        # Discord names every refusal of its own by a code. Without one it is a proxy's, and says nothing about us.
        return Retry(f"Discord is having trouble ({error.status} without a reason)")
    return error


def _pause(error: discord.HTTPException) -> timedelta | None:
    """Read how long a 429 asks to wait; None leaves it to our own backoff."""
    try:
        seconds = float(error.response.headers.get("Retry-After", ""))
    except ValueError:
        return None
    return timedelta(seconds=min(max(seconds, 0.0), LONGEST_BELIEVED_PAUSE_SECONDS))
