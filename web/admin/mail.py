"""The mails of a server: what there are, how each looks, a server's own words in it, and a sample to read at home."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from aiohttp import web

from locales.catalogue import language_name, locales, translatable, words_for
from membership import mail_desk
from membership.browsing import MailText
from membership.errors import Gone, UserError
from web.mail_words import TEMPLATES, MailWords
from web.site import Site
from web.visits import StaffVisit

PREVIEW_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "sandbox",
    )
)
"""A mail brings its own styles and nothing else: no script, no picture, no form, and no way to our pages' cookies."""

ABOUT: Mapping[str, tuple[str, str]] = {
    "connect": (translatable("Connect"), translatable("Paid, and no Discord account yet")),
    "connect_reminder": (translatable("Reminder"), translatable("Still not connected: after 1 hour, 1, 3 and 7 days")),
    "delivered": (translatable("Delivered"), translatable("The role is there; not when it was bought from Discord")),
    "failed": (translatable("Not delivered"), translatable("The role could not be given for ten minutes")),
    "signin": (translatable("Sign in"), translatable("Somebody signs in to the portal with this address")),
    "past_due": (translatable("Payment failed"), translatable("A payment failed, and access stays for some days")),
    "grace_last_day": (translatable("Last day"), translatable("A day before access ends after a failed payment")),
    "trial_ending": (translatable("Trial ends"), translatable("Three days before a trial turns into a payment")),
    "cancelled": (translatable("Cancelled"), translatable("Cancelled, and still running until the end")),
    "ended": (translatable("Ended"), translatable("The role was taken back")),
    "refunded": (translatable("Refunded"), translatable("Money went back")),
    "moved": (translatable("Moved"), translatable("Moved to another Discord account")),
    "link_again": (translatable("New link"), translatable("Somebody asked for a new link")),
    "billing": (translatable("Billing"), translatable("Somebody asked in Discord for the way to billing")),
    "staff_alert": (
        translatable("Alert"),
        translatable("To you: removals are held, or something else needs you"),
    ),
    "test": (translatable("Test"), translatable("To you: when you ask for it")),
}


def install(site: Site) -> None:
    """Register the pages."""
    site.manager.get("/admin/{guild}/mail", show_all)
    site.manager.get("/admin/{guild}/mail/{template}", show)
    site.manager.post("/admin/{guild}/mail/{template}", save)
    site.manager.post("/admin/{guild}/mail/{template}/sample", send_sample)
    site.manager.get("/admin/{guild}/mail/{template}/look", look)


async def show_all(visit: StaffVisit) -> web.Response:
    """List the mails, and say whether mail works."""
    own = await mail_desk.own_words(visit.services, visit.actor)
    return visit.page(
        "admin/mails.html",
        about=ABOUT,
        own={template for template, _ in own},
        is_configured=visit.services.mailer.is_configured,
        reader=await mail_desk.reader(visit.services, visit.actor),
    )


async def show(visit: StaffVisit) -> web.Response:
    """Show one mail: how to look at it, and a server's own words in it."""
    template, language = _template(visit), _language(visit, visit.query("language"))
    own = await mail_desk.own_words(visit.services, visit.actor)
    known = own.get((template, language))
    return await _page(visit, known or MailText(guild_id=visit.guild.id, template=template, language=language))


async def save(visit: StaffVisit) -> web.Response:
    """Set a server's own words in one mail and language."""
    form = await visit.form()
    text = MailText(
        guild_id=visit.guild.id,
        template=_template(visit),
        language=_language(visit, form.text("language")),
        subject=form.text("subject"),
        intro=form.text("intro"),
    )
    try:
        change_id = await mail_desk.change(visit.services, visit.actor, text)
    except UserError as refusal:
        field = "subject" if len(text.subject) > mail_desk.LONGEST_SUBJECT else "intro"
        return await _page(visit, text, {field: visit.why(refusal)})
    here = visit.here(f"/mail/{text.template}?language={text.language}")
    return await visit.go(f"{here}&changed={change_id or ''}", say=visit.words.say("Saved."))


async def send_sample(visit: StaffVisit) -> web.Response:
    """Send a made-up mail to who reads the alerts of this server."""
    template, language = _template(visit), _language(visit, (await visit.form()).text("language"))
    address = await mail_desk.send_sample(visit.services, visit.actor, template, language)
    said = visit.words.say("A sample is on its way to {address}.", address=address)
    back = visit.here("/mail") if template == "test" else visit.here(f"/mail/{template}?language={language}")
    return await visit.go(back, say=said)


async def look(visit: StaffVisit) -> web.Response:
    """Show a made-up mail as its reader sees it: light, dark or as plain text."""
    template, part = _template(visit), visit.query("part")
    sample = await mail_desk.sample(visit.services, visit.actor, template)
    wanted = {"languages": [_language(visit, visit.query("language"))], "scheme": "dark" if part == "dark" else "light"}
    mail = _mails(visit.parts.claim_command).render(template, {**sample, **wanted})
    is_text = part == "text"
    body = f"Subject: {mail.subject}\n\n{mail.text}" if is_text else mail.html
    kind = "text/plain" if is_text else "text/html"
    headers = {"Content-Security-Policy": PREVIEW_POLICY}
    return web.Response(text=body, content_type=kind, charset="utf-8", headers=headers)


async def _page(visit: StaffVisit, text: MailText, errors: Mapping[str, str] | None = None) -> web.Response:
    sample = await mail_desk.sample(visit.services, visit.actor, text.template)
    wanted = {"languages": [text.language], "own_words": {}}
    ours = _mails(visit.parts.claim_command).render(text.template, {**sample, **wanted})
    change_id = visit.query("changed")
    return visit.page(
        "admin/mail.html",
        status=422 if errors else 200,
        errors=errors or {},
        template=text.template,
        about=ABOUT[text.template],
        text=text,
        our_subject=ours.subject,
        is_changeable=text.template in mail_desk.CHANGEABLE,
        languages_here=[(name, language_name(name)) for name in sorted(locales())],
        longest=(mail_desk.LONGEST_SUBJECT, mail_desk.LONGEST_INTRO),
        reader=await mail_desk.reader(visit.services, visit.actor),
        is_configured=visit.services.mailer.is_configured,
        change_id=change_id if change_id.isdecimal() else "",
    )


def _template(visit: StaffVisit) -> str:
    name = visit.path("template")
    if name not in TEMPLATES:
        raise Gone("mail")
    return name


def _language(visit: StaffVisit, wanted: str) -> str:
    return wanted if wanted in locales() else words_for(visit.guild.language).locale


@cache
def _mails(claim_command: str) -> MailWords:
    """Load the letters once."""
    return MailWords(claim_command)
