"""One purchase for staff: who paid what, what it gives, and the panel with how far the invitation has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from locales.catalogue import Words, translatable
from membership import orders
from membership.actors import Actor
from membership.listing_ledgers import SentMail
from membership.model import PurchaseId
from membership.orders import Invitation, Order
from membership.records import StoredCode
from web.admin.entry_lines import EntryLine
from web.admin.grant_words import (
    StateLook,
    look_of,
    next_words,
    price_words,
    proof_words,
    source_words,
    status_words,
    totals,
)
from web.admin.member import payment_line, story_lines
from web.admin.provider_links import dashboard_url
from web.site import Site
from web.visits import StaffVisit

KEPT_OF_REFERENCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A mail or a code, with where it stands."""

    title: str
    at: datetime
    look: StateLook


def install(site: Site) -> None:
    """Register the page."""
    site.staff.get("/admin/{guild}/orders/{order}", show_order)


async def show_order(visit: StaffVisit) -> web.Response:
    """Show one purchase. Raises Gone for one that gives nothing in this server."""
    order = await orders.look(visit.services, visit.actor, PurchaseId(visit.number("order")))
    words, zone = visit.words, visit.zone
    return visit.page(
        "admin/order.html",
        order=order,
        base=visit.here(f"/orders/{order.purchase.id}"),
        title=_title(words, order),
        name=order.customer.name or order.email or words.say("Somebody without a name"),
        purchase_status=status_words(words, order.purchase.status),
        source=source_words(words, order.account, order.purchase.external_id),
        reference=reference(order.purchase.external_id, visit.actor),
        customer_reference=reference(order.customer.external_id, visit.actor),
        purchase_url=dashboard_url(order.account, order.purchase.external_id),
        customer_url=dashboard_url(order.account, order.customer.external_id),
        items=[(order.products.get(item.product_id, item.product_id), item.quantity) for item in order.purchase.items],
        paid=totals(words, order.paid),
        price=price_words(words, order.grants[0]) if order.grants else "",
        grants=[(grant, look_of(words, grant, zone), next_words(words, grant, zone)) for grant in order.grants],
        invitation=invitation_look(words, order.invitation),
        proof="" if order.link is None else proof_words(words, order.link.proof),
        mails=[_mail(words, mail) for mail in order.mails],
        codes=[_code(words, code, order, visit.parts.clock.now()) for code in order.codes],
        lines=await _lines(visit, order),
    )


def invitation_look(words: Words, invitation: Invitation) -> StateLook:
    """Say how far a buyer has come."""
    tone, sign, text = _INVITATIONS[invitation]
    return StateLook(tone=tone, sign=sign, text=words.say(text))


def reference(external_id: str, actor: Actor) -> str:
    """Show a provider's id whole to whoever may see data, and "sub_…f3a9" to everybody else."""
    if actor.can_data or len(external_id) <= 2 * KEPT_OF_REFERENCE:
        return external_id
    kind, separator, _ = external_id.partition("_")
    return (
        f"{kind}{separator}…{external_id[-KEPT_OF_REFERENCE:]}" if separator else f"…{external_id[-KEPT_OF_REFERENCE:]}"
    )


def _title(words: Words, order: Order) -> str:
    plans = ", ".join(dict.fromkeys(grant.plan.name for grant in order.grants))
    return words.say("{plans} · purchase {number}", plans=plans, number=order.purchase.id)


async def _lines(visit: StaffVisit, order: Order) -> Sequence[EntryLine]:
    names = {} if order.link is None or not order.discord_name else {int(order.link.user_id): order.discord_name}
    lines = await story_lines(visit, order.entries, names)
    lines += [payment_line(visit, payment) for payment in order.payments]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _mail(words: Words, mail: SentMail) -> Happened:
    tone, sign, text = _MAIL_STATES.get(mail.state, ("off", "○", mail.state))
    title = words.say(MAIL_TITLES[mail.template]) if mail.template in MAIL_TITLES else mail.template
    look = StateLook(tone=tone, sign=sign, text=words.say(text))
    return Happened(title=title, at=mail.settled_at or mail.created_at, look=look)


def _code(words: Words, code: StoredCode, order: Order, now: datetime) -> Happened:
    title = words.say("Activation code")
    if code.used_at is not None:
        return Happened(title=title, at=code.used_at, look=StateLook(tone="ok", sign="✓", text=words.say("used")))
    if code.expires_at <= now:
        return Happened(
            title=title, at=code.expires_at, look=StateLook(tone="off", sign="–", text=words.say("expired"))
        )
    if order.link is not None or order.is_over:
        # A claim moves nothing away from whoever is connected, and gives nothing that has ended.
        look = StateLook(tone="off", sign="–", text=words.say("not needed any more"))
        return Happened(title=title, at=code.expires_at, look=look)
    look = StateLook(tone="info", sign="○", text=words.say("open until then"))
    return Happened(title=title, at=code.expires_at, look=look)


_INVITATIONS: Mapping[Invitation, tuple[str, str, str]] = {
    Invitation.NOT_INVITED: ("warn", "!", translatable("Not invited")),
    Invitation.IN_PROGRESS: ("info", "○", translatable("Invitation in progress")),
    Invitation.CONNECTED: ("ok", "✓", translatable("Connected")),
    Invitation.DISCONNECTED: ("warn", "!", translatable("Disconnected")),
    Invitation.OVER: ("off", "–", translatable("Ended")),
}
_MAIL_STATES: Mapping[str, tuple[str, str, str]] = {
    "waiting": ("info", "○", translatable("on its way")),
    "sent": ("ok", "✓", translatable("sent")),
    "dropped": ("warn", "!", translatable("not sent")),
    "folded": ("off", "–", translatable("told in another one")),
}
MAIL_TITLES: Mapping[str, str] = {
    "connect": translatable("Invitation"),
    "connect_reminder": translatable("Reminder to connect"),
    "link_again": translatable("New link"),
    "delivered": translatable("Delivered"),
    "past_due": translatable("Payment failed"),
    "failed": translatable("Not delivered"),
    "grace_last_day": translatable("Last day"),
    "trial_ending": translatable("Trial ends"),
    "cancelled": translatable("Cancelled"),
    "ended": translatable("Ended"),
    "refunded": translatable("Refunded"),
    "moved": translatable("Moved"),
}
