"""The outside of sign-in: a small Discord that checks what we send it, and can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

CLIENT_ID, CLIENT_SECRET = "111222333", "hush"
CHARLIE = {
    "id": "900000000000000001",
    "username": "charlie",
    "global_name": "Charlie",
    "email": "charlie@example.com",
    "verified": True,
}


@dataclass
class DiscordStandIn:
    """Answers the token and user endpoints. `token_answer` and `me_answer` replace the good answers.

    `guild` is the server that the bot was added to.
    """

    me: dict[str, Any] = field(default_factory=lambda: dict(CHARLIE))
    scope: str = "identify email guilds.join"
    guild: object = None
    token_answer: web.Response | None = None
    me_answer: web.Response | None = None
    url: str = ""
    token_calls: int = 0
    granted: dict[str, dict[str, str]] = field(default_factory=dict)

    def agree(self, authorize_url: str) -> str:
        """Play the person who presses Authorize; return the path with query that the browser comes back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(authorize_url).query).items()}
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.granted)}"
        self.granted[code] = query
        return f"{urlsplit(query['redirect_uri']).path}?code={code}&state={query['state']}"

    def deny(self, authorize_url: str) -> str:
        """Play the person who presses Cancel."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(authorize_url).query).items()}
        return f"{urlsplit(query['redirect_uri']).path}?error=access_denied&state={query['state']}"

    async def token(self, request: web.Request) -> web.Response:
        self.token_calls += 1
        if self.token_answer is not None:
            return self.token_answer
        form = await request.post()
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return web.json_response({"error": "invalid_client"}, status=401)
        grant = self.granted.pop(str(form["code"]), None)
        if grant is None or grant["redirect_uri"] != form["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != grant["code_challenge"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        answer = {"access_token": "canary-access-token", "token_type": "Bearer", "scope": self.scope}
        # Discord adds the server to the answer where the bot was added to one.
        return web.json_response(answer if self.guild is None else answer | {"guild": self.guild})

    async def whoami(self, request: web.Request) -> web.Response:
        if self.me_answer is not None:
            return self.me_answer
        assert request.headers["Authorization"] == "Bearer canary-access-token"
        return web.json_response(self.me)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[DiscordStandIn]:
        """Listen while the block runs."""
        app = web.Application()
        app.router.add_post("/api/v10/oauth2/token", self.token)
        app.router.add_get("/api/v10/users/@me", self.whoami)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield self
        await runner.cleanup()
