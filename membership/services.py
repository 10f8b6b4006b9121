"""The frozen bundle that every use-case is given: storage, the outside, the clock, and the two in-memory registers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from membership.ledgers import Intake, Store
from membership.model import AccountId, UserId
from membership.policy import Policy
from membership.ports import Clock, Discord, Mailer, Provider, Randomness
from membership.records import Account

PERMIT_LIFE = timedelta(minutes=10)
REMEMBERED_SIGNALS = 4096


class Signals:
    """Tells a waiting person that a job has run. Nothing depends on it: a lost signal costs patience."""

    def __init__(self) -> None:
        """Start with nothing done."""
        self._tick = 0
        self._done: dict[str, int] = {}
        self._changed = asyncio.Event()

    def tick(self) -> int:
        """Return the present moment; take it before marking, and give it to `wait`."""
        return self._tick

    def done(self, key: str) -> None:
        """Say that the job with this key has run."""
        self._tick += 1
        self._done.pop(key, None)
        self._done[key] = self._tick
        if len(self._done) > REMEMBERED_SIGNALS:
            del self._done[next(iter(self._done))]
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, keys: Iterable[str], *, since: int, patience: timedelta) -> bool:
        """Wait until every key has run after `since`; False when patience ran out."""
        wanted = set(keys)
        try:
            async with asyncio.timeout(patience.total_seconds()):
                while not all(self._done.get(key, -1) > since for key in wanted):
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True


class JoinPermits:
    """The members' OAuth permission to be added to servers: kept in memory only, for minutes, and never stored."""

    def __init__(self) -> None:
        """Start empty."""
        self._permits: dict[UserId, tuple[str, datetime]] = {}

    def keep(self, user_id: UserId, access_token: str, now: datetime) -> None:
        """Keep a permit for ten minutes."""
        self._permits = {user: permit for user, permit in self._permits.items() if permit[1] > now}
        self._permits[user_id] = (access_token, now + PERMIT_LIFE)

    def of(self, user_id: UserId, now: datetime) -> str | None:
        """Return the permit of a user if there is one."""
        token, expires_at = self._permits.get(user_id, ("", now))
        return token if expires_at > now else None

    def forget(self, user_id: UserId) -> None:
        """Throw a permit away."""
        self._permits.pop(user_id, None)


class Turns:
    """Lets one at a time act for a key, so that two who count before they act do not both find room."""

    def __init__(self) -> None:
        """Start with nobody in line."""
        # A lock lives as long as somebody holds it or waits for it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: str) -> asyncio.Lock:
        """Return the lock of a key."""
        return self._locks.setdefault(key, asyncio.Lock())


class Operators:
    """Who runs this Doorlist: the configured ones, the application's owners, and whom the one-time link made one."""

    def __init__(self, user_ids: Iterable[int] = ()) -> None:
        """Start with those that are known."""
        self.ids = frozenset(user_ids)

    def add(self, user_ids: Iterable[int]) -> None:
        """Learn of more."""
        self.ids |= frozenset(user_ids)


class Sellers:
    """Which provider adapter speaks for which stored account. Learned from the provider at the first need."""

    def __init__(self, providers: Mapping[str, Provider], store: Store, clock: Clock) -> None:
        """Take the configured adapters by name."""
        self.by_name = providers
        self._store = store
        self._clock = clock
        self._accounts: dict[str, Account] = {}

    async def account(self, name: str) -> Account:
        """Return the account of a configured provider. Raises Retry or Blocked while the provider cannot tell."""
        known = self._accounts.get(name)
        if known is None:
            external_id, is_live = await self.by_name[name].account()
            async with self._store.write() as tx:
                known = await tx.accounts.ensure(name, external_id, is_live, self._clock.now())
            self._accounts[name] = known
        return known

    async def provider(self, account_id: AccountId) -> Provider | None:
        """Return the adapter whose key belongs to this account, None when it is no longer configured."""
        for name in self.by_name:
            if (await self.account(name)).id == account_id:
                return self.by_name[name]
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a use-case may touch. `public_url` has no trailing slash; `wake` tells the worker to look now.

    `alerts_to` is the address of whoever runs this Doorlist, "" for none.
    """

    store: Store
    intake: Intake
    discord: Discord
    sellers: Sellers
    mailer: Mailer
    clock: Clock
    randomness: Randomness
    public_url: str
    wake: Callable[[], None]
    policy: Policy = field(default_factory=Policy)
    signals: Signals = field(default_factory=Signals)
    permits: JoinPermits = field(default_factory=JoinPermits)
    turns: Turns = field(default_factory=Turns)
    operators: Operators = field(default_factory=Operators)
    alerts_to: str = ""
