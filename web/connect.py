"""Ties a purchase to a Discord account: the mailed link's page, the way to Discord and back, the last yes, the outcome.

A GET never changes anything. The identity stays on the server, sealed, for ten minutes; the token goes with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from aiohttp import web

from membership.codes import digest
from membership.errors import Reason
from membership.model import PurchaseId, UserId
from web import browser, outcomes, sign_in
from web.arrival import arrival_page
from web.pages import PARTS, page
from web.parts import (
    AccessState,
    ConnectOutcome,
    ConnectPreview,
    ConnectRequest,
    ConnectResult,
    DiscordIdentity,
    LinkState,
    Parts,
    ServerAccess,
)
from web.sign_in import Attempt, count_failure, redirect

CONFIRM_PATH = "/connect/confirm"
DONE_PATH = "/connect/done"

PURPOSE = "connect"
_KIND = "connect"
_LONGEST_TOKEN = 200
_OPEN = (LinkState.READY, LinkState.LINKED)
Content = Mapping[str, Any]


def install(app: web.Application) -> None:
    """Add the routes; the fixed paths come first, so that no token can be called "done"."""
    sign_in.add_flow(app, PURPOSE, come_back)
    app.router.add_get(CONFIRM_PATH, show_confirmation)
    app.router.add_post(CONFIRM_PATH, confirm)
    app.router.add_get(DONE_PATH, show_outcome)
    app.router.add_get("/connect/{token}", show_link)
    app.router.add_post("/connect/{token}", leave_for_discord)
    app.router.add_post("/connect/{token}/again", mail_again)


async def show_link(request: web.Request) -> web.Response:
    """Say what the link is for and what will happen. Consumes nothing, whoever opens it (threats O08)."""
    preview = await _preview(request)
    if preview.state not in _OPEN:
        status = 404 if preview.state is LinkState.UNKNOWN else 200
        notice = outcomes.dead_link(preview, again_url=f"{request.rel_url.raw_path}/again")
        return page(request, "notice.html", {"notice": notice}, status=status)
    return page(request, "connect.html", {"preview": preview})


async def leave_for_discord(request: web.Request) -> web.Response:
    """Send the browser to Discord, if the link is still good."""
    preview = await _preview(request)
    if preview.state not in _OPEN or preview.purchase_id is None:
        return redirect(request.rel_url.raw_path)
    return await leave(request, preview.purchase_id, request.rel_url.raw_path)


async def mail_again(request: web.Request) -> web.Response:
    """Mail a new link in place of one that is over; the answer does not tell whether there was something to mail."""
    preview = await _preview(request)
    if preview.state in _OPEN:
        return redirect(request.rel_url.raw_path.removesuffix("/again"))
    if preview.state is LinkState.UNKNOWN:
        raise web.HTTPNotFound
    await request.app[PARTS].use_cases.mail_new_link(digest(request.match_info["token"]))
    return page(request, "notice.html", {"notice": outcomes.MAILED_AGAIN})


async def leave(request: web.Request, purchase_id: int, back: str) -> web.Response:
    """Send the browser to Discord to connect a purchase; `back` is where it was asked for."""
    return await sign_in.start(request, PURPOSE, {"purchase_id": purchase_id}, back)


async def come_back(request: web.Request, attempt: Attempt) -> web.Response:
    """Keep who came back from Discord on our side, and go on at an address without secrets."""
    parts = request.app[PARTS]
    key = parts.randomness.token()  # always a new one: nobody can prepare the session somebody signs in to
    await browser.remember(parts, key, _KIND, _kept(attempt))
    response = redirect(CONFIRM_PATH if attempt.signed_in else DONE_PATH)
    browser.set_key(response, parts, browser.CONNECT, key)
    return response


async def show_confirmation(request: web.Request) -> web.Response:
    """Name the purchase and the Discord account, with everything that a yes would change (threats O06)."""
    parts = request.app[PARTS]
    content = await browser.recall(parts, browser.key_of(request, parts, browser.CONNECT), _KIND)
    if content is None or content["stage"] != "confirm":
        return redirect(DONE_PATH)
    user = _user(content)
    review = await parts.use_cases.review(PurchaseId(content["purchase_id"]), user)
    return page(request, "confirm.html", {"review": review, "preview": review.preview, "user": user})


async def confirm(request: web.Request) -> web.Response:
    """Do what the person chose: connect, move, keep things as they are, or sign in as somebody else."""
    parts = request.app[PARTS]
    key = browser.key_of(request, parts, browser.CONNECT)
    choice = (await request.post()).get("choice")
    content = await browser.take(parts, key, _KIND)
    if content is None or content["stage"] != "confirm":
        if content is not None:
            await browser.remember(parts, key, _KIND, content)
        return redirect(DONE_PATH)
    purchase_id, back = content["purchase_id"], content["back"]
    if choice == "switch":
        return await leave(request, purchase_id, back)
    if choice == "keep":
        await browser.remember(parts, key, _KIND, {"stage": "stopped", "why": "kept", "text": "", "back": back})
        return redirect(DONE_PATH)
    # A second click meanwhile finds this in the place of the identity, and waits.
    await browser.remember(parts, key, _KIND, {"stage": "working"})
    outcome: ConnectOutcome | None = None
    try:
        outcome = await _connect(parts, content, is_move=choice == "move")
    finally:
        if outcome is None:  # whatever went wrong, the person can press again
            await browser.remember(parts, key, _KIND, content)
    if outcome.result is ConnectResult.NEEDS_MOVE:
        await browser.remember(parts, key, _KIND, content)
        return redirect(CONFIRM_PATH)
    await browser.remember(parts, key, _KIND, _after(content, outcome), life=browser.COOKIE_LIFE)
    return redirect(DONE_PATH)


async def show_outcome(request: web.Request) -> web.Response:
    """Show how it went, and how far the roles are."""
    parts = request.app[PARTS]
    content = await browser.recall(parts, browser.key_of(request, parts, browser.CONNECT), _KIND)
    match (content or {}).get("stage"):
        case "done" if content is not None:
            return await _show_result(request, content)
        case "stopped" if content is not None:
            notice = outcomes.stopped(content["why"], text=content["text"], back=content["back"])
            return page(request, "notice.html", {"notice": notice})
        case "working":
            notice = outcomes.Notice(title="One moment", text="We are connecting your Discord account.")
            return page(request, "notice.html", {"notice": notice}, refresh_seconds=2)
        case "confirm":
            return redirect(CONFIRM_PATH)
    return page(request, "notice.html", {"notice": outcomes.FORGOTTEN}, status=400)


async def _show_result(request: web.Request, content: Content) -> web.Response:
    result = ConnectResult(content["result"])
    if result is not ConnectResult.CONNECTED:
        return page(request, "notice.html", {"notice": outcomes.refusal(result, content["back"])})
    progress = await request.app[PARTS].use_cases.progress(PurchaseId(content["purchase_id"]))
    access = _with_invites(progress.access, _access(content["access"]))
    return arrival_page(request, access, content["handle"])


async def _preview(request: web.Request) -> ConnectPreview:
    token = request.match_info["token"]
    preview = ConnectPreview(state=LinkState.UNKNOWN)
    if len(token) <= _LONGEST_TOKEN:
        preview = await request.app[PARTS].use_cases.begin_connect(digest(token))
    if preview.state is LinkState.UNKNOWN:
        await count_failure(request)
    return preview


async def _connect(parts: Parts, content: Content, *, is_move: bool) -> ConnectOutcome:
    wish = ConnectRequest(
        purchase_id=PurchaseId(content["purchase_id"]),
        user=_user(content),
        access_token=content["access_token"],
        scopes=frozenset(content["scopes"]),
    )
    if is_move:
        return await parts.use_cases.confirm_move(wish)
    return await parts.use_cases.connect(wish)


def _kept(attempt: Attempt) -> dict[str, object]:
    """Return what is kept of a sign-in that came back."""
    if attempt.signed_in is None:
        return {"stage": "stopped", "why": attempt.stopped_by, "text": attempt.text, "back": attempt.back}
    return {
        "stage": "confirm",
        "purchase_id": attempt.content["purchase_id"],
        "back": attempt.back,
        "user": asdict(attempt.signed_in.user),
        "access_token": attempt.signed_in.access_token,
        "scopes": sorted(attempt.signed_in.scopes),
    }


def _after(content: Content, outcome: ConnectOutcome) -> Content:
    """Return what is kept after a try: enough to show how it went, and no longer the token."""
    return {
        "stage": "done",
        "result": outcome.result,
        "purchase_id": content["purchase_id"],
        "handle": _user(content).handle,
        "back": content["back"],
        "access": [asdict(each) for each in outcome.access],
    }


def _user(content: Content) -> DiscordIdentity:
    fields = content["user"]
    return DiscordIdentity(**{**fields, "user_id": UserId(fields["user_id"])})


def _access(rows: Sequence[dict[str, Any]]) -> tuple[ServerAccess, ...]:
    return tuple(
        ServerAccess(**{**row, "state": AccessState(row["state"]), "reason": row["reason"] and Reason(row["reason"])})
        for row in rows
    )


def _with_invites(fresh: tuple[ServerAccess, ...], at_first: tuple[ServerAccess, ...]) -> tuple[ServerAccess, ...]:
    """Add the invites that were made for this person to what is true now; before anything is known, show the first."""
    invites = {(each.plan_name, each.server_name): each.invite_url for each in at_first}
    return tuple(
        replace(each, invite_url=each.invite_url or invites.get((each.plan_name, each.server_name), ""))
        for each in fresh or at_first
    )
