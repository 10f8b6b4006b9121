"""The durable queue (DESIGN 6). What a job does is the worker's business.

`due_at` is when a claim may take a job. `run_at` is what was asked for since the last claim: it is empty while a job
runs that nobody has marked again, so that a job may mark its own next run without running again at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, case, delete, func, literal, null, or_, select, tuple_, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.model import Lane
from membership.ports import Clock
from membership.records import Job, JobStatus, TroubledJob
from storage.ledgers import jobs
from storage.statements import PART, insert_in_words_of, row_count, smaller

LONGEST_ERROR = 500
_IS_WAITING = ~jobs.c.is_parked


class _Head(NamedTuple):
    """The earliest job of one lane and scope."""

    lane: int
    scope: str
    due_at: datetime


class Jobs:
    """Marks, claims and what became of them."""

    def __init__(self, connection: AsyncConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def mark(self, kind: str, key: str, *, lane: Lane, run_at: datetime, scope: str = "") -> None:
        """Ask for a run: earliest run_at and lowest lane win, generation grows, attempts and parking reset."""
        await self.mark_many(kind, [(key, scope)], lane=lane, run_at=run_at)

    async def mark_many(self, kind: str, keys: Sequence[tuple[str, str]], *, lane: Lane, run_at: datetime) -> None:
        """Mark many (key, scope) pairs."""
        # In one order, so that two processes that mark the same jobs never wait for each other in a circle.
        ordered = sorted(set(keys))
        statement = mark_statement(self._connection.dialect.name)
        for start in range(0, len(ordered), PART):
            rows = [
                {"kind": kind, "key": key, "scope": scope, "lane": int(lane), "run_at": run_at, "due_at": run_at}
                for key, scope in ordered[start : start + PART]
            ]
            await self._connection.execute(statement, rows)

    async def claim(
        self,
        now: datetime,
        lease_until: datetime,
        limit: int,
        busy_scopes: Sequence[str],
        *,
        slowest: Lane = Lane.BULK,
    ) -> Sequence[Job]:
        """Lease due jobs, lowest lane then earliest first, none of a lane after `slowest`; of busy scopes only lane 0.

        Expired leases are due again. A lease that ran out counts as a failed attempt: a job that kills its process
        must not do so for ever.
        """
        heads = [
            head
            for head in await self._heads()
            if head.due_at <= now
            and head.lane <= slowest
            and (head.lane == Lane.PERSON or head.scope not in busy_scopes)
        ]
        # The `limit` earliest jobs are in the `limit` queues with the earliest heads.
        heads.sort(key=lambda head: (head.lane, head.due_at))
        keys = await self._earliest(heads[:limit], now, limit)
        return await self._lease(keys, now, lease_until) if keys else []

    async def done(self, job: Job) -> None:
        """Delete the job if nobody marked it meanwhile, else release it to run again."""
        is_this = and_(jobs.c.kind == job.kind, jobs.c.key == job.key)
        await self._connection.execute(delete(jobs).where(is_this, jobs.c.generation == job.generation))
        await self._connection.execute(
            update(jobs)
            .where(is_this, jobs.c.generation != job.generation, jobs.c.run_at.is_not(None))
            .values(leased_until=None, not_before=None, due_at=jobs.c.run_at)
        )

    async def fail(self, job: Job, error: str, *, not_before: datetime | None) -> None:
        """Release a failed job until `not_before`; None parks it, visible.

        A job that was marked meanwhile starts afresh instead.
        """
        is_unmarked = jobs.c.generation == job.generation
        run_at = smaller(jobs.c.run_at, literal(job.run_at, jobs.c.run_at.type))
        wait = null() if not_before is None else literal(not_before, jobs.c.not_before.type)
        await self._connection.execute(
            update(jobs)
            .where(jobs.c.kind == job.kind, jobs.c.key == job.key)
            .values(
                leased_until=None,
                run_at=run_at,
                not_before=wait,
                due_at=run_at if not_before is None else wait,
                attempts=case((is_unmarked, job.attempts + 1), else_=0),
                is_parked=case((is_unmarked, not_before is None), else_=False),
                last_error=error[:LONGEST_ERROR],
            )
        )

    async def release_all(self) -> None:
        """Take back every lease, as if its time had run out."""
        await self._connection.execute(
            update(jobs).where(jobs.c.leased_until.is_not(None)).values(due_at=self._clock.now())
        )

    async def hasten(self, scope: str) -> int:
        """Let the failed jobs of a scope run now instead of after their pause; return how many."""
        now = self._clock.now()
        hastened = await self._connection.execute(
            update(jobs)
            .where(jobs.c.scope == scope, _IS_WAITING, jobs.c.leased_until.is_(None), jobs.c.not_before > now)
            .values(not_before=None, due_at=jobs.c.run_at)
        )
        return row_count(hastened)

    async def cancel(self, kind: str, key: str) -> None:
        """Delete a job."""
        await self._connection.execute(delete(jobs).where(jobs.c.kind == kind, jobs.c.key == key))

    async def next_run_at(self) -> datetime | None:
        """Return when the next unparked job is due; a leased one is due again when its lease ends."""
        found = await self._connection.execute(select(func.min(jobs.c.due_at)).where(_IS_WAITING))
        due_at: datetime | None = found.scalar()
        return due_at

    async def status(self, kind: str, key: str) -> JobStatus | None:
        """Return how a job stands, None when there is none."""
        found = await self._connection.execute(select(jobs).where(jobs.c.kind == kind, jobs.c.key == key))
        row = found.one_or_none()
        if row is None:
            return None
        is_running = row.leased_until is not None and row.leased_until > self._clock.now()
        return JobStatus(
            due_at=row.due_at,
            attempts=row.attempts,
            is_parked=row.is_parked,
            is_running=is_running,
            last_error=row.last_error,
        )

    async def counts(self, scope: str = "") -> Mapping[str, int]:
        """Return how many jobs are `due`, `waiting`, `leased` and `parked`, of one scope when it is named."""
        now = self._clock.now()
        state = case(
            (jobs.c.is_parked, "parked"),
            (jobs.c.leased_until > now, "leased"),
            (jobs.c.due_at <= now, "due"),
            else_="waiting",
        )
        query = select(state, func.count()).group_by(state)
        found = await self._connection.execute(query.where(jobs.c.scope == scope) if scope else query)
        return {"due": 0, "waiting": 0, "leased": 0, "parked": 0} | dict(found.all())

    async def troubled(self, kinds: Collection[str], owner: str, limit: int) -> Sequence[TroubledJob]:
        """Return failed jobs whose key is `owner` or begins with it and a colon, those that were given up first."""
        is_theirs = or_(jobs.c.key == owner, jobs.c.key.startswith(f"{owner}:", autoescape=True))
        has_failed = or_(jobs.c.is_parked, and_(jobs.c.attempts > 0, jobs.c.last_error != ""))
        found = await self._connection.execute(
            select(*(jobs.c[field.name] for field in fields(TroubledJob)))
            .where(jobs.c.kind.in_(kinds), is_theirs, has_failed)
            .order_by(jobs.c.is_parked.desc(), jobs.c.due_at, jobs.c.key)
            .limit(limit)
        )
        return [TroubledJob(**row) for row in found.mappings()]

    async def _heads(self) -> list[_Head]:
        """Return the earliest job of every lane and scope, jumping from one to the next along the index."""
        found = await self._connection.execute(_HEADS)
        return [_Head(*row) for row in found if row.due_at is not None]

    async def _earliest(self, heads: Sequence[_Head], now: datetime, limit: int) -> list[tuple[str, str]]:
        if not heads:
            return []
        queues = [_queue(head, now, limit).subquery() for head in heads]
        merged = union_all(*(select(queue) for queue in queues)).subquery()
        found = await self._connection.execute(
            select(merged.c.kind, merged.c.key).order_by(merged.c.lane, merged.c.due_at).limit(limit)
        )
        return [(kind, key) for kind, key in found]

    async def _lease(self, keys: Sequence[tuple[str, str]], now: datetime, lease_until: datetime) -> list[Job]:
        """Take the jobs that no other process took since we looked."""
        free = (
            select(jobs.c.kind, jobs.c.key)
            .where(tuple_(jobs.c.kind, jobs.c.key).in_(keys), _IS_WAITING, jobs.c.due_at <= now)
            .with_for_update(skip_locked=True)
        )
        # Before the lease overwrites it: due_at is the only place that knows when an expired lease was due.
        found = await self._connection.execute(free.add_columns(*_JOB, jobs.c.due_at, jobs.c.leased_until))
        rows = found.all()
        if not rows:
            return []
        was_leased = jobs.c.leased_until.is_not(None)
        await self._connection.execute(
            update(jobs)
            .where(tuple_(jobs.c.kind, jobs.c.key).in_([(row.kind, row.key) for row in rows]))
            .values(
                leased_until=lease_until,
                due_at=lease_until,
                run_at=None,
                not_before=None,
                attempts=jobs.c.attempts + case((was_leased, 1), else_=0),
            )
        )
        rows = sorted(rows, key=lambda row: (row.lane, row.due_at))
        return [_job(row) for row in rows]


_JOB = (jobs.c.lane, jobs.c.scope, jobs.c.generation, jobs.c.attempts, jobs.c.run_at)


@cache
def mark_statement(dialect: str) -> Any:
    """Return the upsert that `mark` runs; its rows name kind, key, scope, lane, run_at and due_at (= run_at)."""
    insert = insert_in_words_of(dialect, jobs)
    new = insert.excluded
    run_at = smaller(jobs.c.run_at, new.run_at)
    return insert.values(generation=1, attempts=0, is_parked=False, last_error="").on_conflict_do_update(
        index_elements=[jobs.c.kind, jobs.c.key],
        set_={
            "run_at": run_at,
            "lane": smaller(jobs.c.lane, new.lane),
            "scope": case((new.scope != "", new.scope), else_=jobs.c.scope),
            # A running job keeps its lease: one run per key at a time.
            "due_at": case((jobs.c.leased_until.is_not(None), jobs.c.due_at), else_=run_at),
            "not_before": None,
            "generation": jobs.c.generation + 1,
            "attempts": 0,
            "is_parked": False,
        },
    )


def _job(row: Any) -> Job:
    return Job(
        kind=row.kind,
        key=row.key,
        lane=Lane(row.lane),
        scope=row.scope,
        generation=row.generation,
        attempts=row.attempts + (row.leased_until is not None),
        run_at=row.run_at or row.due_at,
    )


def _queue(head: _Head, now: datetime, limit: int) -> Select[Any]:
    return (
        select(jobs.c.kind, jobs.c.key, jobs.c.lane, jobs.c.due_at)
        .where(_IS_WAITING, jobs.c.lane == head.lane, jobs.c.scope == head.scope, jobs.c.due_at <= now)
        .order_by(jobs.c.due_at)
        .limit(limit)
    )


def _heads_statement() -> Select[Any]:
    """Walk the claim index from one (lane, scope) to the next: cost grows with the queues, not the jobs."""
    next_scope = select(func.min(jobs.c.scope)).where(_IS_WAITING)
    lanes = union_all(*(select(literal(int(lane)).label("lane")) for lane in Lane)).cte("lanes")
    first = next_scope.where(jobs.c.lane == lanes.c.lane).correlate(lanes).scalar_subquery()
    walk = select(lanes.c.lane, first.label("scope")).cte("heads", recursive=True)
    is_next = (jobs.c.lane == walk.c.lane) & (jobs.c.scope > walk.c.scope)
    following = next_scope.where(is_next).correlate(walk).scalar_subquery()
    heads = walk.union_all(select(walk.c.lane, following).where(walk.c.scope.is_not(None)))
    earliest = (
        select(func.min(jobs.c.due_at))
        .where(_IS_WAITING, jobs.c.lane == heads.c.lane, jobs.c.scope == heads.c.scope)
        .correlate(heads)
        .scalar_subquery()
    )
    return select(heads.c.lane, heads.c.scope, earliest.label("due_at")).where(heads.c.scope.is_not(None))


_HEADS = _heads_statement()
