"""What a process costs while something runs in it: event-loop stalls, CPU and memory. Memory is read from Linux."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

BEAT_SECONDS = 0.002
KIB_PER_MB = 1000 * 1000 / 1024


@dataclass(slots=True)
class Cost:
    """What was seen between the beginning and the end of a block.

    A stall is how late a beat of the event loop came. `longest_work_seconds` is the most CPU that the loop's
    thread used between two beats: where other programs want the processor too, what a stall has beyond it is theirs.
    """

    longest_stall_seconds: float = 0.0
    longest_work_seconds: float = 0.0
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    resident_mb: float = 0.0


@asynccontextmanager
async def cost() -> AsyncIterator[Cost]:
    """Measure the block; the numbers are complete after it."""
    seen = Cost()
    beat = asyncio.create_task(_beat(seen))
    started, cpu = time.perf_counter(), time.process_time()
    try:
        yield seen
    finally:
        seen.seconds, seen.cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
        seen.resident_mb = resident_mb("self")
        beat.cancel()
        await asyncio.wait([beat])


def resident_mb(process: int | str) -> float:
    """Return the resident memory of a process in megabytes, 0.0 where there is no /proc."""
    try:
        status = Path(f"/proc/{process}/status").read_text("ascii")
    except FileNotFoundError:
        return 0.0
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kib) / KIB_PER_MB


async def _beat(seen: Cost) -> None:
    while True:
        before, work_before = time.perf_counter(), time.thread_time()
        await asyncio.sleep(BEAT_SECONDS)
        late, work = time.perf_counter() - before - BEAT_SECONDS, time.thread_time() - work_before
        seen.longest_stall_seconds = max(seen.longest_stall_seconds, late)
        seen.longest_work_seconds = max(seen.longest_work_seconds, work)
