"""The real pages before a furnished world, and every address that they have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter

from tests.pages.actors import Who, as_actor
from tests.pages.addresses import IDS, Addresses, digest_of, restore
from tests.pages.cast import EVE, NEXT_DOOR
from tests.pages.rich import Furnished
from tests.pages.stage import PageStage, Visitor, pages_of
from tests.usecases.world import GUILD
from web.rights import Right
from web.site import RULES

SEEN = ("sign_ins",)
"""What any page may write to: when somebody was seen last."""
KEPT = ("sessions", *SEEN)
"""What a form may write to even where it is refused: what is kept for the browser, besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of the matrix."""

    method: str
    path: str
    right: Right

    @property
    def names_somebodys(self) -> bool:
        """Say whether the address names what belongs to one server or one customer."""
        parts = {name for _, name, _, _ in Formatter().parse(self.path)}
        return bool(parts & IDS) and self.path.startswith(("/admin/{guild}/", "/portal/"))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(slots=True, kw_only=True)
class RichStage:
    """The pages of a furnished world. `ours` and `theirs` fill the routes with ids of either server."""

    stage: PageStage
    path: Path
    pristine: Path
    ours: Addresses
    theirs: Addresses
    _visitors: dict[Who, Visitor] = field(default_factory=dict)

    def routes(self, method: str) -> Iterator[Route]:
        """Return every route of the site that takes a method, with what it asks for."""
        for (asked, path), right in self.stage.app[RULES].items():
            if asked == method:
                yield Route(method=method, path=path, right=right)

    async def visitor(self, who: Who) -> Visitor:
        """Return an actor's browser, the same each time."""
        if who not in self._visitors:
            self._visitors[who] = await as_actor(self.stage, who)
        return self._visitors[who]

    def digest(self, without: Sequence[str] = KEPT) -> Mapping[str, str]:
        """Return what is stored now, table by table."""
        return digest_of(self.path, without=without)

    def restore(self) -> None:
        """Put the database back to what it was; whoever was signed in is not any more."""
        restore(self.path, self.pristine)
        self._visitors.clear()


@asynccontextmanager
async def rich_stage(furnished: Furnished, directory: Path) -> AsyncIterator[RichStage]:
    """Serve the pages of a copy of a furnished world."""
    path = directory / "rich.db"
    world = await furnished.opened(path)
    try:
        async with pages_of(world) as stage:
            yield RichStage(
                stage=stage,
                path=path,
                pristine=furnished.path,
                ours=Addresses(path=path, secrets=furnished.secrets, guild_id=GUILD),
                theirs=Addresses(path=path, secrets=furnished.secrets, guild_id=NEXT_DOOR, user_id=EVE),
            )
    finally:
        await world.close()


@asynccontextmanager
async def at_work(rich: RichStage) -> AsyncIterator[None]:
    """Let the worker run meanwhile: whoever acts for somebody waits for it some seconds."""
    worker = rich.stage.world.worker
    working = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await working
