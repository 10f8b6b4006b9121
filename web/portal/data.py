"""The customer's own data and browsers: take it along, have it erased, and end sign-ins."""

from __future__ import annotations

import json

from aiohttp import hdrs, web

from membership import portal_privacy, sign_ins
from membership.browsing import Person
from membership.errors import UserError
from web.site import CUSTOMER_DOOR, Site
from web.visits import CustomerVisit, forget_sign_in

PRIVACY = "/portal/privacy"
SESSIONS = "/portal/sessions"


def install(site: Site) -> None:
    """Register the pages."""
    site.customer.get(PRIVACY, show_privacy)
    site.customer.post(f"{PRIVACY}/export", export)
    site.customer.get(f"{PRIVACY}/erase", show_erase)
    site.customer.post(f"{PRIVACY}/erase", erase)
    site.customer.get(SESSIONS, show_sessions)
    site.customer.post(f"{SESSIONS}/others", end_others)
    site.customer.post(f"{SESSIONS}/{{sign_in}}/end", end)


async def show_privacy(visit: CustomerVisit) -> web.Response:
    """Say what is held, and offer both."""
    return visit.page("portal/privacy.html", outlook=await portal_privacy.outlook(visit.services, visit.sign_in))


async def export(visit: CustomerVisit) -> web.Response:
    """Hand everything out as one JSON file."""
    held = await portal_privacy.export(visit.services, visit.sign_in)
    text = json.dumps(held, ensure_ascii=False, indent=2)
    headers = {hdrs.CONTENT_DISPOSITION: 'attachment; filename="my-data.json"'}
    return web.Response(text=text, content_type="application/json", headers=headers)


async def show_erase(visit: CustomerVisit) -> web.Response:
    """Say what goes and what stays, before the last click."""
    return await _erase_page(visit)


async def erase(visit: CustomerVisit) -> web.Response:
    """Forget the visitor, and sign every browser of theirs out."""
    if not (await visit.form()).is_on("sure"):
        return await _erase_page(visit, flaw=visit.words.say("Tick the box if you are sure."))
    try:
        await portal_privacy.erase(visit.services, visit.sign_in)
    except UserError as refusal:
        return await _erase_page(visit, flaw=visit.why(refusal))
    await sign_ins.end_others(visit.services, visit.sign_in)
    await _end_mine(visit)
    text = visit.words.say("Your data is erased, and you are signed out.")
    response = await visit.go(CUSTOMER_DOOR, say=text)
    forget_sign_in(response, visit.parts, Person.CUSTOMER)
    return response


async def show_sessions(visit: CustomerVisit) -> web.Response:
    """Show where the visitor is signed in."""
    found = await sign_ins.listed(visit.services, visit.sign_in)
    return visit.page("portal/sessions.html", found=found, mine=visit.sign_in)


async def end(visit: CustomerVisit) -> web.Response:
    """Sign one browser out; ending one's own is signing out."""
    number = visit.number("sign_in")
    await sign_ins.end(visit.services, visit.sign_in, number)
    if number != visit.sign_in.id:
        return await visit.go(SESSIONS, say=visit.words.say("That browser is signed out."))
    response = await visit.go(CUSTOMER_DOOR, say=visit.words.say("You are signed out."))
    forget_sign_in(response, visit.parts, Person.CUSTOMER)
    return response


async def end_others(visit: CustomerVisit) -> web.Response:
    """Sign every other browser out."""
    number = await sign_ins.end_others(visit.services, visit.sign_in)
    words = visit.words
    if not number:
        return await visit.go(SESSIONS, say=words.say("There was no other browser."), tone="info")
    text = words.count("{number} browser is signed out.", "{number} browsers are signed out.", number)
    return await visit.go(SESSIONS, say=text)


async def _erase_page(visit: CustomerVisit, *, flaw: str = "") -> web.Response:
    outlook = await portal_privacy.outlook(visit.services, visit.sign_in)
    errors = {"sure": flaw} if flaw else {}
    return visit.page("portal/erase.html", status=422 if flaw else 200, outlook=outlook, errors=errors)


async def _end_mine(visit: CustomerVisit) -> None:
    """End this browser's sign-in, which erasing may have done already."""
    async with visit.store.write() as tx:
        await tx.sign_ins.end(visit.sign_in.digest)
