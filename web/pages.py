"""Turns templates into responses. Every page goes through `page`; what people read is in templates/ and outcomes.py."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web

from locales.catalogue import language_name, locales
from membership.colours import accent_of
from web.brand import BRAND, NEUTRAL
from web.parts import Parts
from web.speaking import filters, speak, words_of

PARTS = web.AppKey("parts", Parts)
HERE = Path(__file__).parent
STATIC = HERE / "static"
FLASH = web.RequestKey("flash", dict)
"""What is said once on the page: its text and tone."""
STYLESHEET_PATH = "/static/doorlist.css"
_KEPT_STYLES = 64


def install(app: web.Application, parts: Parts) -> None:
    """Give the application its templates."""
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        filters=filters(),
    )
    # The address changes with the content, so that browsers may keep it for ever.
    fingerprint = hashlib.sha256((STATIC / "doorlist.css").read_bytes()).hexdigest()[:12]
    environment.globals.update(
        stylesheet=f"{STYLESHEET_PATH}?v={fingerprint}",
        is_sandbox=parts.is_sandbox,
        claim_command=parts.claim_command,
        languages={name: language_name(name) for name in sorted(locales())},
    )


def page(
    request: web.Request,
    template: str,
    context: dict[str, object],
    *,
    status: int = 200,
    refresh_seconds: int = 0,
) -> web.Response:
    """Render a page. `refresh_seconds` above zero makes the browser ask again, without any script."""
    filled = {
        **speak(words_of(request), None, request.app[PARTS].clock.now()),
        "brand": request.get(BRAND, NEUTRAL),
        "here": request.rel_url.path,
        "flash": request.get(FLASH),
        "refresh_seconds": refresh_seconds,
        "refresh_url": "",
        **context,
    }
    return aiohttp_jinja2.render_template(template, request, filled, status=status)


@lru_cache(maxsize=_KEPT_STYLES)
def stylesheet(accent: str) -> bytes:
    """Return the one stylesheet, packed; `accent` ("rrggbb", "" for ours) takes the place of our colour."""
    text = (STATIC / "doorlist.css").read_text("utf-8")
    found = accent_of(accent)
    if found is not None:
        text += (
            f":root {{ --accent: #{found.light}; --on-accent: #{found.on_light}; }}\n"
            f"@media (prefers-color-scheme: dark) {{ "
            f":root {{ --accent: #{found.dark}; --on-accent: #{found.on_dark}; }} }}\n"
        )
    return gzip.compress(text.encode("utf-8"), mtime=0)
