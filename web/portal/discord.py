"""Which Discord account has the customer's purchases: connect one, switch to another, take one off.

Before anything changes a page names the account, what it gets, and which roles go from whom (threats O06). The identity
stays on our side, sealed, for ten minutes, and serves only the browser and the sign-in that asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from aiohttp import web

from membership import connections, linking
from membership.errors import Gone
from membership.linking import Answer, Verdict, Wish
from membership.model import PurchaseId, UserId
from membership.sign_ins import Proven
from web import browser, outcomes, sign_in
from web.customer_sign_in import sign_in_as
from web.numbers import number_in
from web.pages import PARTS, page
from web.parts import DiscordIdentity
from web.portal.home import HOME, who_of
from web.sign_in import Attempt
from web.site import Site
from web.speaking import words_of
from web.visits import CustomerVisit

PURPOSE = "portal-connect"
PLACE = "/portal/discord"
CONFIRM_PATH = f"{PLACE}/confirm"
Content = Mapping[str, Any]


def install(site: Site) -> None:
    """Register the pages and the way back from Discord; the fixed paths come before the account's number."""
    sign_in.add_flow(site.app, PURPOSE, come_back)
    site.customer.get(PLACE, show)
    site.customer.post(f"{PLACE}/connect", leave)
    site.customer.get(CONFIRM_PATH, show_confirmation)
    site.customer.post(CONFIRM_PATH, confirm)
    site.customer.get(f"{PLACE}/{{user}}/disconnect", show_disconnect)
    site.customer.post(f"{PLACE}/{{user}}/disconnect", disconnect)


async def show(visit: CustomerVisit) -> web.Response:
    """Show what is connected to whom."""
    found = await connections.read(visit.services, visit.sign_in)
    return visit.page(
        "portal/discord.html", connections=found, most_moves=visit.services.policy.moves_per_30_days, who=who_of(visit)
    )


async def leave(visit: CustomerVisit) -> web.Response:
    """Send the payer to Discord, to choose the account that is to have what one account, or nobody, has now."""
    holder = (await visit.form()).text("from")
    found = await connections.find(visit.services, visit.sign_in, _user_id(holder))
    if not found.may_switch:
        raise Gone("connection")
    content = {"from": holder, "who": visit.sign_in.digest}
    return await sign_in.start(visit.request, PURPOSE, content, PLACE)


async def come_back(request: web.Request, attempt: Attempt) -> web.Response:
    """Keep who came back from Discord on our side, and go on at an address without secrets."""
    parts = request.app[PARTS]
    if attempt.signed_in is None:
        notice = outcomes.stopped(words_of(request), attempt.stopped_by, text=attempt.text, back=attempt.back)
        return page(request, "notice.html", {"notice": notice}, status=notice.status)
    kept = {
        **attempt.content,
        "user": asdict(attempt.signed_in.user),
        "access_token": attempt.signed_in.access_token,
        "scopes": sorted(attempt.signed_in.scopes),
    }
    key = parts.randomness.token()  # always a new one: nobody can prepare what somebody confirms
    await browser.remember(parts, key, PURPOSE, kept)
    response = sign_in.redirect(CONFIRM_PATH)
    browser.set_key(response, parts, PURPOSE, key, life=browser.LIFE)
    return response


async def show_confirmation(visit: CustomerVisit) -> web.Response:
    """Name the account that came back, what it gets, and who loses it."""
    content = await browser.recall(visit.parts, _key(visit), PURPOSE)
    if content is None or content["who"] != visit.sign_in.digest:
        # Said on a page of its own: what is to be said on another one would have to be stored, and this is a GET.
        notice = outcomes.start_again(visit.words, back=PLACE)
        return visit.page("notice.html", status=notice.status, notice=notice)
    found = await connections.find(visit.services, visit.sign_in, _user_id(content["from"]))
    user = _user(content)
    is_move = found.user_id is not None and found.user_id != user.user_id
    return visit.page("portal/discord_confirm.html", connection=found, user=user, is_move=is_move)


async def confirm(visit: CustomerVisit) -> web.Response:
    """Connect or move everything that one account, or nobody, has to the account that came back; once."""
    choice = (await visit.form()).text("choice")
    content = await browser.take(visit.parts, _key(visit), PURPOSE)
    if content is None or content["who"] != visit.sign_in.digest:
        notice = outcomes.start_again(visit.words, back=PLACE)
        return await visit.go(PLACE, say=notice.text, tone=notice.tone)
    if choice == "keep":
        return await visit.go(PLACE, say=visit.words.say("Nothing was changed."), tone="info")
    found = await connections.find(visit.services, visit.sign_in, _user_id(content["from"]))
    if choice == "other":
        again = {"from": content["from"], "who": content["who"]}
        return await sign_in.start(visit.request, PURPOSE, again, PLACE)
    answers = [await _connect(visit, content, purchase_id) for purchase_id in found.purchases]
    return await _answer(visit, answers, _user(content))


async def show_disconnect(visit: CustomerVisit) -> web.Response:
    """Say which roles go before they do."""
    found = await connections.find(visit.services, visit.sign_in, UserId(visit.number("user")))
    return visit.page("portal/disconnect.html", connection=found)


async def disconnect(visit: CustomerVisit) -> web.Response:
    """Take an account off, and its roles."""
    found = await connections.disconnect(visit.services, visit.sign_in, UserId(visit.number("user")))
    text = visit.words.say("{handle} is disconnected, and its roles are taken back.", handle=found.handle)
    return await visit.go(PLACE, say=text)


async def _connect(visit: CustomerVisit, content: Content, purchase_id: PurchaseId) -> Answer:
    wish = Wish(
        purchase_id=purchase_id,
        user_id=_user(content).user_id,
        access_token=content["access_token"],
        scopes=frozenset(content["scopes"]),
        may_move=True,  # the page has named who loses it
    )
    return await linking.connect(visit.services, wish)


async def _answer(visit: CustomerVisit, answers: Sequence[Answer], user: DiscordIdentity) -> web.Response:
    words = visit.words
    for refused in (each.refused for each in answers if each.refused is not None):
        text = outcomes.moves_used_up(words, refused.until, visit.zone)
        return await visit.go(PLACE, say=text, tone="warn")
    if all(each.verdict is not Verdict.CONNECTED for each in answers):
        return await visit.go(PLACE, say=words.say("There is nothing left to connect."), tone="warn")
    response = await visit.go(HOME, say=words.say("Connected as {handle}.", handle=user.handle))
    if visit.sign_in.user_id not in (None, user.user_id):
        # They reached it by the account that had it, and have just proven the one that has it now.
        proven = Proven(user_id=user.user_id, email=visit.sign_in.email, name=user.handle)
        await sign_in_as(visit.request, response, proven)
    return response


def _key(visit: CustomerVisit) -> str:
    return browser.key_of(visit.request, visit.parts, PURPOSE)


def _user(content: Content) -> DiscordIdentity:
    fields = content["user"]
    return DiscordIdentity(**{**fields, "user_id": UserId(fields["user_id"])})


def _user_id(text: str) -> UserId | None:
    """Read whose connection is meant, None for what nobody has. Raises Gone for anything else."""
    if not text:
        return None
    number = number_in(text)
    if number is None:
        raise Gone("connection")
    return UserId(number)
