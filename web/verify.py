"""Finds somebody's purchases by signing in with Discord: the button's ticket, the way to Discord and back, the outcome.

A GET of the ticket changes nothing. Only the account that pressed the button can finish, so nothing is left to confirm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from membership.codes import digest
from membership.model import PurchaseId
from web import browser, outcomes, sign_in
from web.arrival import arrival_page
from web.pages import PARTS, page
from web.parts import ServerAccess, Ticket, VerifyRequest, VerifyResult
from web.sign_in import Attempt, count_failure, redirect

DONE_PATH = "/verify/done"
PURPOSE = "verify"

_KIND = "verified"
_LONGEST_TICKET = 200
Content = Mapping[str, Any]


def install(app: web.Application) -> None:
    """Add the routes; the fixed path comes first, so that no ticket can be called "done"."""
    sign_in.add_flow(app, PURPOSE, come_back)
    app.router.add_get(DONE_PATH, show_outcome)
    app.router.add_get("/verify/{ticket}", show_ticket)
    app.router.add_post("/verify/{ticket}", leave_for_discord)


async def show_ticket(request: web.Request) -> web.Response:
    """Say who should sign in and what will happen. Spends nothing, whoever opens it (threats O08)."""
    ticket = await _ticket(request)
    if ticket is None:
        return page(request, "notice.html", {"notice": outcomes.TICKET_OLD}, status=404)
    return page(request, "verify.html", {"ticket": ticket})


async def leave_for_discord(request: web.Request) -> web.Response:
    """Send the browser to Discord, if the ticket is still good."""
    back = request.rel_url.raw_path
    if await _ticket(request) is None:
        return redirect(back)
    return await sign_in.start(request, PURPOSE, {"ticket": digest(request.match_info["ticket"])}, back)


async def come_back(request: web.Request, attempt: Attempt) -> web.Response:
    """Connect what the right person's verified address bought, and go on at an address without secrets."""
    parts = request.app[PARTS]
    content = await _outcome(request, attempt)
    key = parts.randomness.token()
    await browser.remember(parts, key, _KIND, content, life=browser.COOKIE_LIFE)
    response = redirect(DONE_PATH)
    browser.set_key(response, parts, browser.VERIFY, key)
    return response


async def show_outcome(request: web.Request) -> web.Response:
    """Show how it went, and how far the roles are."""
    parts = request.app[PARTS]
    content = await browser.recall(parts, browser.key_of(request, parts, browser.VERIFY), _KIND)
    if content is None:
        return page(request, "notice.html", {"notice": outcomes.TICKET_OLD}, status=400)
    if content["stopped_by"]:
        notice = outcomes.stopped(content["stopped_by"], text=content["text"], back=content["back"])
        return page(request, "notice.html", {"notice": notice})
    result = VerifyResult(content["result"])
    match result:
        case VerifyResult.CONNECTED:
            return await _show_access(request, content)
        case VerifyResult.OTHER_ACCOUNT:
            notice = outcomes.other_account(content["expected"], content["handle"], content["back"])
        case VerifyResult.TICKET_OLD:
            notice = outcomes.TICKET_OLD
        case _:
            notice = outcomes.not_verified(result, content["masked_email"])
    return page(request, "notice.html", {"notice": notice})


async def _ticket(request: web.Request) -> Ticket | None:
    text = request.match_info["ticket"]
    found = None
    if len(text) <= _LONGEST_TICKET:
        found = await request.app[PARTS].use_cases.ticket(digest(text))
    if found is None:
        await count_failure(request)
    return found


async def _outcome(request: web.Request, attempt: Attempt) -> Content:
    """Let membership decide and return what is kept of it: enough to show how it went, and no token."""
    if attempt.signed_in is None:
        return {"stopped_by": attempt.stopped_by, "text": attempt.text, "back": attempt.back}
    user = attempt.signed_in.user
    wish = VerifyRequest(
        ticket_digest=attempt.content["ticket"],
        user=user,
        access_token=attempt.signed_in.access_token,
        scopes=attempt.signed_in.scopes,
    )
    outcome = await request.app[PARTS].use_cases.verify(wish)
    return {
        "stopped_by": "",
        "result": outcome.result,
        "purchase_ids": list(outcome.purchase_ids),
        "expected": outcome.expected,
        "handle": user.handle,
        "masked_email": outcome.masked_email,
        "back": attempt.back,
    }


async def _show_access(request: web.Request, content: Content) -> web.Response:
    access: tuple[ServerAccess, ...] = ()
    for purchase_id in content["purchase_ids"]:
        access += (await request.app[PARTS].use_cases.progress(PurchaseId(purchase_id))).access
    return arrival_page(request, access, content["handle"])
