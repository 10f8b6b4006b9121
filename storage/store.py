"""The database as the rest of Doorlist sees it: opened once, used in short transactions, committed only here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from membership import (
    aggregates,
    browsing_ledgers,
    crowds,
    desk_ledgers,
    ledgers,
    listing_ledgers,
    privacy_ledger,
    report_ledgers,
    roster_ledger,
)
from membership.errors import Retry
from membership.ports import Clock
from storage.accounts import Accounts, Cursors
from storage.adoptions import Adoptions
from storage.audit import Audit
from storage.changes import Changes, Previews
from storage.config import DatabaseSettings
from storage.crowds import Crowds
from storage.customers import Customers
from storage.engine import BEGIN, failures, open_engine, sqlite_path
from storage.exemptions import Exemptions
from storage.guilds import Guilds
from storage.inbox import Inbox
from storage.jobs import Jobs
from storage.ledgers import settings as stored_settings
from storage.links import Codes, Links
from storage.listings import Listings
from storage.lock import AdvisoryLock, FileLock, InstanceLock
from storage.mail_choices import CustomersSettings, MailTexts
from storage.member_settings import MembersSettings
from storage.members import Members
from storage.migrate import migrate
from storage.notifications import NotificationRules, Posts
from storage.outbox import Outbox
from storage.payments import Payments
from storage.plan_codes import PlanCodes
from storage.plans import Plans
from storage.privacy import Privacy
from storage.purchases import Purchases
from storage.removals import Removals
from storage.reports import Reports
from storage.retention import Retention
from storage.roster import Roster
from storage.runs import Runs
from storage.secrets import Seal, WrongKey, find_keys
from storage.sessions import Sessions
from storage.sign_ins import Operators, SignIns
from storage.statements import insert_into

ROOT = Path(__file__).parent.parent
QUIET_SECONDS = 5.0
_SAMPLE = "key_sample"
_SIZE_ON_SQLITE = "select page_count * page_size from pragma_page_count(), pragma_page_size()"
_SIZE_ON_POSTGRES = "select pg_database_size(current_database())"
_T = TypeVar("_T")


class Transaction:
    """One open database transaction with every aggregate bound to it; the types say what membership asks for."""

    def __init__(self, connection: AsyncConnection, seal: Seal, clock: Clock) -> None:
        """Bind the aggregates to a connection in a transaction."""
        self.connection = connection
        self.accounts: aggregates.Accounts = Accounts(connection)
        self.cursors: aggregates.Cursors = Cursors(connection)
        self.inbox: aggregates.Inbox = Inbox(connection)
        self.customers: aggregates.Customers = Customers(connection)
        self.purchases: aggregates.Purchases = Purchases(connection)
        self.plans: aggregates.Plans = Plans(connection)
        self.links: aggregates.Links = Links(connection)
        self.codes: aggregates.Codes = Codes(connection)
        self.members: aggregates.Members = Members(connection)
        self.guilds: aggregates.Guilds = Guilds(connection)
        jobs = Jobs(connection, clock)
        self.jobs: ledgers.Jobs = jobs
        self.outbox: ledgers.Outbox = Outbox(connection, jobs)
        self.audit: ledgers.Audit = Audit(connection)
        self.removals: ledgers.Removals = Removals(connection)
        self.sessions: ledgers.Sessions = Sessions(connection, seal)
        self.retention: ledgers.Retention = Retention(connection)
        self.sign_ins: browsing_ledgers.SignIns = SignIns(connection, seal)
        self._bind_desk()

    def _bind_desk(self) -> None:
        self.changes: desk_ledgers.Changes = Changes(self.connection)
        self.previews: desk_ledgers.Previews = Previews(self.connection)
        self.exemptions: desk_ledgers.Exemptions = Exemptions(self.connection)
        self.rules: desk_ledgers.NotificationRules = NotificationRules(self.connection)
        self.posts: desk_ledgers.Posts = Posts(self.connection)
        self.plan_codes: desk_ledgers.PlanCodes = PlanCodes(self.connection)
        self.payments: desk_ledgers.Payments = Payments(self.connection)
        self.crowds: crowds.Crowds = Crowds(self.connection)
        self.adoptions: desk_ledgers.Adoptions = Adoptions(self.connection)
        self.member_settings: desk_ledgers.MembersSettings = MembersSettings(self.connection)
        self.privacy: privacy_ledger.Privacy = Privacy(self.connection)
        self.reports: report_ledgers.Reports = Reports(self.connection)
        self.operators: browsing_ledgers.Operators = Operators(self.connection)
        self.customer_settings: browsing_ledgers.CustomersSettings = CustomersSettings(self.connection)
        self.mail_texts: browsing_ledgers.MailTexts = MailTexts(self.connection)
        self.runs: browsing_ledgers.Runs = Runs(self.connection)
        self.listings: listing_ledgers.Listings = Listings(self.connection)
        self.roster: roster_ledger.Roster = Roster(self.connection)


class Database:
    """The store on SQLite (one connection, one transaction at a time) or PostgreSQL (a pool)."""

    def __init__(self, engine: AsyncEngine, seal: Seal, clock: Clock) -> None:
        """Take an engine whose schema is there; `open` is the way to get one."""
        self.seal = seal
        self.url = ""
        self._clock = clock
        self._engine = engine
        self._lock: InstanceLock | None = None
        self._turn: asyncio.Lock | None = None
        self._holder: asyncio.Task[object] | None = None
        if engine.dialect.name == "sqlite":
            self._turn = asyncio.Lock()
            self._writing = engine.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
            self._reading = engine
        else:
            self._writing = engine
            # One snapshot for all queries of a block, as SQLite has it anyway.
            self._reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @classmethod
    async def open(cls, settings: DatabaseSettings, clock: Clock, *, is_exclusive: bool = True) -> Database:
        """Lock, open and migrate the database, and check the encryption key.

        `is_exclusive` False is for tools beside a running instance. Raises AlreadyRunning, NewerSchema, BadKey,
        WrongKey, and Retry when the database cannot be reached.
        """
        path = sqlite_path(settings.url, ROOT)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=True)
        lock: InstanceLock | None = FileLock.take(path) if is_exclusive and path else None
        engine = open_engine(settings.url, ROOT)
        try:
            with failures():
                if is_exclusive and path is None:
                    lock = await _reach(AdvisoryLock.take(engine))
                keys = find_keys(settings.encryption_key.get_secret_value(), path.parent if path else ROOT / "data")
                database = cls(engine, Seal(keys), clock)
                database.url, database._lock = settings.url, lock
                await migrate(engine, path)
            await database._check_key()
        except BaseException:
            if lock is not None:
                await lock.release()
            await engine.dispose()
            raise
        return database

    async def close(self) -> None:
        """Close every connection, then let the next instance in."""
        lock, self._lock = self._lock, None
        if isinstance(lock, AdvisoryLock):  # its connection belongs to the engine
            await lock.release()
        await self._quiet()
        await self._engine.dispose()
        if isinstance(lock, FileLock):
            await lock.release()

    async def _quiet(self) -> None:
        """Wait for the transaction in flight: a connection that is closed under a statement leaves it waiting."""
        if self._turn is None:
            return
        try:
            async with asyncio.timeout(QUIET_SECONDS), self._turn:
                return
        except TimeoutError:
            return

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Open a transaction that commits at the end of the block and rolls back on an exception. Raises Retry."""
        async with self._take_turn(), self._connect(self._writing) as connection, connection.begin():
            yield Transaction(connection, self.seal, self._clock)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """Open a transaction for reading only: it is rolled back at the end. Raises Retry."""
        async with self._take_turn(), self._connect(self._reading) as connection:
            transaction = await connection.begin()
            try:
                yield Transaction(connection, self.seal, self._clock)
            finally:
                await transaction.rollback()

    async def size(self) -> int:
        """Return how many bytes the database takes on its disk."""
        statement = _SIZE_ON_SQLITE if self._engine.dialect.name == "sqlite" else _SIZE_ON_POSTGRES
        async with self.read() as tx:
            return int((await tx.connection.execute(text(statement))).scalar_one())

    @asynccontextmanager
    async def _take_turn(self) -> AsyncIterator[None]:
        """Wait for the one SQLite connection, first come first served."""
        if self._turn is None:
            yield
            return
        task = asyncio.current_task()
        if self._holder is task:
            raise RuntimeError("a transaction is already open in this task: pass it on instead of opening another")
        async with self._turn:
            self._holder = task
            try:
                yield
            finally:
                self._holder = None

    @asynccontextmanager
    async def _connect(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        with failures():
            connection = await _reach(engine.connect().start())
            try:
                yield connection
            finally:
                await connection.close()

    async def _check_key(self) -> None:
        """Open a sample that was sealed at the first start, so that a lost key is noticed now and not by a member."""
        async with self.write() as tx:
            found = await tx.connection.execute(
                select(stored_settings.c.value).where(stored_settings.c.name == _SAMPLE)
            )
            sample = found.scalar_one_or_none()
            if sample is None:
                sealed = self.seal.close(_SAMPLE, row=_SAMPLE)
                await tx.connection.execute(
                    insert_into(tx.connection, stored_settings).values(name=_SAMPLE, value=sealed)
                )
                return
        try:
            self.seal.open(sample, row=_SAMPLE)
        except WrongKey as error:
            raise WrongKey(
                "The encryption key is not the one that this database was written with, so stored secrets cannot be "
                "opened. Restore it from the backup: the file encryption_key, or the setting database.encryption_key."
            ) from error


async def _reach(attempt: Awaitable[_T]) -> _T:
    """Connect; the driver's own words for "nobody answers" are not a database error."""
    try:
        return await attempt
    except OSError as error:
        raise Retry("the database cannot be reached") from error
