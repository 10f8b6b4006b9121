"""Takes back one change of a server, wherever a page offers it. The list of all changes is another page."""

from __future__ import annotations

from aiohttp import web

from membership import undo
from membership.errors import Gone, UserError
from membership.model import ChangeId
from web.admin.entry_lines import names_of
from web.admin.mentions import people_in, without_mentions
from web.site import Site
from web.visits import StaffVisit, own_path


def install(site: Site) -> None:
    """Register the button. Who may take back what is membership.undo's to say: support staff their own acts."""
    site.staff.post("/admin/{guild}/undo/{change}", take_back)


async def take_back(visit: StaffVisit) -> web.Response:
    """Undo a change of this server, and go back to the page that offered it."""
    change_id = ChangeId(visit.number("change"))
    async with visit.store.read() as tx:
        known = await tx.changes.get(change_id, visit.guild.id)
    if known is None:
        raise Gone("change")
    wanted = own_path((await visit.form()).text("back"))
    back = wanted if wanted.startswith(visit.here("/")) else visit.here("/audit")
    try:
        done = await undo.undo(visit.services, visit.actor, change_id)
    except UserError as refusal:
        return await visit.go(back, say=visit.why(refusal), tone="warn")
    summary = done.change.summary
    async with visit.store.read() as tx:
        names = await names_of(tx, visit.guild.id, people_in(summary))
    summary = without_mentions(summary, names, visit.services.discord, visit.guild.id)
    said = visit.words.say("Taken back: {change}", change=summary)
    if done.may_be_outside:
        said = f"{said} {visit.words.say('Whoever was kicked stays outside.')}"
    return await visit.go(back, say=said)
