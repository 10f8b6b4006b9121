"""The consent page and the token endpoints over HTTP. The rules are in oauth.py."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from itertools import islice
from typing import Any

from aiohttp import hdrs, web
from jinja2 import Environment, PackageLoader

from sandbox.discord.faults import Answer
from sandbox.discord.installing import add_bot, manageable_guilds, permission_words
from sandbox.discord.oauth import AuthorizationError, AuthorizationRequest
from sandbox.discord.records import RequestRecord
from sandbox.discord.rest.pipeline import API, apply_fault, cut, respond
from sandbox.discord.state import State
from sandbox.discord.world import Guild, Json, User

REQUEST_FIELDS = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "permissions",
    "guild_id",
    "disable_guild_select",
)
SCOPE_WORDS = {
    "identify": "See your username and avatar",
    "email": "See your e-mail address",
    "guilds": "Know which servers you are in",
    "guilds.join": "Join servers for you",
    "guilds.members.read": "Read your member info of a server",
    "role_connections.write": "Update your connection to this application",
    "bot": "Add its bot to a server",
    "applications.commands": "Create commands in that server",
}
PEOPLE_SHOWN = 50
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
_templates = Environment(loader=PackageLoader("sandbox.discord"), autoescape=True)


def add_oauth_routes(app: web.Application, state: State) -> None:
    """Register the consent page and, under each of Discord's API prefixes, the token endpoints."""
    pages = ConsentPages(state)
    app.router.add_get("/oauth2/authorize", pages.show)
    app.router.add_post("/oauth2/authorize", pages.decide)
    for prefix in (API, "/api", ""):
        app.router.add_post(prefix + "/oauth2/token", _endpoint(state, _exchange))
        app.router.add_post(prefix + "/oauth2/token/revoke", _endpoint(state, _revoke))


class ConsentPages:
    """The page "sign in as ..." and the answer to its form."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def show(self, request: web.Request) -> web.Response:
        """Show who wants what, and the people one can sign in as."""
        try:
            wanted = self._state.authorizations.read_request(request.query)
        except AuthorizationError as error:
            return self._page(error=error.description, status=400)
        people = (each for each in self._state.world.users.values() if not each.is_bot)
        return self._ask(wanted, request.query, users=list(islice(people, PEOPLE_SHOWN)))

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Send the browser back with a code, or with access_denied; ask for the server first where one is needed."""
        form = _texts(await request.post())
        authorizations = self._state.authorizations
        try:
            wanted = authorizations.read_request(form)
        except AuthorizationError as error:
            return self._page(error=error.description, status=400)
        chosen = form.get("user_id", "")
        user = self._state.world.users.get(int(chosen)) if chosen.isdigit() else None
        if user is None or form.get("answer") == "cancel":
            return _leave(authorizations.deny(wanted))
        if not wanted.wants_bot:
            return _leave(authorizations.approve(wanted, user))
        servers = self._servers(wanted, user)
        if "server" not in form:
            return self._ask(wanted, form, user=user, servers=servers)
        guild = next((each for each in servers if str(each.id) == form["server"]), None)
        if guild is None:
            return self._page(error="You may not add a bot to this server.", status=403)
        add_bot(self._state.world, self._state.changes, guild, permissions=wanted.permissions, by=user)
        return _leave(authorizations.approve(wanted, user, guild))

    def _servers(self, wanted: AuthorizationRequest, user: User) -> list[Guild]:
        """List those without the bot first: it is they that one comes for."""
        bot = self._state.world.bot
        found = sorted(manageable_guilds(self._state.world, user), key=lambda guild: bot.id in guild.members)
        return [each for each in found if not wanted.is_guild_fixed or each.id == wanted.guild_id]

    def _ask(self, wanted: AuthorizationRequest, given: Mapping[str, str], **values: Any) -> web.Response:
        return self._page(
            application=self._state.world.portal.name,
            scopes=[SCOPE_WORDS[each] for each in wanted.scopes],
            permissions=permission_words(wanted.permissions),
            chosen=wanted.guild_id,
            returns_to=wanted.redirect_uri,
            fields={key: given[key] for key in REQUEST_FIELDS if key in given},
            **values,
        )

    def _page(self, *, status: int = 200, **values: Any) -> web.Response:
        html = _templates.get_template("authorize.html").render(**values)
        return web.Response(status=status, text=html, content_type="text/html", headers=PAGE_HEADERS)


def _leave(location: str) -> web.Response:
    return web.Response(status=302, headers={"Location": location, **PAGE_HEADERS})


def _exchange(state: State, form: Mapping[str, str], credentials: tuple[str, str] | None) -> Json:
    return state.authorizations.exchange(form, credentials)


def _revoke(state: State, form: Mapping[str, str], credentials: tuple[str, str] | None) -> Json:
    state.authorizations.revoke(form, credentials)
    return {}


_Rule = Callable[[State, Mapping[str, str], tuple[str, str] | None], Json]


def _endpoint(state: State, rule: _Rule) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        path = "/oauth2/" + request.path.partition("/oauth2/")[2]

        async def carry_out() -> Answer:
            return await _answer(state, request, rule)

        answer = await apply_fault(state, state.faults.take(request.method, path), carry_out)
        state.records.counts[request.method, path] += 1
        state.records.requests.append(
            RequestRecord(
                method=request.method,
                path=path,
                status=answer.status if answer else 0,
                body=None,
                headers={},
                at=state.world.clock.now(),
            )
        )
        return cut(request) if answer is None else respond(answer)

    return serve


async def _answer(state: State, request: web.Request, rule: _Rule) -> Answer:
    # Discord takes these only form-encoded; JSON is refused.
    if request.content_type != "application/x-www-form-urlencoded":
        return Answer(status=415, body={"message": "415: Unsupported Media Type", "code": 0})
    try:
        credentials = _basic_credentials(request)
        return Answer(status=200, body=rule(state, _texts(await request.post()), credentials))
    except AuthorizationError as error:
        if error.status in (401, 403):
            state.buckets.count_invalid()
        return Answer(status=error.status, body={"error": error.error, "error_description": error.description})


def _basic_credentials(request: web.Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise AuthorizationError("invalid_client", "Malformed credentials", status=401) from None
    return name, secret


def _texts(form: Mapping[str, object]) -> dict[str, str]:
    return {key: value for key, value in form.items() if isinstance(value, str)}
