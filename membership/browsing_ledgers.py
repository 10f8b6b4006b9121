"""Protocols of storage for what stands behind the pages (browsing.py), one class per aggregate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from membership.browsing import ChosenBy, CustomerSettings, MailText, Person, Run, SignIn
from membership.model import CustomerId, GuildId, UserId


class SignIns(Protocol):
    """Browsers that somebody is signed in with; what they say of a person is sealed."""

    async def add(self, sign_in: SignIn) -> None:
        """Keep a new one (its id is ignored)."""

    async def get(self, digest: str, person: Person, now: datetime) -> SignIn | None:
        """Return a live one by its key's digest."""

    async def touch(self, digest: str, seen_at: datetime, expires_at: datetime) -> None:
        """Note that it was used, and until when it lives by that."""

    async def end(self, digest: str) -> None:
        """End one; unknown is no harm."""

    async def of_person(
        self, person: Person, user_id: UserId | None, email: str, now: datetime, limit: int
    ) -> Sequence[SignIn]:
        """Return the live ones of whoever proved this Discord account or this address, the last used first."""

    async def prune(self, now: datetime) -> None:
        """Delete what has expired."""


class Operators(Protocol):
    """Who was made an operator by the one-time link."""

    async def all(self) -> Sequence[UserId]:
        """Return them."""

    async def add(self, user_id: UserId, now: datetime) -> None:
        """Add one; again is no harm."""


class CustomersSettings(Protocol):
    """What payers chose."""

    async def get(self, customer_id: CustomerId) -> CustomerSettings:
        """Return a payer's settings, the defaults when they never chose."""

    async def near(self, user_id: UserId | None, email: str, limit: int) -> Sequence[ChosenBy]:
        """Return what payers chose who are linked to an account or have an address, in any case, by their id."""

    async def put(self, settings: CustomerSettings) -> None:
        """Store a payer's settings."""


class MailTexts(Protocol):
    """Servers' own words in mails."""

    async def get(self, guild_id: GuildId, template: str, language: str) -> MailText | None:
        """Return a server's words for one template and language."""

    async def of_guild(self, guild_id: GuildId) -> Mapping[tuple[str, str], MailText]:
        """Return all of a server's words, by template and language."""

    async def put(self, text: MailText) -> None:
        """Set a server's words; empty ones go back to ours."""


class Runs(Protocol):
    """Passes of scheduled work."""

    async def begin(self, run: Run) -> int:
        """Write down that a pass began (its id is ignored), and return its number."""

    async def finish(self, run: Run) -> None:
        """Write down how a pass ended, by its number."""

    async def recent(self, guild_id: GuildId, limit: int, *, before: int = 0) -> Sequence[Run]:
        """Return a server's passes and those that concern no server, newest first; `before`: older than this number."""

    async def get(self, number: int, guild_id: GuildId) -> Run | None:
        """Return a pass of a server, or one that concerns none."""

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` passes that began before a moment; return how many."""
