"""The page a buyer lands on after paying: Paid, Connect Discord, Role. It follows along without any script.

Whoever started a checkout knows its id, and somebody else may have paid: everything here needs the key that only the
way back from payment carries.
"""

from __future__ import annotations

import re

from aiohttp import web
from yarl import URL

from membership.codes import digest
from web import connect, outcomes
from web.clients import FailureLimit, client_address
from web.pages import PARTS, page
from web.parts import AccessState, Progress
from web.sign_in import redirect

PATH = "/welcome"
QUESTIONS = web.AppKey("fruitless_questions", FailureLimit)

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{8,200}")
_LONGEST_KEY = 200
_LATE_EVERY = 3  # looks, about six seconds: usually the webhook is there before the browser
_LAST_LOOK = 40
_QUICK_SECONDS, _CALM_SECONDS = 2, 5


def install(app: web.Application) -> None:
    """Add the routes."""
    app[QUESTIONS] = FailureLimit("40/10minute")
    app.router.add_get(PATH, show)
    app.router.add_post(PATH, leave_for_discord)


async def show(request: web.Request) -> web.Response:
    """Show the one who paid how far their purchase is."""
    session_id, key = _checked(request.query.get("session_id", "")), request.query.get("key", "")
    if not await _is_payer(request, session_id, key):
        return page(request, "notice.html", {"notice": outcomes.NOT_THE_PAYER})
    look = _look(request.query.get("look", ""))
    progress = await _progress(request, session_id, look)
    seconds = _refresh_seconds(progress, look)
    context = {
        "progress": progress,
        "access": [outcomes.words(each) for each in progress.access],
        "is_done": bool(progress.access) and all(each.state is AccessState.DELIVERED for each in progress.access),
        "has_given_up": not seconds and not progress.is_paid,
        "session_id": session_id,
        "key": key,
        "first_url": str(_address(session_id, key)),
        "refresh_url": str(_address(session_id, key).update_query(look=look + 1)),
    }
    return page(request, "welcome.html", context, refresh_seconds=seconds)


async def leave_for_discord(request: web.Request) -> web.Response:
    """Send the buyer to Discord once the payment is confirmed."""
    form = await request.post()
    session_id, key = _checked(str(form.get("session_id", ""))), str(form.get("key", ""))
    if not await _is_payer(request, session_id, key):
        return page(request, "notice.html", {"notice": outcomes.NOT_THE_PAYER})
    back = str(_address(session_id, key))
    progress = await request.app[PARTS].use_cases.purchase_of_checkout(session_id, is_late=False)
    if progress is None or progress.purchase_id is None or progress.connected_as:
        return redirect(back)
    return await connect.leave(request, progress.purchase_id, back)


async def _progress(request: web.Request, session_id: str, look: int) -> Progress:
    """Ask how far the purchase is; now and then ask the provider too, but not without end for invented ids."""
    parts, questions = request.app[PARTS], request.app[QUESTIONS]
    address = client_address(request, parts.settings.trusted_proxies)
    is_late = look > 0 and look % _LATE_EVERY == 0 and not await questions.is_used_up(address)
    progress = await parts.use_cases.purchase_of_checkout(session_id, is_late=is_late)
    if is_late and not (progress and progress.is_paid):
        await questions.count(address)
    return progress or Progress(is_paid=False)


async def _is_payer(request: web.Request, session_id: str, key: str) -> bool:
    if not 0 < len(key) <= _LONGEST_KEY:
        return False
    return await request.app[PARTS].use_cases.is_payer(session_id, digest(key))


def _address(session_id: str, key: str) -> URL:
    return URL(PATH).with_query(session_id=session_id, key=key)


def _refresh_seconds(progress: Progress, look: int) -> int:
    """Say when to look again: soon while something moves, calmly while the buyer has to, never when all is settled."""
    if look >= _LAST_LOOK or outcomes.is_settled(progress.access):
        return 0
    if not progress.is_paid or any(each.state is AccessState.WORKING for each in progress.access):
        return _QUICK_SECONDS
    return _CALM_SECONDS if progress.connected_as else 0


def _checked(session_id: str) -> str:
    """Return the id. Raises 404 for what no provider's id looks like."""
    if not _SESSION_ID.fullmatch(session_id):
        raise web.HTTPNotFound
    return session_id


def _look(text: str) -> int:
    return min(int(text), _LAST_LOOK) if text.isascii() and text.isdigit() and len(text) < 4 else 0
