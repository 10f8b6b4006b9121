"""The customer's bills, the way to the provider's own page of them, and ending a subscription on a page of ours."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from locales.catalogue import translatable
from membership import cancelling, portal, portal_billing
from membership.errors import Gone, UserError
from membership.model import CustomerId, GrantId, OnEnd
from membership.portal import Card
from membership.ports import InvoiceState
from web.naming import named_after
from web.portal.card_words import can_cancel, can_resume, price_words
from web.portal.home import HOME, leave, speaker_of
from web.site import Site
from web.visits import CustomerVisit

PLACE = "/portal/billing"


def install(site: Site) -> None:
    """Register the pages."""
    site.customer.get(PLACE, show)
    site.customer.post(f"{PLACE}/{{customer}}", leave_for_provider)
    site.customer.get("/portal/cancel/{grant}", show_cancel)
    site.customer.post("/portal/cancel/{grant}", cancel)
    site.customer.post("/portal/cancel/{grant}/resume", resume)


async def show(visit: CustomerVisit) -> web.Response:
    """Show the bills of everything that the visitor pays."""
    accounts = await portal_billing.read(visit.services, visit.sign_in)
    found = await portal.read(visit.services, visit.sign_in)
    speaker = speaker_of(visit)
    running = [(card, price_words(speaker, card)) for card in found.cards if card.is_mine and can_cancel(card.shown)]
    plans: dict[CustomerId, list[str]] = {}
    for card in found.cards:
        plans.setdefault(card.reached.customer.id, []).append(card.shown.plan.name)
    is_holder = any(not card.is_mine and card.shown.is_paid for card in found.cards)
    return visit.page(
        "portal/billing.html",
        accounts=accounts,
        plans=plans,
        running=running,
        is_holder=is_holder,
        states={state.value: visit.words.say(text) for state, text in _STATES.items()},
    )


async def leave_for_provider(visit: CustomerVisit) -> web.Response:
    """Send the payer to the provider's page."""
    customer_id = CustomerId(visit.number("customer"))
    return leave(visit, await portal_billing.open_account(visit.services, visit.sign_in, customer_id))


async def show_cancel(visit: CustomerVisit) -> web.Response:
    """Say what cancelling comes to and when, with both ways on from here."""
    return await _cancel_page(visit, await _own_card(visit))


async def cancel(visit: CustomerVisit) -> web.Response:
    """Let it end with what is paid."""
    card, form = await _own_card(visit), await visit.form()
    try:
        ended = await cancelling.cancel(visit.services, visit.sign_in, card.grant_id, form.text("reason"))
    except UserError as refusal:
        return await _cancel_page(visit, card, flaw=visit.why(refusal))
    words = visit.words
    if ended.ends_at is None:
        return await visit.go(HOME, say=words.say("Cancelled."))
    day = visit.words.day(ended.ends_at, visit.zone)
    return await visit.go(HOME, say=words.say("Cancelled. {plan} ends on {day}.", plan=card.shown.plan.name, day=day))


async def resume(visit: CustomerVisit) -> web.Response:
    """Take a cancellation back."""
    card = await _own_card(visit)
    try:
        await cancelling.resume(visit.services, visit.sign_in, card.grant_id)
    except UserError as refusal:
        return await _cancel_page(visit, card, flaw=visit.why(refusal))
    return await visit.go(HOME, say=visit.words.say("{plan} goes on.", plan=card.shown.plan.name))


async def _own_card(visit: CustomerVisit) -> Card:
    """Return the membership that is to end or go on, for its payer alone. Raises Gone."""
    card = await portal.card(visit.services, visit.sign_in, GrantId(visit.number("grant")))
    if not card.is_mine or not card.shown.is_paid:
        raise Gone("grant")
    return card


async def _cancel_page(visit: CustomerVisit, card: Card, *, flaw: str = "") -> web.Response:
    here = await named_after(visit, {card.guild.id})
    plan = card.shown.plan
    return here.page(
        "portal/cancel.html",
        status=422 if flaw else 200,
        card=card,
        price=price_words(speaker_of(visit), card),
        roles=[role.name for role in card.roles],
        can_cancel=can_cancel(card.shown),
        can_resume=can_resume(card.shown),
        consequence=visit.words.say(_CONSEQUENCES[plan.on_end]),
        longest_reason=cancelling.LONGEST_REASON,
        errors={"reason": flaw} if flaw else {},
    )


_CONSEQUENCES: Mapping[OnEnd, str] = {
    OnEnd.NOTHING: translatable("Then nothing more is charged. You keep your roles."),
    OnEnd.REMOVE_ROLES: translatable("Then nothing more is charged, and these roles go."),
    OnEnd.REMOVE_ALL_ROLES: translatable("Then nothing more is charged, and all your roles in the server go."),
    OnEnd.KICK: translatable("Then nothing more is charged, and you leave the server a day later."),
}
_STATES: Mapping[InvoiceState, str] = {
    InvoiceState.OPEN: translatable("To be paid"),
    InvoiceState.PAID: translatable("Paid"),
    InvoiceState.VOID: translatable("Void"),
    InvoiceState.UNCOLLECTIBLE: translatable("Not paid"),
    InvoiceState.UNKNOWN: translatable("Unknown"),
}
