"""The benchmarks behind `python3 bot.py bench NAME`: one module for each, found by its name, all on this machine only.

Each prints readable lines and, as its last one, `NAME key=value ...`. They compare side by side in one run, because
absolute numbers belong to a machine and ratios do not. Results and how to read them: docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import click

NAMES = ("boot", "burst", "ingest", "interactions", "latency", "pages", "preview", "sweep")


def run(name: str, arguments: Sequence[str]) -> int:
    """Run one benchmark with its own options and return an exit code. Raises click.UsageError for an unknown name."""
    if name not in NAMES:
        raise click.UsageError(f"there is no benchmark {name}; there are {', '.join(NAMES)}")
    command: click.Command = import_module(f"bench.{name}").command
    command.main(list(arguments), prog_name=f"bot.py bench {name}", standalone_mode=False)
    return 0
