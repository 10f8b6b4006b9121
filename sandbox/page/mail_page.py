"""A mail's HTML as a page of its own, for the frame in the inbox: no script, no remote content, links open on top."""

from __future__ import annotations

from aiohttp import web
from markupsafe import escape

from sandbox.mailbox import Mail

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-top-navigation-by-user-activation"
)
# A link in a mail leaves the frame: the whole tab goes to Doorlist's page, as from a real mail program.
_BASE = '<base target="_top">'


def framed(mail: Mail) -> web.Response:
    """Return the mail's HTML part; its text where there is none."""
    html = mail.html or f"<!doctype html><pre>{escape(mail.text)}</pre>"
    head, found, rest = html.partition("<head>")
    body = f"{head}{found}{_BASE}{rest}" if found else f"{_BASE}{html}"
    return web.Response(text=body, content_type="text/html", headers={"Content-Security-Policy": _POLICY})
