"""The way to Stripe: one request, with pace, patience and our names for what goes wrong. Knows no purchase.

The SDK is the transport. It retries neither a plain 429 nor a body that was cut, and lets aiohttp's own errors through;
all of that ends here. It is imported at the first request, because it costs 150 ms and 25 MB.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import aiohttp

from membership.errors import Audience, Blocked, Gone, Reason, Retry
from providers.base import JsonObject, Pace, Patience, rows

# Over all endpoints Stripe allows four times as much to a live key as to one endpoint, and no more to a test key.
_LIVE_FACTOR = 4
_BURST = 4
_PAGE_SIZE = 100
# More pages than any account has: a server that always says "more" must not hold us for ever.
_MAX_PAGES = 100_000
_MAX_WAIT_ASKED = timedelta(hours=1)


class _UnreadableAnswer(Exception):
    """JSON came, but not of what was asked."""


class StripeClient:
    """Speaks to one Stripe account. Raises Retry, Blocked(CREDENTIALS_REFUSED) and Gone; close it at the end.

    A request that Stripe calls wrong (400) is a bug of ours and comes out as the SDK's `InvalidRequestError`.
    """

    def __init__(
        self,
        api_key: str,
        *,
        api_url: str,
        account_id: str,
        jitter: Callable[[], float],
        patience: Patience,
    ) -> None:
        """Take the account's key; `account_id` is a connected account to act for, "" for the key's own."""
        self._api_key = api_key
        self._api_url = api_url.rstrip("/")
        self._account_id = account_id
        self._jitter = jitter
        self._patience = patience
        rate = patience.requests_per_second
        self._endpoint_pace = Pace(rate, burst=_BURST, monotonic=time.monotonic)
        self._pace = Pace(rate * _LIVE_FACTOR if self.is_live else rate, burst=_BURST, monotonic=time.monotonic)
        self._opening = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None
        self._sdk: Any = None
        self._client: Any = None

    @property
    def is_live(self) -> bool:
        """Say whether the key is one for real money."""
        return self._api_key.startswith(("sk_live_", "rk_live_"))

    async def get(self, path: str, *, kind: str, gone: str, **params: Any) -> JsonObject:
        """Return the object at `path`, which must say that it is a `kind`. A 404 is raised as Gone(`gone`)."""
        return await self._call("get", path, kind=kind, gone=gone, params=params)

    async def post(self, path: str, *, kind: str, gone: str, **params: Any) -> JsonObject:
        """Create an object; `idempotency_key` among the `params` makes a repetition harmless."""
        return await self._call("post", path, kind=kind, gone=gone, params=params)

    async def post_if_agreed(self, path: str, *, kind: str, gone: str, **params: Any) -> JsonObject | None:
        """Create an object that Stripe may refuse for the seller's or the customer's own reasons (400): then None."""
        await self._open()
        try:
            return await self._call("post", path, kind=kind, gone=gone, params=params)
        except self._sdk.InvalidRequestError:
            return None

    async def is_write_allowed(self, path: str) -> bool:
        """Say whether the key may create at `path`, by an empty request that cannot create anything.

        Stripe answers that a parameter is missing (400) once it has let the key through. Raises Retry and Blocked.
        """
        await self._open()
        try:
            await self._once("post", path, kind="", gone=path, params={})
        except self._sdk.InvalidRequestError:
            return True
        raise Retry("Stripe took a request that it should have refused")

    async def pages(self, path: str, *, gone: str, **params: Any) -> AsyncIterator[list[JsonObject]]:
        """Yield a list page by page, newest first; with `ending_before` towards the newest. Raises in the middle."""
        cursor = "ending_before" if "ending_before" in params else "starting_after"
        for _ in range(_MAX_PAGES):
            page = await self.get(path, kind="list", gone=gone, limit=_PAGE_SIZE, **params)
            found = rows(page, "data")
            yield found
            if page.get("has_more") is not True:
                return
            next_cursor = _edge(found, first=cursor == "ending_before")
            if not next_cursor or next_cursor == params.get(cursor):
                raise Retry("Stripe promised more of a list but did not say from where")
            params[cursor] = next_cursor
        raise Retry("Stripe's list does not end")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _call(self, method: str, path: str, *, kind: str, gone: str, params: JsonObject) -> JsonObject:
        await self._open()
        for attempt in range(self._patience.tries - 1):
            try:
                return await self._once(method, path, kind=kind, gone=gone, params=params)
            except Retry as failure:
                wait = failure.after.total_seconds() if failure.after else self._wait_seconds(attempt)
                # Whoever asks for a long wait, or let us wait for the whole timeout, is waited for in the job queue.
                if wait > self._patience.longest_wait_seconds or _was_timeout(failure.__cause__):
                    raise
                await asyncio.sleep(wait)
        return await self._once(method, path, kind=kind, gone=gone, params=params)

    async def _once(self, method: str, path: str, *, kind: str, gone: str, params: JsonObject) -> JsonObject:
        await self._endpoint_pace.turn("/".join(path.split("/")[:3]))
        await self._pace.turn("")
        try:
            answer = await self._client.raw_request_async(method, path, **params)
            return _checked(answer.data, kind)
        except (self._sdk.StripeError, aiohttp.ClientError, TimeoutError, _UnreadableAnswer) as error:
            failure = self._translate(error, gone)
            if failure is error:
                raise
            raise failure from error

    async def _open(self) -> None:
        """Load the SDK once, off the event loop: the import takes as long as many requests."""
        async with self._opening:
            if self._client is not None:
                return
            self._sdk = await asyncio.to_thread(importlib.import_module, "stripe")
            # Otherwise it writes a file to the home directory, and fails where there is none.
            self._sdk.enable_telemetry = False
            timeout = aiohttp.ClientTimeout(total=self._patience.timeout_seconds)
            self._session = aiohttp.ClientSession(timeout=timeout)
            self._client = self._sdk.StripeClient(
                self._api_key,
                http_client=self._sdk.AIOHTTPClient(timeout=timeout, session=self._session),
                base_addresses={"api": self._api_url},
                stripe_account=self._account_id or None,
                max_network_retries=0,
            )

    def _wait_seconds(self, attempt: int) -> float:
        return float(self._patience.first_wait_seconds * 2**attempt * (0.5 + self._jitter() / 2))

    def _translate(self, error: Exception, gone: str) -> Exception:
        """Give an error one of our names; what Stripe calls our mistake (400, 402) stays what it is."""
        if getattr(error, "http_status", None) in (401, 403):
            return self._blocked(error)
        if getattr(error, "code", None) == "resource_missing":
            # Another mode's object is not gone: the key is the wrong one.
            return self._blocked(error) if "a similar object exists in" in str(error) else Gone(gone)
        ours: tuple[type[Exception], ...] = (
            self._sdk.InvalidRequestError,
            self._sdk.IdempotencyError,
            self._sdk.CardError,
        )
        # The SDK calls every other 4xx an invalid request too; a proxy's 404 is none of ours.
        if isinstance(error, ours) and getattr(error, "http_status", None) in (400, 402):
            return error
        return Retry(f"Stripe {_trouble(error)}", after=_asked_wait(error))

    def _blocked(self, error: Exception) -> Blocked:
        words = str(getattr(error, "user_message", None) or error).replace(self._api_key, "***")
        return Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR, detail=words)


def _checked(answer: Any, kind: str) -> JsonObject:
    """Take an answer only for what was asked: a proxy's page or half an object is no news of a purchase."""
    if not isinstance(answer, dict) or answer.get("object") != kind:
        raise _UnreadableAnswer(f"no {kind}")
    if kind == "list" and not isinstance(answer.get("data"), list):
        raise _UnreadableAnswer("a list without entries")
    return answer


def _was_timeout(error: BaseException | None) -> bool:
    return isinstance(error, TimeoutError) or (error is not None and isinstance(error.__cause__, TimeoutError))


def _edge(found: list[JsonObject], *, first: bool) -> str:
    if not found:
        return ""
    return str(found[0 if first else -1].get("id") or "")


def _trouble(error: Exception) -> str:
    """Say what is wrong in words that staff read, too: no name of an exception."""
    status = getattr(error, "http_status", None)
    if status == 429:
        return "asks for a pause (429)"
    if status:
        return f"has trouble ({status})"
    return "sent an answer that cannot be read" if isinstance(error, _UnreadableAnswer) else "cannot be reached"


def _asked_wait(error: Exception) -> timedelta | None:
    """Read Retry-After in seconds; None when it is absent, a date, or beyond an hour."""
    headers = getattr(error, "headers", None) or {}
    asked = next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), "")
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 6):
        return None
    return min(timedelta(seconds=int(asked)), _MAX_WAIT_ASKED) or None
