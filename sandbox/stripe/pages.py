"""The pages a buyer sees in a browser: checkout, an open invoice, the customer portal. The HTML is in `markup`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.stripe import markup
from sandbox.stripe.cards import Card
from sandbox.stripe.control import Control
from sandbox.stripe.deliveries import Deliveries
from sandbox.stripe.errors import Refusal
from sandbox.stripe.settings import Autofill
from sandbox.stripe.shapes import Object
from sandbox.stripe.subscriptions import ENDED
from sandbox.stripe.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Stripe waits this long for the answer to checkout.session.completed before it sends the buyer on.
_WAIT_FOR_SHOP_SECONDS = 10.0


class Pages:
    """Handlers of the hosted pages."""

    def __init__(self, world: World, control: Control, deliveries: Deliveries) -> None:
        """Show `world` and press the buttons of `control`."""
        self._world = world
        self._control = control
        self._deliveries = deliveries

    def add_to(self, app: web.Application) -> None:
        """Register the pages."""
        app.router.add_get("/checkout/{id}", _guarded(self._show_checkout))
        app.router.add_post("/checkout/{id}", _guarded(self._pay))
        app.router.add_get("/portal/{id}", _guarded(self._show_portal))
        app.router.add_post("/portal/{id}", _guarded(self._use_portal))
        app.router.add_get("/invoice/{id}", _guarded(self._show_invoice))
        app.router.add_post("/invoice/{id}", _guarded(self._pay_invoice))
        app.router.add_get("/done", _guarded(self._show_done))

    async def _show_checkout(self, request: web.Request) -> web.StreamResponse:
        session = self._world.get("checkout.session", request.match_info["id"])
        return _page(self._checkout_page(session))

    async def _pay(self, request: web.Request) -> web.StreamResponse:
        session = self._world.get("checkout.session", request.match_info["id"])
        form = await request.post()
        choice = str(form.get("pay_with", ""))
        if choice == "cancel":
            raise web.HTTPSeeOther(session["cancel_url"] or f"{self._world.base_url}/done")
        email = str(form.get("email", "")).strip() or self._known_email(session)
        if not email or choice not in set(Card):
            return _page(self._checkout_page(session, "Enter the e-mail address for your receipt."), status=400)
        try:
            self._control.pay(session["id"], email, card=Card(choice), name=str(form.get("name", "")).strip() or None)
        except Refusal as refusal:
            return _page(self._checkout_page(session, str(refusal)), status=refusal.status)
        await self._wait_for_shop()
        raise web.HTTPSeeOther(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))

    async def _wait_for_shop(self) -> None:
        try:
            async with asyncio.timeout(_WAIT_FOR_SHOP_SECONDS):
                await self._deliveries.deliver_pending()
        except TimeoutError:
            return

    async def _show_portal(self, request: web.Request) -> web.StreamResponse:
        session = self._world.get("billing_portal.session", request.match_info["id"])
        return _page(self._portal_page(session))

    async def _use_portal(self, request: web.Request) -> web.StreamResponse:
        session = self._world.get("billing_portal.session", request.match_info["id"])
        form = await request.post()
        subscription = self._world.get("subscription", str(form.get("subscription", "")))
        if subscription["customer"] != session["customer"]:
            raise web.HTTPForbidden
        self._press(str(form.get("action", "")), subscription["id"], str(form.get("price", "")))
        raise web.HTTPSeeOther(_after_task(session) or f"{self._world.base_url}/portal/{session['id']}")

    def _press(self, action: str, subscription_id: str, price_id: str) -> None:
        control = self._control
        buttons: dict[str, Callable[[str], Object]] = {
            "cancel_now": control.cancel_now,
            "cancel_at_period_end": control.cancel_at_period_end,
            "undo": control.undo_cancel,
            "update_card": control.recover_payment,
        }
        if action == "switch":
            control.change_price(subscription_id, price_id)
        elif action in buttons:
            buttons[action](subscription_id)
        else:
            raise web.HTTPBadRequest

    async def _show_invoice(self, request: web.Request) -> web.StreamResponse:
        invoice = self._world.get("invoice", request.match_info["id"])
        return _page(markup.invoice_page(invoice))

    async def _pay_invoice(self, request: web.Request) -> web.StreamResponse:
        invoice = self._world.get("invoice", request.match_info["id"])
        details = (invoice["parent"] or {}).get("subscription_details")
        if not details or invoice["status"] != "open":
            raise web.HTTPBadRequest
        self._control.recover_payment(details["subscription"])
        raise web.HTTPSeeOther(f"{self._world.base_url}/invoice/{invoice['id']}")

    async def _show_done(self, request: web.Request) -> web.StreamResponse:
        return _page(markup.message_page("Thank you", "You can close this page."))

    def _checkout_page(self, session: Object, problem: str = "") -> str:
        lines = self._world.secrets_of(session["id"])["lines"]
        autofill = self._world.settings.autofill
        email = self._known_email(session) or autofill.email
        return markup.checkout_page(session, lines, buyer=Autofill(email=email, name=autofill.name), problem=problem)

    def _known_email(self, session: Object) -> str:
        customer = self._world.find("customer", session["customer"])
        known = session["customer_email"] or (customer or {}).get("email")
        return str(known or "")

    def _portal_page(self, session: Object) -> str:
        world = self._world
        owned = [row for row in world.rows("subscription") if row["customer"] == session["customer"]]
        prices = [row for row in world.rows("price") if row["recurring"] and row["active"]]
        names = {row["id"]: row["name"] for row in world.rows("product")}
        live = [row for row in owned if row["status"] not in ENDED]
        if session["flow"]:
            return markup.task_page(session, live, names=names)
        return markup.portal_page(session, live or owned[-1:], prices=prices, names=names)


def _after_task(session: Object) -> str:
    """Return where a session that leads to one task sends the customer once it is done, "" for its own page."""
    redirect = session["flow"]["after_completion"]["redirect"] if session["flow"] else None
    return str(redirect["return_url"]) if redirect else ""


def _page(html: str, *, status: int = 200) -> web.Response:
    headers = {
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action *; "
        "base-uri 'none'"
    }
    headers["Cache-Control"] = "no-store"
    return web.Response(text=html, status=status, content_type="text/html", headers=headers)


def _guarded(handler: Handler) -> Handler:
    """Turn a refusal into a page that says so."""

    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return _page(markup.message_page("That did not work", str(refusal)), status=refusal.status)

    return serve
