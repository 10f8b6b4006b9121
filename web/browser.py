"""What we remember about a browser: cookies that carry a random key, and the content kept server-side, sealed.

A cookie holds nothing but its key, and storage only the key's digest, so that neither is worth stealing alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from membership.codes import digest
from web.parts import Parts

SIGN_IN = "signin"
"""Ties an OAuth state to the browser that asked for it."""
CONNECT = "connect"
"""Holds who signed in, and later how it went."""
VERIFY = "verify"
"""Holds how a sign-in that began in Discord went."""
LIFE = timedelta(minutes=10)
"""How long a sign-in may take. The content's own end counts; the cookie may outlive it."""
COOKIE_LIFE = timedelta(hours=1)

_LONGEST_KEY = 200


def cookie_name(parts: Parts, purpose: str) -> str:
    """Return the cookie's name: bound to the host over https; plain http exists on this machine only."""
    return f"__Host-doorlist-{purpose}" if _is_secure(parts) else f"doorlist-{purpose}"


def key_of(request: web.Request, parts: Parts, purpose: str) -> str:
    """Return the browser's key for a purpose, "" when it has none."""
    key = request.cookies.get(cookie_name(parts, purpose), "")
    return key if len(key) <= _LONGEST_KEY else ""


def set_key(
    response: web.StreamResponse, parts: Parts, purpose: str, key: str, *, life: timedelta = COOKIE_LIFE
) -> None:
    """Give the browser a key; a life of nothing takes it away."""
    response.set_cookie(
        cookie_name(parts, purpose),
        key,
        max_age=int(life.total_seconds()),
        path="/",
        secure=_is_secure(parts),
        httponly=True,
        samesite="Lax",  # the way back from Discord is a navigation from another site: Strict would lose the cookie
    )


async def remember(parts: Parts, key: str, kind: str, content: Mapping[str, object], *, life: timedelta = LIFE) -> None:
    """Keep JSON-able content under a key for a while."""
    texts = {name: json.dumps(value) for name, value in content.items()}
    async with parts.store.write() as tx:
        await tx.sessions.put(digest(key), kind, texts, parts.clock.now() + life)


async def recall(parts: Parts, key: str, kind: str) -> Mapping[str, Any] | None:
    """Return what is kept under a key, None when there is nothing or it is too old."""
    if not key:
        return None
    async with parts.store.read() as tx:
        texts = await tx.sessions.get(digest(key), kind, parts.clock.now())
    return None if texts is None else {name: json.loads(text) for name, text in texts.items()}


async def take(parts: Parts, key: str, kind: str) -> Mapping[str, Any] | None:
    """Return and delete what is kept under a key: of many callers one gets it."""
    if not key:
        return None
    async with parts.store.write() as tx:
        texts = await tx.sessions.take(digest(key), kind, parts.clock.now())
    return None if texts is None else {name: json.loads(text) for name, text in texts.items()}


def kept_moment(text: str | None) -> datetime | None:
    """Read a moment out of what was kept, where there was one."""
    return datetime.fromisoformat(text) if text else None


def _is_secure(parts: Parts) -> bool:
    return parts.public_url.startswith("https://")
