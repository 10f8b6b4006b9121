"""One small world: a server, a seller, a mail server, real storage, and the worker driven by hand.

`world.buys(...)` does what a buyer and their webhook do, `world.settle()` runs every due job, `world.advance(days=3)`
lets time pass and settles. Nothing of Doorlist is faked.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr

from membership import binding, claims, codes, invariants, linking, plans
from membership.claims import ClaimAnswer
from membership.ledgers import Transaction
from membership.linking import Verdict, Wish
from membership.model import (
    AccountId,
    ChannelId,
    CustomerSnapshot,
    Grant,
    GuildId,
    Item,
    Lane,
    MemberKey,
    Plan,
    PlanId,
    PlanProduct,
    Proof,
    Purchase,
    PurchaseKind,
    PurchaseSnapshot,
    PurchaseStatus,
    RoleId,
    UserId,
)
from membership.policy import Policy
from membership.ports import IncomingEvent
from membership.records import AuditEntry, Guild
from membership.services import Sellers, Services
from membership.worker import Worker
from storage.config import DatabaseSettings
from storage.store import Database
from tests.usecases.fake_discord import FakeDiscord, FakeGuild
from tests.usecases.fake_provider import MONTH, FakeMailer, FakeProvider
from tests.usecases.faults import Fuse

GUILD = GuildId(100)
VIP, GOLD, LATE, TRIAL, FRIEND, ADMIN = (RoleId(number) for number in range(11, 17))
ALICE, BOB, CHARLIE, DORA = (UserId(number) for number in range(1, 5))
EVENT_CHANNEL, CLAIM_CHANNEL = ChannelId(900), ChannelId(901)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = SecretStr("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
T = TypeVar("T")


class MovableClock:
    """Time stands still until it is moved."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        return self._now

    def move(self, step: timedelta) -> None:
        self._now += step


class SeededRandomness:
    """The same secrets in every run."""

    def __init__(self) -> None:
        self._random = random.Random(7)

    def code(self) -> str:
        return codes.from_bits(self._random.getrandbits(5 * codes.LENGTH))

    def token(self) -> str:
        return f"token-{self._random.getrandbits(128):032x}"

    def jitter(self) -> float:
        return 0.5


class FusedStore:
    """The real database; a fuse stands before and after every commit."""

    def __init__(self, database: Database, fuse: Fuse) -> None:
        self.database = database
        self._fuse = fuse

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        async with self.database.write() as tx:
            yield tx
            self._fuse.step("before commit")
        self._fuse.step("after commit")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        async with self.database.read() as tx:
            yield tx


class DirectIntake:
    """Stores events without group commit, which storage tests by itself."""

    def __init__(self, store: FusedStore, clock: MovableClock) -> None:
        self._store = store
        self._clock = clock

    async def accept(self, provider: str, events: Sequence[IncomingEvent]) -> int:
        async with self._store.write() as tx:
            return await tx.inbox.add(provider, events, self._clock.now())


