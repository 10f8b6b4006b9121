"""Connect servers and disconnect them: through Discord's bot authorization, whose answer proves which server it is.

The address that the browser comes back with names a server, too: that is a hint, and worth nothing alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp import web

from locales.catalogue import translatable
from membership import plan_looks, servers, sign_ins
from membership.actors import Actor
from membership.browsing import Person, SignIn
from membership.errors import Gone, Retry
from membership.model import GuildId, OnEnd
from membership.records import Guild
from web import browser, sign_in
from web.discord_login import to_add_bot
from web.numbers import number_in
from web.pages import PARTS, page
from web.sign_in import Attempt, redirect
from web.site import RIGHTS, Site
from web.visits import DeskVisit, StaffVisit, cookie_of

PURPOSE = "install"
ADD = "/admin/servers/add"
LOOKS = 4
LOOK_AGAIN_SECONDS = 0.5
"""How long the way back from Discord waits for the bot to arrive; then a page waits."""
REFRESH_SECONDS = 3
MOST_REFRESHES = 40


def install(site: Site) -> None:
    """Register the pages and the way back from Discord."""
    sign_in.add_flow(site.app, PURPOSE, come_back)
    site.desk.get(ADD, show_add)
    site.desk.post(ADD, leave)
    site.desk.get("/admin/servers/added/{added}", show_added)
    site.desk.post("/admin/servers/added/{added}", enter)
    site.manager.get("/admin/{guild}/disconnect", show_disconnect)
    site.manager.post("/admin/{guild}/disconnect", disconnect)
    site.operator.post("/admin/servers/disconnect/{known}", disconnect_as_operator)


# -------------------------------------------------------------------------------------------------------- connecting


async def show_add(visit: DeskVisit) -> web.Response:
    """Say what adding a server asks for, before Discord asks."""
    return visit.page("admin/server_add.html")


async def leave(visit: DeskVisit) -> web.Response:
    """Send somebody to Discord to add the bot; `guild` chooses the server already, to give a permission it lacks."""
    wanted = number_in((await visit.form()).text("guild"))
    guild_id = None if wanted is None else GuildId(wanted)
    may_kick = guild_id is not None and await _kicks(visit, guild_id)
    back = f"/admin/{guild_id}/setup" if guild_id else ADD
    content = {"user_id": str(visit.sign_in.user_id)}
    return await sign_in.start(visit.request, PURPOSE, content, back, consent=to_add_bot(guild_id, may_kick=may_kick))


async def come_back(request: web.Request, attempt: Attempt) -> web.Response:
    """Take note of the server that Discord names with its token, and let it in or ask for it."""
    parts = request.app[PARTS]
    done = attempt.signed_in
    if done is None:
        return _stopped(request, attempt.stopped_by, attempt.back)
    key = browser.key_of(request, parts, cookie_of(Person.STAFF))
    staff = await sign_ins.recognise(parts.services, Person.STAFF, key)
    if staff is None or staff.user_id != done.user.user_id or str(staff.user_id) != attempt.content["user_id"]:
        return _stopped(request, "somebody_else", attempt.back)
    hint = request.query.get("guild_id", "")
    if done.guild_id is None or (hint and hint != str(done.guild_id)):
        return _stopped(request, "no_server", attempt.back)
    await servers.connected(parts.services, done.guild_id, done.guild_name, done.user.user_id)
    request.app[RIGHTS].forget(done.guild_id)
    actor = await _arrived(request, staff, done.guild_id)
    if actor is None or not actor.can_manage:
        return redirect(f"/admin/servers/added/{done.guild_id}")
    await servers.enter(parts.services, actor)
    return redirect(f"/admin/{done.guild_id}/setup")


async def show_added(visit: DeskVisit) -> web.Response:
    """Wait until the bot has arrived in a server, then ask for the last click. Changes nothing."""
    guild, actor = await _added(visit)
    seen = number_in(visit.query("looks")) or 0
    waits = actor is None and seen < MOST_REFRESHES
    return visit.page(
        "admin/server_added.html",
        refresh_seconds=REFRESH_SECONDS if waits else 0,
        refresh_url=f"{visit.request.path}?looks={seen + 1}",
        guild=guild,
        actor=actor,
        waits=waits,
    )


async def enter(visit: DeskVisit) -> web.Response:
    """Let a server in, or ask the operators for it."""
    guild, actor = await _added(visit)
    if actor is None:
        return await visit.go(visit.request.path)
    await servers.enter(visit.services, actor)
    return await visit.go(f"/admin/{guild.id}/setup")


async def _added(visit: DeskVisit) -> tuple[Guild, Actor | None]:
    """Return the server and who visits there; None while the bot is not there. Raises Gone for a stranger's server."""
    guild_id = GuildId(visit.number("added"))
    async with visit.store.read() as tx:
        guild = await tx.guilds.get(guild_id)
        mine = await tx.audit.recent(50, guild_id=guild_id, events=(servers.CONNECTED,))
    if guild is None or visit.sign_in.user_id not in {entry.user_id for _, _, entry in mine}:
        raise Gone("page")
    visit.request.app[RIGHTS].forget(guild_id)
    return guild, await _actor(visit.request, visit.sign_in, guild_id)


