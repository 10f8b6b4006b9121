"""This Doorlist as a program: its version, its age, its database, its last runs. Implements cogs.parts.Installation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.cli import project_version
from app.clocks import LAST_RUN
from app.settings import Settings
from membership.services import Services
from storage.store import Database


class ThisInstallation:
    """What runs here."""

    def __init__(self, settings: Settings, services: Services, database: Database) -> None:
        """Take the configuration, the services, and the database; it runs since now."""
        self.version = project_version()
        self.started_at = services.clock.now()
        self.origins: Mapping[str, str] = settings.origins
        self.database_kind = "SQLite" if settings.database.url.startswith("sqlite") else "PostgreSQL"
        self._services = services
        self._database = database

    async def database_size(self) -> int:
        """Return how many bytes the database takes."""
        return await self._database.size()

    async def last_run_at(self) -> datetime | None:
        """Return when every server was last compared with what was paid."""
        async with self._services.store.read() as tx:
            written = await tx.cursors.get(LAST_RUN)
        return datetime.fromisoformat(written) if written else None

    async def newest_event_at(self) -> Mapping[str, datetime]:
        """Return when the newest event of each payment provider came in."""
        async with self._services.store.read() as tx:
            found = {name: await tx.inbox.newest_at(name) for name in self._services.sellers.by_name}
        return {name: moment for name, moment in found.items() if moment is not None}
