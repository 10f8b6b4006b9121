"""The outside world of a benchmark in a child process: Discord, Stripe and mail, and what people do there.

Its windows (role bucket, gateway) run on real time multiplied by the scale. Answers are JSON; ids of Discord are texts.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from app.sandboxed import HOST, free_port, pointed_at
from app.settings import Settings
from bench.child import answer
from sandbox.clock import MovableClock
from sandbox.discord.buckets import Buckets
from sandbox.discord.records import RequestRecord
from sandbox.discord.world import User
from sandbox.outside import Outside, outside
from sandbox.stripe.shapes import Object
from sandbox.visitor import claim_code

FIRST_PORT = 19200
SENDERS = 16
LOOK_SECONDS = 0.002
PATIENCE_SECONDS = 60.0

Json = dict[str, Any]


class World:
    """The answers of this child; every public method is a question of the same name."""

    def __init__(self, world: Outside, settings: Settings) -> None:
        """Take the running world and the settings of a Doorlist that is pointed at it."""
        self._world = world
        self._settings = settings
        self._guild = world.seed.server.guild
        self._vip = world.seed.server.vip
        self._ware = world.seed.wares[0]
        self._subscriptions: dict[int, Object] = {}
        self._codes: dict[int, str] = {}

    async def about(self) -> Json:
        """Tell how to run a Doorlist here (environment variables) and what its plan should be."""
        return {
            "environment": _environment(self._settings),
            "guild_id": self._guild.id,
            "guild_name": self._guild.name,
            "role_id": self._vip.id,
            "product_id": self._ware.product_id,
            "claim_channel_id": self._world.seed.server.get_access.id,
        }

    async def crowd(self, count: int, *, has_role: bool) -> list[int]:
        """Put members into the server, quietly; return their ids."""
        roles = (self._vip,) if has_role else ()
        return [user.id for user in self._world.discord.create_crowd(self._guild, count, *roles)]

    async def strip(self, user_ids: list[int]) -> None:
        """Take the role from members without any event: what a lost event or an outage leaves behind."""
        for user_id in user_ids:
            member = self._guild.members[user_id]
            self._guild.set_roles(member, member.roles - {self._vip.id})

    async def subscribe(self, user_ids: list[int]) -> list[str]:
        """Let each member have a subscription that Doorlist was told nothing of; return the Stripe customers."""
        control, stripe = self._world.stripe.control, self._world.stripe.world
        made = await control.bulk_subscriptions(len(user_ids), self._ware.price_id)
        found = [stripe.get("subscription", each) for each in made]
        self._subscriptions.update(zip(user_ids, found, strict=True))
        return [each["customer"] for each in found]

    async def announce(self, user_ids: list[int]) -> None:
        """Let Stripe send the webhook of each of these subscriptions, all at once."""
        for number, user_id in enumerate(user_ids):
            self._world.stripe.world.emit("created", self._subscriptions[user_id])
            if number % 100 == 0:
                await asyncio.sleep(0)

    async def grant_one_by_one(self, user_ids: list[int], pause_seconds: float) -> list[Json]:
        """Announce one subscription after the other; return when each webhook was accepted and the role was there."""
        deliveries, found = self._world.stripe.deliveries, []
        for user_id in user_ids:
            before = len(deliveries.log)
            await self.announce([user_id])
            await self._until(lambda: self._has_role(user_id), f"role of {user_id}")  # noqa: B023
            await self._until(lambda: len(deliveries.log) > before, "answer to the webhook")  # noqa: B023
            found.append({"accepted_at": deliveries.log[-1].at.timestamp(), "seen_at": self._seen_at(user_id)})
            await asyncio.sleep(pause_seconds)
        return found

    async def newcomers(self, count: int) -> list[int]:
        """Let new people join and buy; return their ids once the mails with their claim codes are here."""
        ids = []
        for number in range(count):
            address = f"newcomer{number}@example.com"
            user = self._world.discord.create_user(f"newcomer{number}", email=address)
            self._world.discord.people.join(self._guild, user)
            self._world.stripe.control.buy(self._ware.price_id, address)
            mails = await self._world.mailbox.wait_for(address, timeout=PATIENCE_SECONDS)
            self._codes[user.id] = claim_code(mails[-1].text) or ""
            ids.append(user.id)
        return ids

    async def claim(self, user_id: int) -> float:
        """Let a newcomer type their code; return the seconds until they have the role."""
        channel, loop = self._world.seed.server.get_access, asyncio.get_running_loop()
        started = loop.time()
        self._world.discord.people.say(channel, self._user(user_id), f"!claim {self._codes[user_id]}")
        await self._until(lambda: self._has_role(user_id), f"role of {user_id}")
        return loop.time() - started

    async def types(self, commands: list[list[Any]], count: int, pause_seconds: float) -> list[Json]:
        """Let the owner type commands in turn, each with its options; return the seconds to first and full answer."""
        invoke, channel, loop = self._world.discord.invoke, self._world.seed.server.welcome, asyncio.get_running_loop()
        found = []
        for number in range(count):
            name, options = commands[number % len(commands)]
            started = loop.time()
            asked = invoke.command(self._world.seed.cast.olga, channel, name, options)
            await self._until(lambda: asked.is_acknowledged, f"answer to /{name}")  # noqa: B023
            first = loop.time() - started
            await asked.answered(PATIENCE_SECONDS)
            found.append({"first": first, "full": loop.time() - started})
            await asyncio.sleep(pause_seconds)
        return found

    async def typing(self, options: list[list[Any]], count: int, pause_seconds: float) -> list[float]:
        """Let the owner type into options in turn: (command, option, text); return the seconds to the suggestions."""
        invoke, channel, loop = self._world.discord.invoke, self._world.seed.server.welcome, asyncio.get_running_loop()
        found = []
        for number in range(count):
            name, option, text = options[number % len(options)]
            started = loop.time()
            asked = invoke.autocomplete(self._world.seed.cast.olga, channel, name, (option, text))
            await self._until(lambda: asked.is_acknowledged, f"suggestions for /{name}")  # noqa: B023
            found.append(loop.time() - started)
            await asyncio.sleep(pause_seconds)
        return found

    async def role_writes(self) -> list[float]:
        """Return when each role write was carried out, oldest first."""
        return [record.at.timestamp() for record in self._requests() if _is_role(record) and record.status == 204]

    async def counts(self) -> Json:
        """Count what was asked of Discord so far: role writes, other requests, 429s, webhooks on their way."""
        requests = self._requests()
        roles = sum(_is_role(record) for record in requests)
        return {
            "roles": roles,
            "others": len(requests) - roles,
            "too_many": sum(record.status == 429 for record in requests),
            "deliveries": len(self._world.stripe.deliveries.log),
        }

    async def forget(self) -> None:
        """Begin a new record of requests."""
        self._world.discord.records.requests.clear()

    def _requests(self) -> list[RequestRecord]:
        return list(self._world.discord.records.requests)

    def _has_role(self, user_id: int) -> bool:
        return self._vip.id in self._guild.members[user_id].roles

    def _user(self, user_id: int) -> User:
        return self._guild.members[user_id].user

    def _seen_at(self, user_id: int) -> float:
        wanted = f"/members/{user_id}/roles/"
        return next(record.at.timestamp() for record in reversed(self._requests()) if wanted in record.path)

    async def _until(self, is_so: Callable[[], bool], what: str) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_so():  # noqa: ASYNC110 - the sandbox has no event for everything
                await asyncio.sleep(LOOK_SECONDS)


async def main(database: str, scale: str) -> None:
    """Run the world until the asking end is done."""
    port = free_port(FIRST_PORT)
    doorlist_port = free_port(port + 1)
    buckets = Buckets(time_scale=float(scale))
    url = f"http://{HOST}:{doorlist_port}"
    async with outside(MovableClock(), host=HOST, port=port, doorlist_url=url, buckets=buckets) as world:
        world.stripe.deliveries.parallel = SENDERS
        settings = pointed_at(world, Settings(), database=Path(database), port=doorlist_port)
        here = World(world, settings)
        questions = (
            here.about, here.crowd, here.strip, here.subscribe, here.announce, here.grant_one_by_one, here.newcomers,
            here.claim, here.types, here.typing, here.role_writes, here.counts, here.forget,
        )  # fmt: skip
        await answer({question.__name__: question for question in questions})


def _environment(settings: Settings) -> dict[str, str]:
    """Spell settings as environment variables."""
    changed: dict[str, str] = {"DOORLIST_MODE": "live"}
    for section in ("discord", "web", "mail", "database", "payments"):
        _spell(getattr(settings, section), f"DOORLIST_{section.upper()}", changed)
    return changed


def _spell(section: BaseModel, prefix: str, into: dict[str, str]) -> None:
    for name in section.model_fields_set:
        value, key = getattr(section, name), f"{prefix}__{name.upper()}"
        if isinstance(value, BaseModel):
            _spell(value, key, into)
        else:
            into[key] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _is_role(record: RequestRecord) -> bool:
    return "/roles/" in record.path and "/members/" in record.path


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