async def _arrived(request: web.Request, staff: SignIn, guild_id: GuildId) -> Actor | None:
    """Ask for somebody's rights until the bot has arrived, for two seconds at most."""
    for _ in range(LOOKS):
        actor = await _actor(request, staff, guild_id)
        if actor is not None:
            return actor
        request.app[RIGHTS].forget(guild_id)
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return None


async def _actor(request: web.Request, staff: SignIn, guild_id: GuildId) -> Actor | None:
    try:
        return await request.app[RIGHTS].actor(staff, guild_id)
    except (Retry, Gone):
        return None  # the bot is on its way


async def _kicks(visit: DeskVisit, guild_id: GuildId) -> bool:
    async with visit.store.read() as tx:
        plans = await tx.plans.all(guild_id)
    return any(OnEnd.KICK in (plan.on_end, plan.on_refund) for plan in plans)


# ----------------------------------------------------------------------------------------------------- disconnecting


async def show_disconnect(visit: StaffVisit) -> web.Response:
    """Say what disconnecting does, and what it leaves alone."""
    looks = await plan_looks.every_plan(visit.services, visit.guild.id)
    return visit.page("admin/server_disconnect.html", plans=[look for look in looks if look.members])


async def disconnect(visit: StaffVisit) -> web.Response:
    """Stop working for the server."""
    return await _disconnected(visit, await servers.remove(visit.services, visit.guild.id, str(visit.actor)))


async def disconnect_as_operator(visit: DeskVisit) -> web.Response:
    """Stop working for a server that the operator need not be in."""
    guild_id = GuildId(visit.number("known"))
    async with visit.store.read() as tx:
        guild = await tx.guilds.get(guild_id)
    if guild is None:
        raise Gone("page")
    return await _disconnected(visit, await servers.remove(visit.services, guild_id, f"staff:{visit.sign_in.user_id}"))


async def _disconnected(visit: DeskVisit, guild: Guild) -> web.Response:
    said = visit.words.say(
        "“{server}” is disconnected. Everybody there keeps what they have; nothing more is done there.",
        server=guild.name,
    )
    return await visit.go("/admin", say=said)


_STOPPED: Mapping[str, tuple[str, str]] = {
    "denied": (
        translatable("You pressed Cancel at Discord"),
        translatable("No server was added, and nothing was changed."),
    ),
    "discord_down": (
        translatable("Discord is not answering"),
        translatable("If you added the bot, it is in your server already. Please try again in a minute."),
    ),
    "not_set_up": (
        translatable("Discord does not accept this Doorlist"),
        translatable("Its application's secret is not accepted. Whoever runs this Doorlist has to look at it."),
    ),
    "somebody_else": (
        translatable("You signed in as somebody else"),
        translatable("Discord named another account than the one that is signed in here. Nothing was changed here."),
    ),
    "no_server": (
        translatable("Discord did not say which server"),
        translatable("Nothing was changed here. Please add the bot once more, and choose a server."),
    ),
}
_REFUSED = (
    translatable("That did not work"),
    translatable("Discord sent you back without a server. Please try again."),
)


def _stopped(request: web.Request, why: str, back: str) -> web.Response:
    """Say why no server was added, with the way back."""
    title, text = _STOPPED.get(why, _REFUSED)
    context: dict[str, object] = {"title": title, "text": text, "back": back}
    return page(request, "admin/server_stopped.html", context)
