"""Send a browser to the payment provider: at once where it would follow a form, else by a link on a page."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from web.outcomes import Notice
from web.pages import PARTS, page
from web.sign_in import redirect


def leave_by(request: web.Request, notice: Notice) -> web.Response:
    """Lead to `notice.url`. Browsers apply form-action to the redirect as well, so only listed origins go at once."""
    split = urlsplit(notice.url)
    if f"{split.scheme}://{split.netloc}" in request.app[PARTS].checkout_origins:
        return redirect(notice.url)
    return page(request, "notice.html", {"notice": notice})
