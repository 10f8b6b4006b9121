"""The HTML of the hosted pages: self-contained, without script, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from sandbox.stripe.cards import Card
from sandbox.stripe.settings import Autofill
from sandbox.stripe.shapes import Object

_STYLE = """
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--text:#1a1c1f;--muted:#545a63;--line:#d9dde3;--field:#767c86;
--main:#3b46c4;--on-main:#fff;--bad:#b3261e;--soft:#eceef1}
@media(prefers-color-scheme:dark){:root{--bg:#101214;--card:#17191c;--text:#e6e8eb;--muted:#a9b0b9;--line:#2c3036;
--field:#8a919b;--main:#a5aefc;--on-main:#17191c;--bad:#ffb4ab;--soft:#2c3036}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);font:16px/1.5 system-ui,sans-serif}
.note{background:repeating-linear-gradient(45deg,#ffd98a 0 14px,#fff3d6 14px 28px);color:#4a3100;text-align:center;
font-weight:600;padding:.35rem 1rem}
main{max-width:60rem;margin:2rem auto;padding:0 1rem;display:grid;gap:1.5rem}
@media(min-width:48rem){main.two{grid-template-columns:1fr 1fr;margin-top:4rem}}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.75rem}
h1{font-size:1.35rem;margin:0 0 .25rem}h2{font-size:1.05rem;margin:0 0 .75rem}p{margin:.25rem 0 1rem}
.price{font-size:2.4rem;font-weight:700;letter-spacing:-.02em;line-height:1.1;margin:.5rem 0}
.muted{color:var(--muted)}dl{margin:1rem 0 0}dl div{display:flex;justify-content:space-between;gap:1rem;padding:.5rem 0;
border-top:1px solid var(--line)}dt{color:var(--muted)}dd{margin:0;font-weight:600}
label{display:block;font-weight:600;margin:0 0 .25rem}
input,select{width:100%;min-height:44px;font:inherit;color:inherit;background:var(--card);border:1px solid var(--field);
border-radius:8px;padding:.5rem .75rem;margin:0 0 1rem}
button{width:100%;min-height:44px;font:inherit;font-weight:600;border-radius:8px;border:1px solid var(--field);
background:var(--card);color:var(--text);cursor:pointer;margin:0 0 .6rem;padding:.5rem .75rem}
button.main{background:var(--main);border-color:var(--main);color:var(--on-main)}button.bad{color:var(--bad);border-color:
var(--bad)}button.quiet{border-color:transparent;color:var(--muted);margin:0}
:focus-visible{outline:3px solid var(--main);outline-offset:2px}
.problem{border-left:4px solid var(--bad);background:var(--soft);padding:.6rem .9rem;border-radius:6px}
.badge{display:inline-block;background:var(--soft);border-radius:99px;padding:.1rem .7rem;
font-size:.875rem;font-weight:600}
a{color:var(--main)}
"""

_METHODS = (
    (Card.GOOD, "Pay with test card", "main"),
    (Card.FAILS_LATER, "Card that fails later", ""),
    (Card.DEBIT, "Bank debit (pays later)", ""),
)


def checkout_page(session: Object, lines: Sequence[Object], *, buyer: Autofill, problem: str = "") -> str:
    """Return the page on which a buyer pays an open session, or one that says why it cannot be paid."""
    if session["status"] != "open":
        text = "This purchase is complete." if session["status"] == "complete" else "This link has expired."
        return message_page("Nothing to pay here", text)
    buttons = "".join(
        f'<button class="{style}" name="pay_with" value="{card}">{label}</button>' for card, label, style in _METHODS
    )
    alert = f'<p class="problem" role="alert" id="problem">{escape(problem)}</p>' if problem else ""
    described = ' aria-invalid="true" aria-describedby="problem"' if problem else ""
    return _document(
        "Checkout",
        f"""<main class="two"><section aria-label="Your order"><h1>{escape(_title(lines))}</h1>
<p class="price">{money(session["amount_total"], session["currency"])}</p>
<p class="muted">{_rhythm(lines)}</p><dl>{"".join(map(_line, lines))}</dl></section>
<section aria-label="Payment"><h2>Pay</h2>{alert}<form method="post">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="email" required value="{escape(buyer.email)}"{described}>
<label for="name">Name</label><input id="name" name="name" autocomplete="name" value="{escape(buyer.name)}">
{buttons}<button class="quiet" name="pay_with" value="cancel" formnovalidate>Cancel</button></form></section></main>""",
    )


def portal_page(
    session: Object, subscriptions: Sequence[Object], *, prices: Sequence[Object], names: dict[str, str]
) -> str:
    """Return the page on which a customer changes or ends a subscription."""
    cards = "".join(_subscription_card(one, prices, names) for one in subscriptions)
    back = f'<p><a href="{escape(session["return_url"])}">Back</a></p>' if session["return_url"] else ""
    empty = "<section><h2>No subscription</h2><p>There is nothing to manage here.</p></section>"
    return _document("Your subscription", f"<main><h1>Your subscription</h1>{cards or empty}{back}</main>")


def task_page(session: Object, subscriptions: Sequence[Object], *, names: dict[str, str]) -> str:
    """Return the portal's page for the one task that a session leads to: to cancel, or to change the card."""
    cancel = session["flow"]["subscription_cancel"]
    wanted = [one for one in subscriptions if not cancel or one["id"] == cancel["subscription"]]
    title = "Cancel your subscription" if cancel else "Change your card"
    button = (
        '<button class="bad" name="action" value="cancel_at_period_end">Cancel at the end of the period</button>'
        if cancel
        else '<button class="main" name="action" value="update_card">Use a working card</button>'
    )
    cards = "".join(
        f"""<section><h2>{escape(names.get(one["items"]["data"][0]["price"]["product"], ""))}</h2>
<form method="post"><input type="hidden" name="subscription" value="{one["id"]}">{button}</form></section>"""
        for one in wanted
    )
    back = f'<p><a href="{escape(session["return_url"])}">Back</a></p>' if session["return_url"] else ""
    return _document(title, f"<main><h1>{title}</h1>{cards}{back}</main>")


def invoice_page(invoice: Object) -> str:
    """Return the page of one invoice, with a button to pay it while it is open."""
    button = '<form method="post"><button class="main">Pay with test card</button></form>'
    return _document(
        f"Invoice {invoice['number'] or ''}",
        f"""<main><section><h1>Invoice {escape(invoice["number"] or "draft")}</h1>
<p class="price">{money(invoice["amount_due"], invoice["currency"])}</p>
<p><span class="badge">{escape(invoice["status"])}</span></p>
{button if invoice["status"] == "open" and invoice["parent"] else ""}</section></main>""",
    )


def message_page(title: str, text: str) -> str:
    """Return a page that only says something."""
    return _document(title, f"<main><section><h1>{escape(title)}</h1><p>{escape(text)}</p></section></main>")


def money(amount: int, currency: str | None) -> str:
    """Return an amount of minor units for people: `9.00 EUR`."""
    return f"{amount / 100:.2f}&nbsp;{escape((currency or '').upper())}"


def _document(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f'<link rel="icon" href="data:,"><style>{_STYLE}</style></head><body>'
        f'<p class="note" style="margin:0">SANDBOX: no real money moves here</p>{body}</body></html>'
    )


def _title(lines: Sequence[Object]) -> str:
    return " + ".join(str(line["description"]) for line in lines) or "Your order"


def _rhythm(lines: Sequence[Object]) -> str:
    recurring = lines[0]["price"]["recurring"] if lines else None
    return f"per {recurring['interval']}, until you cancel" if recurring else "one payment, no subscription"


def _line(line: Object) -> str:
    name = f"{escape(str(line['description']))} × {line['quantity']}"
    return f"<div><dt>{name}</dt><dd>{money(line['amount_total'], line['currency'])}</dd></div>"


def _subscription_card(subscription: Object, prices: Sequence[Object], names: dict[str, str]) -> str:
    item = subscription["items"]["data"][0]
    price = item["price"]
    end = subscription["cancel_at"]
    when = f"ends on {_day(end)}" if end else f"renews on {_day(item['current_period_end'])}"
    is_over = subscription["status"] == "canceled"
    return f"""<section><h2>{escape(names.get(price["product"], ""))}
<span class="badge">{subscription["status"]}</span></h2>
<p class="price">{money(price["unit_amount"], price["currency"])}</p><p class="muted">{"ended" if is_over else when}</p>
{"" if is_over else _actions(subscription, price, prices, names)}</section>"""


def _actions(subscription: Object, price: Object, prices: Sequence[Object], names: dict[str, str]) -> str:
    others = [one for one in prices if one["id"] != price["id"]]
    options = "".join(
        f'<option value="{one["id"]}">{escape(names.get(one["product"], ""))}, '
        f"{money(one['unit_amount'], one['currency'])} / {one['recurring']['interval']}</option>"
        for one in others
    )
    switch = (
        f'<label for="price-{subscription["id"]}">Switch to</label>'
        f'<select id="price-{subscription["id"]}" name="price">{options}</select>'
        '<button name="action" value="switch">Switch</button>'
        if others
        else ""
    )
    end = (
        '<button name="action" value="undo">Keep my subscription</button>'
        if subscription["cancel_at"]
        else '<button name="action" value="cancel_at_period_end">Cancel at the end of the period</button>'
    )
    return f"""<form method="post"><input type="hidden" name="subscription" value="{subscription["id"]}">
{switch}<button name="action" value="update_card">Use a working card</button>{end}
<button class="bad" name="action" value="cancel_now">Cancel now</button></form>"""


def _day(moment: int) -> str:
    day = datetime.fromtimestamp(moment, UTC)
    return f"<time datetime='{day.isoformat()}'>{day:%d %B %Y}</time>"
