"""What a browser calls itself, in a few words that its owner recognises: "Firefox on Linux". A hint, never a proof."""

from __future__ import annotations

from aiohttp import hdrs, web

# The order matters: Edge and Opera say Chrome too, Chrome says Safari, Android says Linux.
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def device_of(request: web.Request) -> str:
    """Return the browser and its system, "" where it does not say."""
    agent = request.headers.get(hdrs.USER_AGENT, "")[:400]
    names = [next((name for sign, name in table if sign in agent), "") for table in (_BROWSERS, _SYSTEMS)]
    return " on ".join(name for name in names if name)
