"""Everything one local Discord holds, handed to its routes and sockets as one record."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field

from aiohttp import web

from sandbox.discord.buckets import Buckets
from sandbox.discord.changes import Changes
from sandbox.discord.faults import Faults
from sandbox.discord.gateway import Gateway, Wire
from sandbox.discord.interactions import Interactions
from sandbox.discord.oauth import Authorizations
from sandbox.discord.records import Records
from sandbox.discord.world import World

_MOUNT = re.compile(r"(.*?)/(?:api|gateway|oauth2)(?:/|$)")


@dataclass(slots=True, kw_only=True, eq=False)
class State:
    """The parts of a local Discord. `base_url` is its own address, or None to take it from each request."""

    world: World
    gateway: Gateway
    changes: Changes
    interactions: Interactions
    authorizations: Authorizations
    buckets: Buckets
    faults: Faults = field(default_factory=Faults)
    records: Records = field(default_factory=Records)
    base_url: str | None = None
    open_sockets: set[Wire] = field(default_factory=set)
    full_lists_sent_at: dict[int, float] = field(default_factory=dict)
    is_closing: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, request: web.Request, path: str) -> str:
        """Return an absolute URL of this Discord, wherever it is mounted."""
        if self.base_url:
            return self.base_url.rstrip("/") + path
        mount = _MOUNT.match(request.path)
        return f"{request.scheme}://{request.host}{mount[1] if mount else ''}{path}"

    def gateway_url(self, request: web.Request) -> str:
        """Return the address of the gateway, which is also where sessions resume."""
        return "ws" + self.url(request, "/gateway").removeprefix("http")
