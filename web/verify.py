"""Finds somebody's purchases by signing in with Discord: the button's ticket, the way to Discord and back, the outcome.

A GET of the ticket changes nothing. Only the account that pressed the button can finish, so nothing is left to confirm;
whoever came as another account may ask for a ticket of that one's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from yarl import URL

from membership import verifying
from membership.codes import digest
from membership.model import PurchaseId, UserId
from web import browser, outcomes, sign_in
from web.arrival import arrival_page
from web.naming import named_after
from web.pages import PARTS
from web.parts import ServerAccess, Ticket, VerifyRequest, VerifyResult
from web.sign_in import Attempt, count_failure, redirect
from web.site import Site
from web.visits import Visit

DONE_PATH = "/verify/done"
OTHER_PATH = "/verify/use"
PURPOSE = "verify"

_KIND = "verified"
_LONGEST_TICKET = 200
Content = Mapping[str, Any]


def install(site: Site) -> None:
    """Add the routes; the fixed paths come first, so that no ticket can be called "done"."""
    sign_in.add_flow(site.app, PURPOSE, come_back)
    site.public.get(DONE_PATH, show_outcome)
    site.public.post(OTHER_PATH, go_on_as_other)
    site.public.get("/verify/{ticket}", show_ticket)
    site.public.post("/verify/{ticket}", leave_for_discord)


async def show_ticket(visit: Visit) -> web.Response:
    """Say who should sign in and what will happen. Spends nothing, whoever opens it (threats O08)."""
    ticket = await _ticket(visit)
    if ticket is None:
        notice = outcomes.ticket_old(visit.words, status=404)
        return visit.page("notice.html", status=notice.status, notice=notice)
    here = await named_after(visit, ticket.guild_ids)
    return here.page("verify.html", ticket=ticket)


async def leave_for_discord(visit: Visit) -> web.Response:
    """Send the browser to Discord, if the ticket is still good."""
    back = visit.request.rel_url.raw_path
    if await _ticket(visit) is None:
        return redirect(back)
    return await sign_in.start(visit.request, PURPOSE, {"ticket": digest(visit.path("ticket"))}, back)


async def come_back(request: web.Request, attempt: Attempt) -> web.Response:
    """Connect what the right person's verified address bought, and go on at an address without secrets."""
    parts = request.app[PARTS]
    content = await _outcome(request, attempt)
    key = parts.randomness.token()
    await browser.remember(parts, key, _KIND, content, life=browser.COOKIE_LIFE)
    response = redirect(DONE_PATH)
    browser.set_key(response, parts, browser.VERIFY, key)
    return response


async def go_on_as_other(visit: Visit) -> web.Response:
    """Begin again for the account that came in place of the button's: a ticket of its own, under all the same rules.

    The first ticket is neither spent nor lent: it still serves its person alone.
    """
    content = await browser.take(visit.parts, browser.key_of(visit.request, visit.parts, browser.VERIFY), _KIND)
    is_other = content is not None and content.get("result") == VerifyResult.OTHER_ACCOUNT
    before = await verifying.look(visit.services, content["ticket"]) if content is not None and is_other else None
    if content is None or before is None:
        notice = outcomes.ticket_old(visit.words)
        return visit.page("notice.html", status=notice.status, notice=notice)
    user_id = UserId(int(content["user_id"]))
    address = URL(await verifying.issue(visit.services, user_id, content["handle"], before.guild_id))
    return await sign_in.start(visit.request, PURPOSE, {"ticket": digest(address.name)}, address.raw_path)


async def show_outcome(visit: Visit) -> web.Response:
    """Show how it went, and how far the roles are."""
    content = await browser.recall(visit.parts, browser.key_of(visit.request, visit.parts, browser.VERIFY), _KIND)
    if content is not None and content.get("result") == VerifyResult.CONNECTED:
        return await _show_access(visit, content)
    notice = _notice(visit, content)
    return visit.page("notice.html", status=notice.status, notice=notice)


def _notice(visit: Visit, content: Content | None) -> outcomes.Notice:
    if content is None:
        return outcomes.ticket_old(visit.words)
    if content["stopped_by"]:
        return outcomes.stopped(visit.words, content["stopped_by"], text=content["text"], back=content["back"])
    match VerifyResult(content["result"]):
        case VerifyResult.OTHER_ACCOUNT:
            return outcomes.other_account(
                visit.words, content["expected"], content["handle"], back=content["back"], go_on=OTHER_PATH
            )
        case VerifyResult.TICKET_OLD:
            return outcomes.ticket_old(visit.words)
        case VerifyResult.MOVED_TOO_OFTEN:
            return outcomes.moved_too_often(visit.words, browser.kept_moment(content["again_at"]))
        case result:
            return outcomes.not_verified(visit.words, result, content["masked_email"])


async def _ticket(visit: Visit) -> Ticket | None:
    text = visit.path("ticket")
    found = None
    if len(text) <= _LONGEST_TICKET:
        found = await visit.parts.use_cases.ticket(digest(text))
    if found is None:
        await count_failure(visit.request)
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
        "user_id": str(user.user_id),
        "ticket": wish.ticket_digest,
        "masked_email": outcome.masked_email,
        "again_at": outcome.again_at and outcome.again_at.isoformat(),
        "back": attempt.back,
    }


async def _show_access(visit: Visit, content: Content) -> web.Response:
    access: tuple[ServerAccess, ...] = ()
    for purchase_id in content["purchase_ids"]:
        access += (await visit.parts.use_cases.progress(PurchaseId(purchase_id))).access
    return await arrival_page(visit, access, content["handle"])
