"""Walking through the tree of a message's or form's components."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.discord.world import Json


def walk(components: Sequence[Any]) -> Iterator[Json]:
    """Iterate all components of a message or form, outer before inner, as they are read; what is none is left out."""
    for each in components:
        if not isinstance(each, dict):
            continue
        yield each
        yield from walk(each.get("components") or ())
        yield from walk([each[key] for key in ("accessory", "component") if each.get(key)])
