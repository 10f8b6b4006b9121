"""The page a buyer lands on after paying: Paid, Connect Discord, Role. It follows along without any script.

Whoever started a checkout knows its id, and somebody else may have paid: everything here needs the key that only the
way back from payment carries.
"""

from __future__ import annotations

import re

from aiohttp import web
from yarl import URL

from membership.codes import digest
from web import access_words, connect, outcomes
from web.arrival import looks_again_in
from web.clients import FailureLimit, client_address
from web.naming import named_after
from web.parts import Progress
from web.sign_in import redirect
from web.site import Site
from web.visits import Visit

PATH = "/welcome"
QUESTIONS = web.AppKey("fruitless_questions", FailureLimit)

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{8,200}")
_LONGEST_KEY = 200
_LATE_EVERY = 3  # looks, about six seconds: usually the webhook is there before the browser
_LAST_LOOK = 40
_QUICK_SECONDS = 2


def install(site: Site) -> None:
    """Add the routes."""
    site.app[QUESTIONS] = FailureLimit("40/10minute")
    site.public.get(PATH, show)
    site.public.post(PATH, leave_for_discord)


async def show(visit: Visit) -> web.Response:
    """Show the one who paid how far their purchase is."""
    if not visit.query("session_id"):
        return visit.page("notice.html", notice=outcomes.nothing_paid_yet(visit.words))
    session_id, key = _checked(visit.query("session_id")), visit.query("key")
    if not await _is_payer(visit, session_id, key):
        return visit.page("notice.html", notice=outcomes.not_the_payer(visit.words))
    look = _look(visit.query("look"))
    progress = await _progress(visit, session_id, look)
    seconds = _refresh_seconds(progress, look)
    here = await named_after(visit, [each.guild_id for each in progress.access if each.guild_id is not None])
    return here.page(
        "welcome.html",
        refresh_seconds=seconds,
        refresh_url=str(_address(session_id, key).update_query(look=look + 1)),
        progress=progress,
        access=[
            access_words.described(visit.words, each, contact=here.brand.support_address) for each in progress.access
        ],
        has_given_up=not seconds and not progress.is_paid,
        session_id=session_id,
        key=key,
        first_url=str(_address(session_id, key)),
    )


async def leave_for_discord(visit: Visit) -> web.Response:
    """Send the buyer to Discord once the payment is confirmed."""
    form = await visit.form()
    session_id, key = _checked(form.text("session_id")), form.text("key")
    if not await _is_payer(visit, session_id, key):
        return visit.page("notice.html", notice=outcomes.not_the_payer(visit.words))
    back = str(_address(session_id, key))
    progress = await visit.parts.use_cases.purchase_of_checkout(session_id, is_late=False)
    if progress is None or progress.purchase_id is None or progress.connected_as:
        return redirect(back)
    return await connect.leave(visit.request, progress.purchase_id, back)


async def _progress(visit: Visit, session_id: str, look: int) -> Progress:
    """Ask how far the purchase is; now and then ask the provider too, but not without end for invented ids."""
    parts, questions = visit.parts, visit.request.app[QUESTIONS]
    address = client_address(visit.request, parts.settings.trusted_proxies)
    is_late = look > 0 and look % _LATE_EVERY == 0 and not await questions.is_used_up(address)
    progress = await parts.use_cases.purchase_of_checkout(session_id, is_late=is_late)
    if is_late and not (progress and progress.is_paid):
        await questions.count(address)
    return progress or Progress(is_paid=False)


async def _is_payer(visit: Visit, session_id: str, key: str) -> bool:
    if not 0 < len(key) <= _LONGEST_KEY:
        return False
    return await visit.parts.use_cases.is_payer(session_id, digest(key))


def _address(session_id: str, key: str) -> URL:
    return URL(PATH).with_query(session_id=session_id, key=key)


def _refresh_seconds(progress: Progress, look: int) -> int:
    """Say when to look again: soon while something moves, calmly while the buyer has to, never when all is settled."""
    if look >= _LAST_LOOK:
        return 0
    if not progress.is_paid:
        return _QUICK_SECONDS
    return looks_again_in(progress.access) if progress.connected_as else 0


def _checked(session_id: str) -> str:
    """Return the id. Raises 404 for what no provider's id looks like."""
    if not _SESSION_ID.fullmatch(session_id):
        raise web.HTTPNotFound
    return session_id


def _look(text: str) -> int:
    return min(int(text), _LAST_LOOK) if text.isascii() and text.isdigit() and len(text) < 4 else 0
