"""Keeps the bot connected for as long as Doorlist runs, and says how it is. Nothing that happens here ends the process.

discord.py gives up on a failed login, on refused intents and on some close codes; `is_ready()` stays true while the
gateway is away. So each life of the bot is watched, and the next one waits its turn.
"""

from __future__ import annotations

import asyncio
import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import discord
import structlog

from cogs.bot import DoorlistBot, IdentifyBudgetSpent, intents_of
from cogs.config import DiscordSettings
from cogs.connection import Connection
from cogs.errors import TRANSPORT_ERRORS
from membership.errors import Retry
from membership.ports import Clock

log = structlog.get_logger(__name__)

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300.0
SETTLED_SECONDS = 60.0
CLOSE_SECONDS = 8.0
SILENCE_SECONDS = 120.0  # Discord's heartbeat is 41 s: two lost ones
AUTHENTICATION_FAILED = 4004
LOGIN_REFUSED_TEXT = "Discord refuses the bot's token: set a new one and restart"
REFUSED_CLOSE_CODES = (AUTHENTICATION_FAILED, 4010, 4011, 4012, 4013)

# Discord's names for the privileged intents, as the developer portal shows them.
_TOGGLES = {"members": "Server Members", "message_content": "Message Content"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayHealth:
    """How the connection to Discord is. `text` says it to the operator; `since` is when it became so."""

    is_connected: bool
    since: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows from the end of a life: `wait` None means that trying again is no use."""

    text: str
    wait: timedelta | None = None


class Supervisor:
    """Runs one bot after the other. `make_bot` gets the intents that Discord has not refused yet."""

    def __init__(
        self,
        make_bot: Callable[[discord.Intents], DoorlistBot],
        *,
        settings: DiscordSettings,
        connection: Connection,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        """Take the factory, and where token and intents come from; `jitter` returns numbers in [0, 1)."""
        self._make_bot = make_bot
        self._intents = intents_of(settings)
        self._token = settings.token.get_secret_value()
        self._connection = connection
        self._clock = clock
        self._jitter = jitter
        self._refused: frozenset[str] = frozenset()
        self._stop = asyncio.Event()
        self._bot: DoorlistBot | None = None
        self._failures = 0
        self._note = GatewayHealth(is_connected=False, since=clock.now(), text="connecting to Discord")

    async def run(self) -> None:
        """Keep a bot connected until `close`; with a refused token, wait for `close`."""
        while not self._stop.is_set():
            bot = self._bot = self._make_bot(_without(self._intents, self._refused))
            verdict = await self._live(bot)
            if self._stop.is_set():
                return
            self._set_note(verdict.text, is_connected=False)
            if verdict.wait is None:
                log.error("discord_given_up", why=verdict.text)
                await self._stop.wait()
                return
            log.warning("discord_lost", why=verdict.text, again_in_seconds=verdict.wait.total_seconds())
            await self._pause(verdict.wait.total_seconds())

    async def close(self) -> None:
        """Disconnect cleanly within 10 seconds, and let `run` return."""
        self._stop.set()
        if self._bot is not None:
            await _close_soon(self._bot)

    def health(self) -> GatewayHealth:
        """Say whether the gateway answers now: a finite latency, and something heard in the last two minutes."""
        bot = self._connection.bot
        if not isinstance(bot, DoorlistBot) or not bot.is_ready():
            return self._note
        quiet = math.inf if bot.heard_at is None else asyncio.get_running_loop().time() - bot.heard_at
        is_connected = math.isfinite(bot.latency) and quiet < SILENCE_SECONDS
        self._set_note(self._connected_text(bot) if is_connected else "Discord's gateway is silent", is_connected)
        return self._note

    # ------------------------------------------------------------------------------------------------- one life

    async def _live(self, bot: DoorlistBot) -> Verdict:
        """Run one bot to its end and say what follows. Every end has a verdict: the web server must stay up."""
        started_at = asyncio.get_running_loop().time()
        try:
            await bot.start(self._token)
            return self._again("the connection to Discord ended")
        except discord.LoginFailure:
            return Verdict(text=LOGIN_REFUSED_TEXT)
        except discord.PrivilegedIntentsRequired:
            return self._degrade(bot)
        except discord.ConnectionClosed as closed:
            if closed.code in REFUSED_CLOSE_CODES:
                is_token = closed.code == AUTHENTICATION_FAILED
                return Verdict(
                    text=LOGIN_REFUSED_TEXT if is_token else f"Discord refuses the bot (close code {closed.code})"
                )
            return self._again(f"Discord closed the connection ({closed.code})")
        except IdentifyBudgetSpent as spent:
            return Verdict(text="too many connections to Discord today, waiting", wait=spent.wait)
        except Retry as failure:
            # Ours: the IDENTIFY budget or the stored hash could not be read.
            return self._again(failure.why)
        except TRANSPORT_ERRORS as failure:
            return self._again(f"Discord cannot be reached ({type(failure).__name__})")
        except Exception as bug:
            # A surprise in the gateway must not take the web server down.
            log.exception("bot_crashed")
            return self._again(f"the bot crashed ({type(bug).__name__})")
        finally:
            self._connection.drop()
            await _close_soon(bot)
            if asyncio.get_running_loop().time() - started_at >= SETTLED_SECONDS:
                self._failures = 0

    def _again(self, text: str) -> Verdict:
        wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**self._failures)
        self._failures = min(self._failures + 1, 16)
        return Verdict(text=text, wait=timedelta(seconds=wait * (0.5 + self._jitter() / 2)))

    def _degrade(self, bot: DoorlistBot) -> Verdict:
        """Leave out the privileged intents that the portal has switched off; close code 4014 does not name them."""
        self._refused |= _switched_off(bot)
        return Verdict(text=_degraded_text(self._refused), wait=timedelta())

    def _connected_text(self, bot: DoorlistBot) -> str:
        text = f"connected, {bot.latency * 1000:.0f} ms"
        return f"{text}; {_degraded_text(self._refused)}" if self._refused else text

    # ------------------------------------------------------------------------------------------------- waiting

    def _set_note(self, text: str, is_connected: bool) -> None:
        since = self._note.since if is_connected is self._note.is_connected else self._clock.now()
        self._note = GatewayHealth(is_connected=is_connected, since=since, text=text)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return


def _without(intents: discord.Intents, refused: frozenset[str]) -> discord.Intents:
    kept = copy.copy(intents)
    for name in refused:
        setattr(kept, name, False)
    return kept


def _switched_off(bot: DoorlistBot) -> set[str]:
    """Name the asked-for privileged intents that the application's flags do not show as on; both when unsure."""
    flags = bot.application_flags
    off = set()
    if bot.intents.members and not (flags.gateway_guild_members or flags.gateway_guild_members_limited):
        off.add("members")
    if bot.intents.message_content and not (flags.gateway_message_content or flags.gateway_message_content_limited):
        off.add("message_content")
    return off or set(_TOGGLES)


def _degraded_text(refused: frozenset[str]) -> str:
    names = " and ".join(f"{_TOGGLES[name]} Intent" for name in sorted(refused, reverse=True))
    return f"switch on {names} in Discord's developer portal (Bot > Privileged Gateway Intents) and restart"


async def _close_soon(bot: DoorlistBot) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await bot.close()
    except (TimeoutError, *TRANSPORT_ERRORS) as failure:
        log.warning("bot_not_closed_cleanly", why=type(failure).__name__)
