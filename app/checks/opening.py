"""Opens what the doctor looks at, beside a running Doorlist or while none runs. Makes nothing and migrates nothing."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TypeVar

from app.checks.making import fail
from app.checks.patient import Part
from cogs.calls import Calls
from cogs.discord_side import DiscordSide
from cogs.examiner import Examiner, logged_in
from membership.checks import Finding, Skip
from membership.errors import DoorlistError
from membership.ports import Clock
from storage.config import DatabaseSettings
from storage.examination import database_file, examine_schema, key_file
from storage.secrets import BadKey, WrongKey
from storage.store import Database

T = TypeVar("T")

NOTHING_YET = "there is no database yet: Doorlist has not run here"
_RESTORE = "Restore the file encryption_key from the backup, or the setting database.encryption_key."


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The database or why it stays closed, and what is wrong with it by the id of the check that says so."""

    database: Part[Database]
    flaws: dict[str, Finding] = field(default_factory=dict)


async def open_database(stack: AsyncExitStack, settings: DatabaseSettings, clock: Clock) -> Opened:
    """Open the database without its lock, where this version can read it as it is."""
    file, key = database_file(settings), key_file(settings)
    if file is not None and not file.exists():
        return Opened(database=_closed(NOTHING_YET))
    if key is not None and not key.exists():
        cause = f"{key} is missing: what is stored sealed cannot be opened, and nobody can sign in."
        return Opened(database=_closed("the encryption key is missing"), flaws={"C07": _flaw(cause, _RESTORE)})
    try:
        schema = await examine_schema(settings)
        if schema.is_newer:
            cause = f"It has schema {schema.revision}, of a newer Doorlist. This one would not understand it."
            flaws = {"S02": fail("The database", cause, "Start the newer version again.")}
            return Opened(database=_closed("the database is of a newer version"), flaws=flaws)
        if schema.missing:
            cause = f"{len(schema.missing)} migrations are open."
            fix = "Start Doorlist: it copies the database and brings it up to date by itself."
            flaws = {"S02": fail("The database", cause, fix)}
            return Opened(database=_closed("the database is of an older version"), flaws=flaws)
        database = await Database.open(settings, clock, is_exclusive=False)
    except (WrongKey, BadKey) as refusal:
        return Opened(database=_closed("the encryption key does not fit"), flaws={"C07": _flaw(str(refusal), _RESTORE)})
    except DoorlistError as failure:
        return Opened(database=Part(why=failure))
    stack.push_async_callback(database.close)
    return Opened(database=Part(database))


async def open_examiner(stack: AsyncExitStack, side: DiscordSide) -> Part[Examiner]:
    """Log in to Discord without its gateway."""
    if not side.settings.token.get_secret_value():
        return _closed("discord.token is not set")
    try:
        await stack.enter_async_context(logged_in(side.connection, side.settings))
    except DoorlistError as failure:
        return Part(why=failure)
    return Part(examiner_of(side))


def examiner_of(side: DiscordSide) -> Examiner:
    """Return what asks Discord over whatever bot is connected."""
    return Examiner(Calls(side.connection, side.calls.refusals), side.settings)


def _closed(why: str) -> Part[T]:
    return Part(why=Skip(why))


def _flaw(cause: str, fix: str) -> Finding:
    return fail("The encryption key", cause, fix)
