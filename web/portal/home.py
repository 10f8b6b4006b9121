"""The customer's first page: every membership as a card, what happened to one, and what can be done at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from membership import portal, portal_acts, portal_billing, portal_story
from membership.addresses import masked
from membership.browsing import SignIn
from membership.errors import UserError
from membership.model import GrantId
from membership.services import Services
from web.leaving import leave_by
from web.naming import named_after
from web.outcomes import Notice, Step
from web.portal.card_words import Speaker, can_look_again, card_words, needs_a_look
from web.portal.story_words import told_words
from web.site import Site
from web.visits import CustomerVisit

HOME = "/portal"
Mailing = Callable[[Services, SignIn, GrantId], Awaitable[None]]


def install(site: Site) -> None:
    """Register the pages."""
    site.customer.get(HOME, show)
    site.customer.get("/portal/grants/{grant}", show_story)
    site.customer.post("/portal/grants/{grant}/again", try_again)
    site.customer.post("/portal/grants/{grant}/join", make_invite)
    site.customer.post("/portal/grants/{grant}/mail", mail_link)
    site.customer.post("/portal/grants/{grant}/mail-billing", mail_billing)
    site.customer.post("/portal/grants/{grant}/billing", leave_for_billing)


async def show(visit: CustomerVisit) -> web.Response:
    """Show everything that the visitor reaches."""
    found = await portal.read(visit.services, visit.sign_in)
    here = await named_after(visit, {card.guild.id for card in found.cards})
    speaker = speaker_of(visit)
    return here.page(
        "portal/home.html",
        cards=[card_words(speaker, card) for card in found.cards],
        left_out=found.left_out,
        has_more_by_mail=found.has_more_by_mail,
        who=who_of(visit),
    )


async def show_story(visit: CustomerVisit) -> web.Response:
    """Show one membership with what happened to it."""
    card = await portal.card(visit.services, visit.sign_in, _grant(visit))
    told = await portal_story.read(visit.services, visit.sign_in, card.grant_id)
    here = await named_after(visit, {card.guild.id})
    words = card_words(speaker_of(visit), card)
    return here.page(
        "portal/story.html",
        words_of_card=words,
        told=[told_words(visit.words, each) for each in told],
        is_worth_a_look=can_look_again(card) and not needs_a_look(card),
    )


async def try_again(visit: CustomerVisit) -> web.Response:
    """Look at a membership once more and say what came of it."""
    wait_until = await portal_acts.try_again(visit.services, visit.sign_in, _grant(visit))
    if wait_until is not None:
        until = visit.words.distance(wait_until, visit.services.clock.now())
        return await visit.go(HOME, say=visit.words.say("Too many tries. Try again {until}.", until=until), tone="warn")
    card = await portal.card(visit.services, visit.sign_in, _grant(visit))
    if all(role.has for role in card.roles) and card.is_inside:
        return await visit.go(HOME, say=visit.words.say("Looked just now: you have everything."))
    return await visit.go(HOME, say=visit.words.say("Looked just now: not there yet. See below why."), tone="info")


async def make_invite(visit: CustomerVisit) -> web.Response:
    """Make a way into the server; the card shows it."""
    if await portal_acts.way_in(visit.services, visit.sign_in, _grant(visit)):
        return await visit.go(HOME, say=visit.words.say("Your invite is ready: press Join the server."))
    text = visit.words.say("No invite can be made at the moment. Please ask the staff of the server for one.")
    return await visit.go(HOME, say=text, tone="warn")


async def mail_link(visit: CustomerVisit) -> web.Response:
    """Mail the payer the link that connects the purchase."""
    return await _mailed(visit, portal_acts.mail_link)


async def mail_billing(visit: CustomerVisit) -> web.Response:
    """Mail whoever pays the way to billing."""
    return await _mailed(visit, portal_acts.mail_billing)


async def leave_for_billing(visit: CustomerVisit) -> web.Response:
    """Send the payer to the provider, straight to the card where that is asked for."""
    task = (await visit.form()).text("task")
    url = await portal_billing.open_for(visit.services, visit.sign_in, _grant(visit), task)
    return leave(visit, url)


def leave(visit: CustomerVisit, url: str) -> web.Response:
    """Lead to the provider's page."""
    words = visit.words
    text = words.say("Your card, your invoices and cancelling are at our payment provider.")
    return leave_by(
        visit, Notice(title=words.say("Your billing"), text=text), Step(label=words.say("Continue"), url=url)
    )


def speaker_of(visit: CustomerVisit) -> Speaker:
    """Return how things are said to this visitor."""
    return Speaker(
        words=visit.words, zone=visit.zone, now=visit.services.clock.now(), site_url=visit.parts.discord.site_url
    )


def who_of(visit: CustomerVisit) -> str:
    """Return as whom the visitor is signed in: a masked address, or a Discord name."""
    return masked(visit.sign_in.email) or visit.sign_in.name


async def _mailed(visit: CustomerVisit, act: Mailing) -> web.Response:
    try:
        await act(visit.services, visit.sign_in, _grant(visit))
    except UserError as refusal:
        return await visit.go(HOME, say=visit.why(refusal), tone="warn")
    text = visit.words.say("A mail is on its way to the address it was bought with. At most one goes out in an hour.")
    return await visit.go(HOME, say=text)


def _grant(visit: CustomerVisit) -> GrantId:
    return GrantId(visit.number("grant"))
