"""The set-up of a server as a checklist: how each step stands, and its one fix. A fresh server shows it first."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from locales.catalogue import translatable
from membership import servers, setting_up
from membership.errors import Blocked, Gone, Retry
from membership.servers import Standing
from membership.setting_up import State, Step
from web.site import Site
from web.visits import StaffVisit

_PERMISSIONS: Mapping[str, str] = {
    "manage_roles": "Manage Roles",
    "create_instant_invite": "Create Invite",
    "view_channel": "View Channels",
    "send_messages": "Send Messages",
    "embed_links": "Embed Links",
    "attach_files": "Attach Files",
    "kick_members": "Kick Members",
}
"""Discord's names of permissions for people, as they stand in its English settings."""
_TITLES: Mapping[Step, str] = {
    Step.BOT: translatable("The bot is in the server"),
    Step.PERMISSIONS: translatable("It has the permissions it needs"),
    Step.PAYMENTS: translatable("Payments are connected"),
    Step.PLAN: translatable("There is a plan to buy"),
    Step.ROLE_ORDER: translatable("It can give the roles of your plans"),
    Step.CHANNELS: translatable("Staff see what happens in a channel"),
    Step.INVITE: translatable("Buyers from outside can be let in"),
}
TONES: Mapping[State, tuple[str, str, str]] = {
    State.DONE: ("ok", "✓", translatable("Done")),
    State.LOOK: ("warn", "!", translatable("Look at this")),
    State.OPEN: ("bad", "○", translatable("To do")),
    State.UNKNOWN: ("off", "?", translatable("Could not be checked")),
}


def install(site: Site) -> None:
    """Register the pages."""
    site.staff.get("/admin/{guild}/setup", show, needs_active=False)
    site.manager.post("/admin/{guild}/setup/enter", enter, needs_active=False)
    site.manager.post("/admin/{guild}/setup/invite", try_invite)


async def show(visit: StaffVisit) -> web.Response:
    """Show how far the server is; before it is let in, that it waits."""
    if not visit.guild.is_active:
        return visit.page("admin/setup_waiting.html", asked=await _is_asked(visit))
    look = await setting_up.look(visit.services, visit.guild.id)
    return visit.page(
        "admin/setup.html",
        look=look,
        steps=[(step, _TITLES[step], *TONES[state]) for step, state in look.states.items()],
        missing=[_PERMISSIONS.get(name, name) for name in look.missing],
    )


async def enter(visit: StaffVisit) -> web.Response:
    """Let the server in, or ask the operators."""
    entrance = await servers.enter(visit.services, visit.actor)
    if entrance.standing is Standing.ASKED:
        return await visit.go(visit.here("/setup"), say=visit.words.say("The people who run this Doorlist were asked."))
    if entrance.unknown_accounts:
        said = visit.words.say(
            "The server is let in. {names} did not answer: let it in again later, so that its products may be sold.",
            names=", ".join(entrance.unknown_accounts),
        )
        return await visit.go(visit.here("/setup"), say=said, tone="warn")
    return await visit.go(visit.here("/setup"), say=visit.words.say("The server is connected."))


async def try_invite(visit: StaffVisit) -> web.Response:
    """Make an invite as a buyer from outside would get it, and say whether that works."""
    back = visit.here("/setup")
    try:
        url = await visit.services.discord.invite(visit.guild.id, visit.guild.invite_channel_id, ())
    except (Blocked, Gone):
        said = visit.words.say(
            "Discord does not let me make an invite. Choose another invite channel in the settings, or set an invite "
            "address of your own there."
        )
        return await visit.go(back, say=said, tone="bad")
    except Retry:
        return await visit.go(back, say=visit.words.say("Discord is not answering. Try again soon."), tone="warn")
    said = visit.words.say("It works: {url} lets one person in. It ends by itself if nobody uses it.", url=url)
    return await visit.go(back, say=said)


async def _is_asked(visit: StaffVisit) -> bool:
    async with visit.store.read() as tx:
        since = visit.services.clock.now() - servers.ASKED_AGAIN_AFTER
        return bool(await tx.audit.recent(1, guild_id=visit.guild.id, events=(servers.ASKED,), since=since))
