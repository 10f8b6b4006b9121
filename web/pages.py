"""Turns templates into responses. Every page goes through `page`; what people read is in templates/ and outcomes.py."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web

from web import wording
from web.parts import Parts

PARTS = web.AppKey("parts", Parts)
HERE = Path(__file__).parent
STATIC = HERE / "static"
FILTERS: dict[str, Callable[..., str]] = {
    "money": wording.money,
    "day": wording.day,
    "listed": wording.listed,
}


def install(app: web.Application, parts: Parts) -> None:
    """Give the application its templates."""
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        filters=FILTERS,
    )
    environment.globals.update(
        # The address changes with the content, so that browsers may keep it for ever.
        stylesheet=f"/static/doorlist.css?v={_fingerprint(STATIC / 'doorlist.css')}",
        is_sandbox=parts.is_sandbox,
        claim_command=parts.claim_command,
    )


def page(
    request: web.Request, template: str, context: dict[str, object], *, status: int = 200, refresh_seconds: int = 0
) -> web.Response:
    """Render a page. `refresh_seconds` above zero makes the browser ask again, without any script."""
    filled = {"refresh_seconds": refresh_seconds, "refresh_url": "", **context}
    return aiohttp_jinja2.render_template(template, request, filled, status=status)


def _fingerprint(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
