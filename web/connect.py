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
from web.naming import named_after
from web.pages import PARTS
from web.parts import (
    AccessState,
    ConnectOutcome,
    ConnectPreview,
    ConnectRequest,
    ConnectResult,
    Delay,
    DiscordIdentity,
    LinkState,
    Parts,
    ServerAccess,
)
from web.sign_in import Attempt, count_failure, redirect
from web.site import Site
from web.visits import Visit

CONFIRM_PATH = "/connect/confirm"
DONE_PATH = "/connect/done"

PURPOSE = "connect"
_KIND = "connect"
_LONGEST_TOKEN = 200
_OPEN = (LinkState.READY, LinkState.LINKED)
Content = Mapping[str, Any]


def install(site: Site) -> None:
    """Add the routes; the fixed paths come first, so that no token can be called "done"."""
    sign_in.add_flow(site.app, PURPOSE, come_back)
    site.public.get(CONFIRM_PATH, show_confirmation)
    site.public.post(CONFIRM_PATH, confirm)
    site.public.get(DONE_PATH, show_outcome)
    site.public.get("/connect/{token}", show_link)
    site.public.post("/connect/{token}", leave_for_discord)
    site.public.post("/connect/{token}/again", mail_again)


async def show_link(visit: Visit) -> web.Response:
    """Say what the link is for and what will happen. Consumes nothing, whoever opens it (threats O08)."""
    preview = await _preview(visit)
    here = await named_after(visit, preview.guild_ids)
    if preview.state not in _OPEN:
        notice = outcomes.dead_link(visit.words, preview, again_url=f"{visit.request.rel_url.raw_path}/again")
        return here.page("notice.html", status=notice.status, notice=notice)
    return here.page("connect.html", preview=preview)


async def leave_for_discord(visit: Visit) -> web.Response:
    """Send the browser to Discord, if the link is still good."""
    preview, back = await _preview(visit), visit.request.rel_url.raw_path
    if preview.state not in _OPEN or preview.purchase_id is None:
        return redirect(back)
    return await leave(visit.request, preview.purchase_id, back)


async def mail_again(visit: Visit) -> web.Response:
    """Mail a new link in place of one that is over; the answer does not tell whether there was something to mail."""
    preview = await _preview(visit)
    if preview.state in _OPEN:
        return redirect(visit.request.rel_url.raw_path.removesuffix("/again"))
    if preview.state is LinkState.UNKNOWN:
        raise web.HTTPNotFound
    await visit.parts.use_cases.mail_new_link(digest(visit.path("token")))
    here = await named_after(visit, preview.guild_ids)
    return here.page("notice.html", notice=outcomes.mailed_again(visit.words))


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


async def show_confirmation(visit: Visit) -> web.Response:
    """Name the purchase and the Discord account, with everything that a yes would change (threats O06)."""
    content = await browser.recall(visit.parts, browser.key_of(visit.request, visit.parts, browser.CONNECT), _KIND)
    if content is None or content["stage"] != "confirm":
        return redirect(DONE_PATH)
    user = _user(content)
    review = await visit.parts.use_cases.review(PurchaseId(content["purchase_id"]), user)
    here = await named_after(visit, review.preview.guild_ids)
    return here.page("confirm.html", review=review, preview=review.preview, user=user)


async def confirm(visit: Visit) -> web.Response:
    """Do what the person chose: connect, move, keep things as they are, or sign in as somebody else."""
    parts = visit.parts
    key = browser.key_of(visit.request, parts, browser.CONNECT)
    choice = (await visit.form()).text("choice")
    content = await browser.take(parts, key, _KIND)
    if content is None or content["stage"] != "confirm":
        if content is not None:
            await browser.remember(parts, key, _KIND, content)
        return redirect(DONE_PATH)
    purchase_id, back = content["purchase_id"], content["back"]
    if choice == "switch":
        return await leave(visit.request, purchase_id, back)
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


async def show_outcome(visit: Visit) -> web.Response:
    """Show how it went, and how far the roles are."""
    content = await browser.recall(visit.parts, browser.key_of(visit.request, visit.parts, browser.CONNECT), _KIND)
    match (content or {}).get("stage"):
        case "done" if content is not None:
            return await _show_result(visit, content)
        case "stopped" if content is not None:
            notice = outcomes.stopped(visit.words, content["why"], text=content["text"], back=content["back"])
        case "working":
            return visit.page("notice.html", notice=outcomes.one_moment(visit.words), refresh_seconds=2)
        case "confirm":
            return redirect(CONFIRM_PATH)
        case _:
            notice = outcomes.forgotten(visit.words)
    return visit.page("notice.html", status=notice.status, notice=notice)


async def _show_result(visit: Visit, content: Content) -> web.Response:
    result = ConnectResult(content["result"])
    if result is not ConnectResult.CONNECTED:
        notice = outcomes.refusal(visit.words, content["back"])
        if result is ConnectResult.MOVES_USED_UP:
            notice = outcomes.moved_too_often(visit.words, browser.kept_moment(content["again_at"]))
        return visit.page("notice.html", status=notice.status, notice=notice)
    progress = await visit.parts.use_cases.progress(PurchaseId(content["purchase_id"]))
    access = _with_invites(progress.access, _access(content["access"]))
    return await arrival_page(visit, access, content["handle"])


async def _preview(visit: Visit) -> ConnectPreview:
    token = visit.path("token")
    preview = ConnectPreview(state=LinkState.UNKNOWN)
    if len(token) <= _LONGEST_TOKEN:
        preview = await visit.parts.use_cases.begin_connect(digest(token))
    if preview.state is LinkState.UNKNOWN:
        await count_failure(visit.request)
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
        "again_at": outcome.again_at and outcome.again_at.isoformat(),
    }


def _user(content: Content) -> DiscordIdentity:
    fields = content["user"]
    return DiscordIdentity(**{**fields, "user_id": UserId(fields["user_id"])})


def _access(rows: Sequence[dict[str, Any]]) -> tuple[ServerAccess, ...]:
    return tuple(
        ServerAccess(
            **{
                **row,
                "state": AccessState(row["state"]),
                "reason": row["reason"] and Reason(row["reason"]),
                "delay": Delay(row["delay"]),
            }
        )
        for row in rows
    )


def _with_invites(fresh: tuple[ServerAccess, ...], at_first: tuple[ServerAccess, ...]) -> tuple[ServerAccess, ...]:
    """Add the invites that were made for this person to what is true now; before anything is known, show the first."""
    invites = {(each.plan_name, each.server_name): each.invite_url for each in at_first}
    return tuple(
        replace(each, invite_url=each.invite_url or invites.get((each.plan_name, each.server_name), ""))
        for each in fresh or at_first
    )
