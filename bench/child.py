"""A part of a benchmark in a process of its own, so that its work is not counted: asked by JSON lines over its pipes.

Both ends are here. What the questions mean is the business of the module that runs as the child.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LONGEST_LINE = 64 * 1024 * 1024
LONGEST_ANSWER_SECONDS = 600.0
GOODBYE_SECONDS = 15.0

Answerer = Callable[..., Awaitable[object]]


class Child:
    """The asking end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take a process whose pipes are open."""
        self._process = process

    async def ask(self, question: str, **given: object) -> Any:
        """Ask and wait for the answer. Raises RuntimeError when the child has ended instead."""
        reader, writer = self._process.stdout, self._process.stdin
        if reader is None or writer is None:
            raise RuntimeError("the child has no pipes")
        writer.write(json.dumps([question, given]).encode() + b"\n")
        await writer.drain()
        async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
            line = await reader.readline()
        if not line:
            raise RuntimeError(f"the child ended at {question}; its traceback is above")
        return json.loads(line)

    async def end(self) -> None:
        """Let the child finish; kill it when it does not."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def child(module: str, *arguments: str) -> AsyncIterator[Child]:
    """Run `python -m module` beside us until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
    )
    started = Child(process)
    try:
        yield started
    finally:
        await started.end()


async def answer(answerers: Mapping[str, Answerer]) -> None:
    """Be the child: answer questions in their order until the asking end closes its pipe."""
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while line := await reader.readline():
            question, given = json.loads(line)
            print(json.dumps(await answerers[question](**given)), flush=True)
    finally:
        transport.close()
