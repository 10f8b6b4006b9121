"""Send a browser to the payment provider: at once where it would follow a form, else by a link on a page."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from aiohttp import web

from web.outcomes import Notice, Step
from web.sign_in import redirect
from web.visits import Visit


def leave_by(visit: Visit, notice: Notice, step: Step) -> web.Response:
    """Take a step out of here. Browsers apply form-action to the redirect too, so only listed origins go at once."""
    split = urlsplit(step.url)
    if f"{split.scheme}://{split.netloc}" in visit.parts.checkout_origins:
        return redirect(step.url)
    return visit.page("notice.html", notice=replace(notice, steps=(step,)))
