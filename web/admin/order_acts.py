"""What staff do about one purchase: send the invitation, read it again, connect it by hand, take it back."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from membership import comps, orders, resending, staff_links
from membership.comps import RevokeWhen
from membership.errors import Gone, UserError
from membership.model import PurchaseId, UserId
from membership.orders import Order
from membership.resending import Sending, Via
from membership.shown import ShownGrant
from web.admin import act_forms
from web.admin.act_forms import ActForm, Field, known_names, reason_field, user_of
from web.admin.grant_words import end_words, look_of, sending_words
from web.site import Site
from web.visits import Form, StaffVisit

PATIENCE = timedelta(seconds=4)


def install(site: Site) -> None:
    """Register the buttons and the forms."""
    base = "/admin/{guild}/orders/{order}"
    site.staff.post(f"{base}/invite", invite)
    site.staff.post(f"{base}/refresh", refresh)
    site.staff.get(f"{base}/connect", show_connect)
    site.staff.post(f"{base}/connect", connect)
    site.staff.get(f"{base}/revoke/{{grant}}", show_revoke)
    site.staff.post(f"{base}/revoke/{{grant}}", revoke)


async def invite(visit: StaffVisit) -> web.Response:
    """Mail the invitation, or a new link, of this purchase."""
    order = await _order(visit)
    try:
        sent = await resending.resend(visit.services, visit.actor, order.customer.id, Via.MAIL, only=order.purchase.id)
    except UserError as refusal:
        return await visit.go(_page(visit), say=visit.why(refusal), tone="warn")
    mail = sent.mail or Sending.NO_ADDRESS
    tone = {Sending.QUEUED: "ok", Sending.QUEUED_BEFORE: "info"}.get(mail, "warn")
    return await visit.go(_page(visit), say=sending_words(visit.words, mail), tone=tone)


async def refresh(visit: StaffVisit) -> web.Response:
    """Ask the payment provider about this purchase now."""
    trouble = await orders.read_again(visit.services, visit.actor, PurchaseId(visit.number("order")))
    if trouble:
        said = visit.words.say(
            "The payment provider could not be asked: {trouble}. Nothing was changed.", trouble=trouble
        )
        return await visit.go(_page(visit), say=said, tone="warn")
    return await visit.go(_page(visit), say=visit.words.say("Read again at the payment provider."))


async def show_connect(visit: StaffVisit) -> web.Response:
    """Ask to which account the purchase belongs."""
    return act_forms.show(visit, await _connect_form(visit))


async def connect(visit: StaffVisit) -> web.Response:
    """Connect the payer to an account."""
    order = await _order(visit)

    async def act(form: Form) -> str:
        user_id, started = UserId(user_of(visit, form)), visit.services.signals.tick()
        tied = await staff_links.link(visit.services, visit.actor, user_id, order.customer.id, form.text("reason"))
        keys = [str(key) for key in tied.keys]
        await visit.services.signals.wait(keys, since=started, patience=PATIENCE)
        return visit.words.say("Connected. The roles follow within seconds.")

    return await act_forms.send(visit, await _connect_form(visit), act, names=await known_names(visit))


async def show_revoke(visit: StaffVisit) -> web.Response:
    """Say what taking it back means."""
    return act_forms.show(visit, await _revoke_form(visit))


async def revoke(visit: StaffVisit) -> web.Response:
    """Take back what the purchase gives in this server."""
    grant = await _grant(visit)

    async def act(form: Form) -> str:
        reason = form.text("reason")
        done = await comps.revoke(visit.services, visit.actor, grant.grant.id, when=RevokeWhen.NOW, reason=reason)
        return visit.words.say("{plan} is taken back.", plan=done.plan.name)

    return await act_forms.send(visit, await _revoke_form(visit), act, names=await known_names(visit))


async def _connect_form(visit: StaffVisit) -> ActForm:
    words, order = visit.words, await _order(visit)
    lines = [words.say("The payer is {who}.", who=order.customer.name or order.email or words.say("not known by name"))]
    if order.link is not None:
        lines.append(words.say("Another account has it now, and loses the roles in the same pass."))
    lines.append(words.say("Do this only when you know who they are. Everything this customer bought here goes along."))
    return ActForm(
        title=words.say("Connect by hand"),
        lines=lines,
        fields=(Field(kind="text", name="user", label=words.say("Discord user ID")), reason_field(visit)),
        button=words.say("Connect"),
        back=_page(visit),
    )


async def _revoke_form(visit: StaffVisit) -> ActForm:
    words, grant = visit.words, await _grant(visit)
    lines = [
        look_of(words, grant, visit.zone).text,
        end_words(words, grant.plan),
        words.say("This cancels nothing at the payment provider."),
    ]
    return ActForm(
        title=words.say("Take {plan} back?", plan=grant.plan.name),
        lines=lines,
        fields=(reason_field(visit),),
        button=words.say("Take {plan} back", plan=grant.plan.name),
        back=_page(visit),
        is_sharp=True,
    )


async def _order(visit: StaffVisit) -> Order:
    return await orders.look(visit.services, visit.actor, PurchaseId(visit.number("order")))


async def _grant(visit: StaffVisit) -> ShownGrant:
    number = visit.number("grant")
    found = next((grant for grant in (await _order(visit)).grants if grant.grant.id == number), None)
    if found is None:
        raise Gone("grant")
    return found


def _page(visit: StaffVisit) -> str:
    return visit.here(f"/orders/{visit.number('order')}")