class World:
    """The outside and one running Doorlist; `restart` ends the process and starts another on the same database."""

    def __init__(self, path: Path, policy: Policy) -> None:
        self.clock = MovableClock()
        self.fuse = Fuse()
        self.discord = FakeDiscord(self.fuse)
        self.provider = FakeProvider(self.clock, self.fuse)
        self.mailer = FakeMailer(self.fuse)
        self.randomness = SeededRandomness()
        self.policy = policy
        self.path = path
        self._numbers = 0

    async def start(self) -> None:
        self.database = await Database.open(database_settings(self.path), self.clock)
        store = FusedStore(self.database, self.fuse)
        self.services = Services(
            store=store,
            intake=DirectIntake(store, self.clock),
            discord=self.discord,
            sellers=Sellers({"stripe": self.provider}, store, self.clock),
            mailer=self.mailer,
            clock=self.clock,
            randomness=self.randomness,
            public_url="https://door.example",
            wake=self._wake,
            policy=self.policy,
        )
        self.worker = Worker(self.services)

    def _wake(self) -> None:
        self.worker.wake()

    async def open_server(self) -> None:
        """Make the server with its roles, its channels and Alice, who owns it."""
        positions = dict.fromkeys((VIP, GOLD, LATE, TRIAL, FRIEND), 10) | {ADMIN: 90}
        self.discord.guilds[GUILD] = FakeGuild(roles=positions, members={ALICE: {ADMIN}})
        async with self.services.store.write() as tx:
            guild = await tx.guilds.ensure(GUILD, "Ada's server")
            await tx.guilds.replace(
                replace(guild, is_active=True, event_channel_id=EVENT_CHANNEL, claim_channel_id=CLAIM_CHANNEL)
            )
        self.account_id: AccountId = (await self.services.sellers.account("stripe")).id

    async def close(self) -> None:
        await self.database.close()

    async def restart(self) -> None:
        """Let a dead process's tasks end, then start anew: leases of the dead are taken back."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        await self.database.close()
        self.fuse.mend()
        await self.start()
        async with self.services.store.write() as tx:
            await tx.jobs.release_all()

    # ------------------------------------------------------------------------------------------------ what is sold

    async def plan(self, slug: str, *roles: RoleId, product: str = "", **rules: Any) -> Plan:
        """Save a plan named like its slug; it is unlocked by the product of the same name unless said otherwise."""
        sold = PlanProduct(account_id=self.account_id, product_id=product or f"prod_{slug}")
        plan = Plan(
            id=PlanId(0), guild_id=GUILD, name=slug.upper(), slug=slug, roles=roles, **{"products": (sold,), **rules}
        )
        stored = await plans.save(self.services, plan)
        await self.settle()
        return stored

    async def buys(self, *slugs: str, by: str = "charlie", **changes: Any) -> str:
        """Buy products; return the provider's id of the purchase. The webhook comes, the jobs run."""
        external_id = self.pays(*slugs, by=by, **changes)
        await self.webhook(external_id)
        await self.settle()
        return external_id

    def pays(self, *slugs: str, by: str = "charlie", **changes: Any) -> str:
        """Put a purchase on the provider's books, without telling anybody."""
        self._numbers += 1
        now = self.clock.now()
        snapshot = PurchaseSnapshot(
            external_id=f"sub_{self._numbers}",
            kind=PurchaseKind.SUBSCRIPTION,
            status=PurchaseStatus.ACTIVE,
            raw_status="active",
            customer=CustomerSnapshot(external_id=f"cus_{by}", email=f"{by}@example.com", name=by.title()),
            items=items(*slugs),
            read_at=now,
            started_at=now,
            period_ends_at=now + MONTH,
            amount=1000,
            currency="eur",
        )
        if changes.get("kind") is PurchaseKind.ONE_TIME:
            snapshot = replace(snapshot, period_ends_at=None)
        snapshot = replace(snapshot, **changes)
        self.provider.bought[snapshot.external_id] = snapshot
        return snapshot.external_id

    def now_reads(self, external_id: str, **changes: Any) -> None:
        """Change a purchase on the provider's books, without telling anybody."""
        self.provider.bought[external_id] = replace(self.provider.bought[external_id], **changes)

    async def changes(self, external_id: str, **changes: Any) -> None:
        """Change a purchase at the provider; the webhook comes, the jobs run."""
        self.now_reads(external_id, **changes)
        await self.webhook(external_id)
        await self.settle()

    async def webhook(self, external_id: str, *, event_id: str = "", **envelope: Any) -> None:
        """Deliver an event about a purchase; the same `event_id` again is the same event."""
        event = IncomingEvent(
            external_id=event_id or f"evt_{len(self.provider.events) + 1}",
            **{"type": "subscription.updated", "body": external_id.encode(), "is_live": True, **envelope},
        )
        self.provider.events.append(event)
        await self.services.intake.accept("stripe", [event])

    # --------------------------------------------------------------------------------------------- what people do

    def joins(self, user: UserId, *roles: RoleId) -> None:
        """Let somebody be in the server, unnoticed by the gateway."""
        self.discord.guilds[GUILD].members[user] = set(roles)

    async def links(self, external_id: str, user: UserId) -> None:
        """Link the payer of a purchase to a Discord user."""
        purchase = await self.purchase(external_id)
        async with self.services.store.write() as tx:
            await binding.bind(tx, purchase.customer_id, user, Proof.OAUTH, self.clock.now())
        await self.settle()

    async def connects(
        self, external_id: str, user: UserId, *, may_join: bool = False, may_move: bool = False
    ) -> Verdict:
        """Follow the mailed link to its end, with Discord's sign-in, while the worker runs."""
        wish = Wish(
            purchase_id=(await self.purchase(external_id)).id,
            user_id=user,
            access_token="oauth-token",
            scopes=("identify", linking.JOIN_SCOPE) if may_join else ("identify",),
            may_move=may_move,
        )
        return (await self._while_working(linking.connect(self.services, wish))).verdict

    async def claims(self, user: UserId, text: str, guild_id: GuildId | None = GUILD) -> ClaimAnswer:
        """Type a claim code, while the worker runs."""
        return await self._while_working(claims.redeem(self.services, user, guild_id, text))

    async def member(self, slug: str, user: UserId = CHARLIE, **changes: Any) -> str:
        """Make somebody in the server a delivered member: bought and linked; return the purchase."""
        self.discord.guilds[GUILD].members.setdefault(user, set())
        external_id = await self.buys(slug, by=f"user{user}", **changes)
        await self.links(external_id, user)
        return external_id

    # ------------------------------------------------------------------------------------------------ what passes

    async def settle(self) -> None:
        """Run everything that is due."""
        await self.worker.drain()

    async def advance(self, **step: float) -> None:
        """Let time pass, then run everything that is due."""
        self.clock.move(timedelta(**step))
        await self.settle()

    async def five_minutes(self) -> int:
        """Let five minutes pass and do what the clocks do then; return what the invariants found."""
        self.clock.move(timedelta(minutes=5))
        await self.mark("sweep", str(GUILD), scope=f"sweep:{GUILD}", lane=Lane.BULK)
        found = await invariants.check(self.services)
        await self.settle()
        return found

    async def mark(self, kind: str, key: str, *, scope: str = "", lane: Lane = Lane.EVENT) -> None:
        async with self.services.store.write() as tx:
            await tx.jobs.mark(kind, key, lane=lane, run_at=self.clock.now(), scope=scope)

    # --------------------------------------------------------------------------------------------- what is to see

    def roles(self, user: UserId) -> set[RoleId]:
        """Return the roles somebody has at Discord."""
        return self.discord.guilds[GUILD].members[user]

    async def purchase(self, external_id: str) -> Purchase:
        async with self.services.store.read() as tx:
            found = await tx.purchases.find(self.account_id, external_id)
        assert found is not None, f"{external_id} is not stored"
        return found

    async def grants(self, external_id: str) -> Sequence[Grant]:
        purchase = await self.purchase(external_id)
        async with self.services.store.read() as tx:
            return await tx.purchases.grants(purchase.id)

    async def standing(self, external_id: str) -> list[str]:
        """Return the grants of a purchase as "state reason", by plan."""
        return [f"{grant.state} {grant.reason}" for grant in await self.grants(external_id)]

    async def audit(self, *events: str) -> list[AuditEntry]:
        """Return the audit entries of these kinds, oldest first."""
        async with self.services.store.read() as tx:
            entries = await tx.audit.recent(10_000)
        return [entry for _, _, entry in reversed(entries) if entry.event in events]

    async def holdings(self, user: UserId) -> dict[RoleId, str]:
        async with self.services.store.read() as tx:
            facts = await tx.members.facts(MemberKey(GUILD, user))
        return {holding.role_id: holding.state.value for holding in facts.holdings}

    async def jobs(self) -> dict[str, int]:
        async with self.services.store.read() as tx:
            return dict(await tx.jobs.counts())

    async def guild(self) -> Guild:
        async with self.services.store.read() as tx:
            found = await tx.guilds.get(GUILD)
        assert found is not None
        return found

    async def _while_working(self, act: Coroutine[Any, Any, T]) -> T:
        working = asyncio.create_task(self.worker.run())
        try:
            return await act
        finally:
            self.worker.stop()
            await working


def database_settings(path: Path) -> DatabaseSettings:
    return DatabaseSettings(url=f"sqlite:///{path}", encryption_key=KEY)


def items(*slugs: str) -> tuple[Item, ...]:
    """Return one item per product, named like the plans they unlock."""
    return tuple(Item(product_id=f"prod_{slug}", price_id=f"price_{slug}") for slug in slugs)
