"""The API's table of contents: method, path, the SDK's name for its parameters, the permission, and what it does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from sandbox.stripe import (
    actions,
    catalog,
    changes,
    checkout,
    customers,
    disputes,
    endpoints,
    filters,
    invoices,
    payments,
    refunds,
    schedules,
    subscriptions,
)
from sandbox.stripe.actions import Action


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `parameters` is the SDK's class of its parameters, empty where anything goes."""

    method: str
    pattern: str
    parameters: str
    scope: str
    action: Action


def find_route(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """Return the route for a path and the ids in it, or None."""
    for expression, route in _compiled().get((method, path.count("/")), ()):
        match = expression.fullmatch(path)
        if match:
            return route, match.groups()
    return None


def template_of(method: str, path: str) -> str:
    """Return `GET /v1/subscriptions/{id}` for counting requests; the path itself where nothing is there."""
    found = find_route(method, path)
    return f"{method} {found[0].pattern if found else path}"


@cache
def _compiled() -> dict[tuple[str, int], list[tuple[re.Pattern[str], Route]]]:
    table: dict[tuple[str, int], list[tuple[re.Pattern[str], Route]]] = {}
    for route in ROUTES:
        expression = re.compile(re.sub(r"\{\w+\}", "([^/]+)", re.escape(route.pattern).replace(r"\{id\}", "{id}")))
        table.setdefault((route.method, route.pattern.count("/")), []).append((expression, route))
    return table


ROUTES: tuple[Route, ...] = (
    Route("GET", "/v1/account", "", "account", actions.account),
    Route("GET", "/v1/products", "ProductListParams", "products", actions.lists("product", filters.products)),
    Route("POST", "/v1/products", "ProductCreateParams", "products", actions.creates(catalog.create_product)),
    Route("GET", "/v1/products/{id}", "ProductRetrieveParams", "products", actions.reads("product")),
    Route(
        "POST",
        "/v1/products/{id}",
        "ProductUpdateParams",
        "products",
        actions.changes("product", catalog.update_product),
    ),
    Route("DELETE", "/v1/products/{id}", "", "products", actions.acts("product", catalog.delete_product)),
    Route("GET", "/v1/prices", "PriceListParams", "prices", actions.lists("price", filters.prices)),
    Route("POST", "/v1/prices", "PriceCreateParams", "prices", actions.creates(catalog.create_price)),
    Route("GET", "/v1/prices/{id}", "PriceRetrieveParams", "prices", actions.reads("price")),
    Route("POST", "/v1/prices/{id}", "PriceUpdateParams", "prices", actions.changes("price", catalog.update_price)),
    Route("GET", "/v1/customers", "CustomerListParams", "customers", actions.lists("customer", filters.plain("email"))),
    Route("POST", "/v1/customers", "CustomerCreateParams", "customers", actions.creates(customers.create_customer)),
    Route("GET", "/v1/customers/{id}", "CustomerRetrieveParams", "customers", actions.customer),
    Route(
        "POST",
        "/v1/customers/{id}",
        "CustomerUpdateParams",
        "customers",
        actions.changes("customer", customers.update_customer),
    ),
    Route("DELETE", "/v1/customers/{id}", "", "customers", actions.acts("customer", actions.delete_customer)),
    Route("POST", "/v1/payment_methods", "", "payment_methods", actions.creates(customers.create_method)),
    Route("GET", "/v1/payment_methods/{id}", "", "payment_methods", actions.reads("payment_method")),
    Route(
        "POST",
        "/v1/payment_methods/{id}/attach",
        "PaymentMethodAttachParams",
        "payment_methods",
        lambda call: actions.attach(call.world, call),
    ),
    Route(
        "GET",
        "/v1/subscriptions",
        "SubscriptionListParams",
        "subscriptions",
        actions.lists("subscription", filters.subscriptions),
    ),
    Route(
        "POST", "/v1/subscriptions", "SubscriptionCreateParams", "subscriptions", actions.creates(subscriptions.create)
    ),
    Route(
        "GET", "/v1/subscriptions/{id}", "SubscriptionRetrieveParams", "subscriptions", actions.reads("subscription")
    ),
    Route(
        "POST",
        "/v1/subscriptions/{id}",
        "SubscriptionUpdateParams",
        "subscriptions",
        actions.changes("subscription", changes.update),
    ),
    Route(
        "DELETE",
        "/v1/subscriptions/{id}",
        "SubscriptionCancelParams",
        "subscriptions",
        actions.changes("subscription", actions.cancel_subscription),
    ),
    Route(
        "POST",
        "/v1/subscriptions/{id}/pause",
        "SubscriptionPauseParams",
        "subscriptions",
        actions.acts("subscription", subscriptions.pause),
    ),
    Route(
        "POST",
        "/v1/subscriptions/{id}/resume",
        "SubscriptionResumeParams",
        "subscriptions",
        actions.changes("subscription", subscriptions.resume),
    ),
    Route(
        "GET",
        "/v1/checkout/sessions",
        "checkout.SessionListParams",
        "checkout_sessions",
        actions.lists("checkout.session", filters.sessions),
    ),
    Route(
        "POST",
        "/v1/checkout/sessions",
        "checkout.SessionCreateParams",
        "checkout_sessions",
        actions.creates(checkout.create),
    ),
    Route(
        "GET",
        "/v1/checkout/sessions/{id}",
        "checkout.SessionRetrieveParams",
        "checkout_sessions",
        actions.reads("checkout.session"),
    ),
    Route(
        "GET",
        "/v1/checkout/sessions/{id}/line_items",
        "checkout.SessionListLineItemsParams",
        "checkout_sessions",
        actions.session_lines,
    ),
    Route(
        "POST",
        "/v1/checkout/sessions/{id}/expire",
        "checkout.SessionExpireParams",
        "checkout_sessions",
        actions.acts("checkout.session", checkout.expire),
    ),
    Route("GET", "/v1/payment_pages/{id}", "", "checkout_sessions", actions.reads("checkout.session")),
    Route(
        "POST",
        "/v1/payment_pages/{id}/confirm",
        "",
        "checkout_sessions",
        actions.changes("checkout.session", actions.confirm_page),
    ),
    Route(
        "GET",
        "/v1/payment_intents",
        "PaymentIntentListParams",
        "payment_intents",
        actions.lists("payment_intent", filters.plain("customer")),
    ),
    Route(
        "POST",
        "/v1/payment_intents",
        "PaymentIntentCreateParams",
        "payment_intents",
        actions.creates(payments.create_intent),
    ),
    Route(
        "GET",
        "/v1/payment_intents/{id}",
        "PaymentIntentRetrieveParams",
        "payment_intents",
        actions.reads("payment_intent"),
    ),
    Route(
        "POST",
        "/v1/payment_intents/{id}/confirm",
        "PaymentIntentConfirmParams",
        "payment_intents",
        actions.changes("payment_intent", actions.confirm_intent),
    ),
    Route(
        "POST",
        "/v1/payment_intents/{id}/cancel",
        "PaymentIntentCancelParams",
        "payment_intents",
        actions.changes("payment_intent", payments.cancel_intent),
    ),
    Route(
        "GET",
        "/v1/charges",
        "ChargeListParams",
        "charges",
        actions.lists("charge", filters.plain("customer", "payment_intent")),
    ),
    Route("GET", "/v1/charges/{id}", "ChargeRetrieveParams", "charges", actions.reads("charge")),
    Route(
        "GET",
        "/v1/refunds",
        "RefundListParams",
        "refunds",
        actions.lists("refund", filters.plain("charge", "payment_intent")),
    ),
    Route("POST", "/v1/refunds", "RefundCreateParams", "refunds", actions.creates(refunds.create_refund)),
    Route("GET", "/v1/refunds/{id}", "RefundRetrieveParams", "refunds", actions.reads("refund")),
    Route(
        "POST", "/v1/refunds/{id}", "RefundUpdateParams", "refunds", actions.changes("refund", refunds.update_refund)
    ),
    Route(
        "POST",
        "/v1/refunds/{id}/cancel",
        "RefundCancelParams",
        "refunds",
        actions.acts("refund", refunds.cancel_refund),
    ),
    Route(
        "GET",
        "/v1/disputes",
        "DisputeListParams",
        "disputes",
        actions.lists("dispute", filters.plain("charge", "payment_intent")),
    ),
    Route("GET", "/v1/disputes/{id}", "DisputeRetrieveParams", "disputes", actions.reads("dispute")),
    Route(
        "POST",
        "/v1/disputes/{id}",
        "DisputeUpdateParams",
        "disputes",
        actions.changes("dispute", disputes.update_dispute),
    ),
    Route(
        "POST",
        "/v1/disputes/{id}/close",
        "DisputeCloseParams",
        "disputes",
        actions.acts("dispute", disputes.accept_dispute),
    ),
    Route("POST", "/v1/invoiceitems", "InvoiceItemCreateParams", "invoices", actions.creates(invoices.create_item)),
    Route("GET", "/v1/invoices", "InvoiceListParams", "invoices", actions.lists("invoice", filters.invoices)),
    Route("POST", "/v1/invoices", "InvoiceCreateParams", "invoices", actions.creates(invoices.create_invoice)),
    Route("GET", "/v1/invoices/{id}", "InvoiceRetrieveParams", "invoices", actions.reads("invoice")),
    Route(
        "POST",
        "/v1/invoices/{id}/finalize",
        "InvoiceFinalizeInvoiceParams",
        "invoices",
        actions.acts("invoice", invoices.finalize),
    ),
    Route(
        "POST", "/v1/invoices/{id}/pay", "InvoicePayParams", "invoices", actions.changes("invoice", actions.pay_invoice)
    ),
    Route(
        "POST", "/v1/invoices/{id}/void", "InvoiceVoidInvoiceParams", "invoices", actions.acts("invoice", actions.void)
    ),
    Route(
        "POST",
        "/v1/invoices/{id}/mark_uncollectible",
        "InvoiceMarkUncollectibleParams",
        "invoices",
        actions.acts("invoice", actions.mark_uncollectible),
    ),
    Route(
        "GET",
        "/v1/invoice_payments",
        "InvoicePaymentListParams",
        "invoices",
        actions.lists("invoice_payment", filters.invoice_payments),
    ),
    Route(
        "GET", "/v1/invoice_payments/{id}", "InvoicePaymentRetrieveParams", "invoices", actions.reads("invoice_payment")
    ),
    Route(
        "POST",
        "/v1/billing_portal/sessions",
        "billing_portal.SessionCreateParams",
        "customer_portal",
        actions.creates(endpoints.create_portal_session),
    ),
    Route(
        "GET",
        "/v1/billing_portal/configurations",
        "billing_portal.ConfigurationListParams",
        "customer_portal",
        actions.lists("billing_portal.configuration", filters.portal_configurations),
    ),
    Route(
        "GET",
        "/v1/webhook_endpoints",
        "WebhookEndpointListParams",
        "webhook_endpoints",
        actions.lists("webhook_endpoint", filters.endpoints),
    ),
    Route(
        "POST",
        "/v1/webhook_endpoints",
        "WebhookEndpointCreateParams",
        "webhook_endpoints",
        actions.creates(endpoints.create_endpoint),
    ),
    Route(
        "GET",
        "/v1/webhook_endpoints/{id}",
        "WebhookEndpointRetrieveParams",
        "webhook_endpoints",
        actions.reads("webhook_endpoint"),
    ),
    Route(
        "POST",
        "/v1/webhook_endpoints/{id}",
        "WebhookEndpointUpdateParams",
        "webhook_endpoints",
        actions.changes("webhook_endpoint", endpoints.update_endpoint),
    ),
    Route(
        "DELETE",
        "/v1/webhook_endpoints/{id}",
        "",
        "webhook_endpoints",
        actions.acts("webhook_endpoint", endpoints.delete_endpoint),
    ),
    Route("GET", "/v1/events", "EventListParams", "events", actions.lists("event", filters.events)),
    Route("GET", "/v1/events/{id}", "EventRetrieveParams", "events", actions.reads("event")),
    Route(
        "POST",
        "/v1/subscription_schedules",
        "SubscriptionScheduleCreateParams",
        "subscriptions",
        actions.creates(schedules.create),
    ),
    Route("GET", "/v1/subscription_schedules/{id}", "", "subscriptions", actions.reads("subscription_schedule")),
    Route(
        "POST",
        "/v1/subscription_schedules/{id}",
        "SubscriptionScheduleUpdateParams",
        "subscriptions",
        actions.changes("subscription_schedule", schedules.update),
    ),
    Route(
        "POST",
        "/v1/subscription_schedules/{id}/cancel",
        "SubscriptionScheduleCancelParams",
        "subscriptions",
        actions.acts("subscription_schedule", schedules.cancel),
    ),
    Route(
        "POST",
        "/v1/subscription_schedules/{id}/release",
        "SubscriptionScheduleReleaseParams",
        "subscriptions",
        actions.acts("subscription_schedule", schedules.release),
    ),
    Route(
        "POST",
        "/v1/test_helpers/test_clocks",
        "test_helpers.TestClockCreateParams",
        "test_clocks",
        actions.creates(schedules.create_clock),
    ),
    Route(
        "POST",
        "/v1/test_helpers/test_clocks/{id}/advance",
        "test_helpers.TestClockAdvanceParams",
        "test_clocks",
        actions.advance,
    ),
)
