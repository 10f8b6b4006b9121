"""How staff come in: sign-in with Discord, the one-time link at first, once more before a change, and out again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from membership import first_sign_in, sign_ins
from membership.actors import Actor
from membership.browsing import Person
from membership.codes import digest
from membership.errors import Gone, Retry, UserError
from membership.model import GuildId
from membership.records import Guild
from membership.sign_ins import FRESH, LIVES, Proven
from web import browser, once_more, outcomes, sign_in
from web.brand import Brand, brand_of
from web.devices import device_of
from web.discord_login import AS_STAFF
from web.pages import PARTS, page
from web.sign_in import Attempt
from web.site import RIGHTS, STAFF_DOOR, Site
from web.speaking import words_of
from web.visits import DeskVisit, Visit, cookie_of, forget_sign_in, own_path, set_sign_in

PURPOSE = "staff"
_LONGEST_TOKEN = 200
_MOST_SERVERS = 200
_ASKED_AT_ONCE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MyServer:
    """A server on the chooser: `actor` None where an operator is no staff, and only sees that it is there."""

    guild: Guild
    brand: Brand
    actor: Actor | None


def install(site: Site) -> None:
    """Register the pages and the way back from Discord."""
    sign_in.add_flow(site.app, PURPOSE, come_back)
    site.public.get(STAFF_DOOR, show_door)
    site.public.post(STAFF_DOOR, leave)
    site.public.get("/admin/first/{token}", show_first)
    site.public.post("/admin/first/{token}", leave_first)
    site.desk.get("/admin/again/{kept}", show_again)
    site.public.post("/admin/again/{kept}", leave_again)
    site.desk.post("/admin/sign-out", sign_out)
    site.desk.get("/admin", choose_server)


async def show_door(visit: Visit) -> web.Response:
    """Offer the sign-in."""
    return visit.page("admin/sign_in.html", action=STAFF_DOOR, back=own_path(visit.query("back")))


async def leave(visit: Visit) -> web.Response:
    """Send staff to Discord."""
    back = own_path((await visit.form()).text("back"))
    return await _leave(visit, {"back": "/admin" if back == "/" else back})


async def show_first(visit: Visit) -> web.Response:
    """Say what a one-time link is for. Consumes nothing."""
    await _first(visit)
    return visit.page("admin/sign_in.html", action=visit.request.rel_url.path, back="/admin")


async def leave_first(visit: Visit) -> web.Response:
    """Send somebody with a one-time link to Discord."""
    return await _leave(visit, {"back": "/admin", "first": await _first(visit)})


async def show_again(visit: DeskVisit) -> web.Response:
    """Ask for the proof, and once it is there, for the last click."""
    kept = await once_more.kept(visit.request, visit.path("kept"), visit.sign_in)
    if kept is None:
        raise UserError(visit.words.say("This was kept for half an hour, which is over. Please do it once more."))
    is_fresh = visit.sign_in.proved_at > visit.services.clock.now() - FRESH
    return visit.page("admin/again.html", kept=kept, is_fresh=is_fresh)


async def leave_again(visit: Visit) -> web.Response:
    """Send staff to Discord once more, before a change."""
    return await _leave(visit, {"back": f"/admin/again/{visit.path('kept')}"})


async def sign_out(visit: DeskVisit) -> web.Response:
    """End the sign-in of this browser."""
    await sign_ins.end(visit.services, visit.sign_in, visit.sign_in.id)
    response = await visit.go(STAFF_DOOR, say=visit.words.say("You are signed out."))
    forget_sign_in(response, visit.parts, Person.STAFF)
    return response


async def come_back(request: web.Request, attempt: Attempt) -> web.Response:
    """Sign in whoever Discord says it is, with a new key each time."""
    parts = request.app[PARTS]
    if attempt.signed_in is None:
        notice = outcomes.stopped(words_of(request), attempt.stopped_by, text=attempt.text, back=attempt.back)
        return page(request, "notice.html", {"notice": notice}, status=notice.status)
    user = attempt.signed_in.user
    if first := str(attempt.content.get("first", "")):
        await first_sign_in.take(parts.services, first, user.user_id)
    old = await sign_ins.recognise(
        parts.services, Person.STAFF, browser.key_of(request, parts, cookie_of(Person.STAFF))
    )
    if old is not None:
        await sign_ins.end(parts.services, old, old.id)
    proven = Proven(user_id=user.user_id, name=user.display_name or user.username)
    key = await sign_ins.begin(parts.services, Person.STAFF, proven, device_of(request))
    response = sign_in.redirect(own_path(str(attempt.content["back"])))
    set_sign_in(response, parts, Person.STAFF, key, LIVES[Person.STAFF].longest)
    return response


async def choose_server(visit: DeskVisit) -> web.Response:
    """Show the servers that somebody is staff of; straight to the only one."""
    servers = await _my_servers(visit)
    is_plain = len(servers) == 1 and servers[0].actor is not None and not visit.is_operator
    if is_plain:
        return await visit.go(f"/admin/{servers[0].guild.id}")
    return visit.page("admin/servers.html", servers=servers)


async def _my_servers(visit: DeskVisit) -> Sequence[MyServer]:
    async with visit.store.read() as tx:
        guilds = (await tx.guilds.all())[:_MOST_SERVERS]
    at_once = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def look(guild: Guild) -> MyServer | None:
        async with at_once:
            actor = await _actor(visit, guild.id)
        if actor is None and not visit.is_operator:
            return None
        return MyServer(guild=guild, brand=brand_of(visit.services, guild), actor=actor)

    found = await asyncio.gather(*map(look, guilds))
    return [each for each in found if each is not None]


async def _actor(visit: DeskVisit, guild_id: GuildId) -> Actor | None:
    """Return who visits in one of many servers; one that Discord cannot show now is left out."""
    try:
        return await visit.request.app[RIGHTS].actor(visit.sign_in, guild_id)
    except (Retry, Gone):
        return None


async def _first(visit: Visit) -> str:
    """Return the digest of a one-time link that still serves. Raises Gone for any other."""
    token = visit.path("token")
    found = await first_sign_in.look(visit.services, digest(token)) if len(token) <= _LONGEST_TOKEN else None
    if found is None:
        await sign_in.count_failure(visit.request)
        raise Gone("link")
    return digest(token)


async def _leave(visit: Visit, content: Mapping[str, object]) -> web.Response:
    return await sign_in.start(visit.request, PURPOSE, content, STAFF_DOOR, consent=AS_STAFF)
