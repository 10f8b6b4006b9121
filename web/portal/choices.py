"""What a customer chooses: language and time zone, mails, direct messages."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from locales.catalogue import language_name, locales
from membership import portal_choices
from membership.errors import UserError
from membership.portal_choices import Choices
from web.site import Site
from web.visits import CustomerVisit

PLACE = "/portal/preferences"
COMMON_ZONES = (
    *("UTC", "Europe/London", "Europe/Paris", "Europe/Berlin", "Europe/Rome", "Europe/Madrid", "Europe/Athens"),
    *("Europe/Kyiv", "Europe/Istanbul", "Africa/Lagos", "Africa/Johannesburg", "Asia/Dubai", "Asia/Kolkata"),
    *("Asia/Singapore", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland", "America/Sao_Paulo"),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Mexico_City"),
)
"""What the field suggests; every other zone can be typed."""


def install(site: Site) -> None:
    """Register the page."""
    site.customer.get(PLACE, show)
    site.customer.post(PLACE, save)


async def show(visit: CustomerVisit) -> web.Response:
    """Show what was chosen."""
    return _page(visit, await portal_choices.read(visit.services, visit.sign_in))


async def save(visit: CustomerVisit) -> web.Response:
    """Keep what was chosen, or show the form again with what is wrong."""
    form, now = await visit.form(), await portal_choices.read(visit.services, visit.sign_in)
    language = form.text("language")
    wanted = replace(
        now,
        language=language if language in locales() else "",
        time_zone=form.text("time_zone"),
        reminders=form.is_on("reminders"),
        delivered=form.is_on("delivered"),
        dms=None if now.dms is None else form.is_on("dms"),
    )
    try:
        await portal_choices.save(visit.services, visit.sign_in, wanted)
    except UserError:
        flaw = visit.words.say("There is no such time zone. Write one like Europe/Rome, or leave it empty.")
        return _page(visit, wanted, flaw=flaw)
    return await visit.go(PLACE, say=visit.words.say("Saved."))


def _page(visit: CustomerVisit, choices: Choices, *, flaw: str = "") -> web.Response:
    names = [(name, language_name(name)) for name in sorted(locales())]
    return visit.page(
        "portal/preferences.html",
        status=422 if flaw else 200,
        choices=choices,
        languages_of_mails=[("", visit.words.say("As it comes from the shop and Discord")), *names],
        zones=COMMON_ZONES,
        errors={"time_zone": flaw} if flaw else {},
    )
