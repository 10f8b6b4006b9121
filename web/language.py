"""The choice of a language, kept in the browser."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from locales.catalogue import locales
from web.site import Site
from web.speaking import LANGUAGE_COOKIE
from web.visits import Visit, own_path

_LIFE = timedelta(days=365)


def install(site: Site) -> None:
    """Register the choice."""
    site.public.post("/language", choose)


async def choose(visit: Visit) -> web.Response:
    """Remember the language and show the page again in it."""
    form = await visit.form()
    language = form.text("language")
    response = web.Response(status=303, headers={"Location": own_path(form.text("back"))})
    if language in locales():
        response.set_cookie(
            LANGUAGE_COOKIE,
            language,
            max_age=int(_LIFE.total_seconds()),
            path="/",
            secure=visit.parts.public_url.startswith("https://"),
            httponly=True,
            samesite="Lax",
        )
    return response
