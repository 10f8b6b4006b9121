"""Two hundred texts that break pages which trust their names: markup, code, formulas, odd characters, great lengths."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, product

CANARY = "canary"
"""Stands in every tag and attribute that would get in."""

_MARKUP = (
    "<canary>",
    "<script>canary()</script>",
    "</script><script>canary()</script>",
    "<img src=x onerror=canary()>",
    "<svg/onload=canary()>",
    "<svg><animate onbegin=canary() attributeName=x>",
    "<math><mtext></mtext><canary>",
    "<iframe srcdoc='<canary>'>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=//canary.example>",
    "<base href=//canary.example>",
    "<meta http-equiv=refresh content=0;url=//canary.example>",
    "<form action=//canary.example><input name=password>",
    "<a href='javascript:canary()'>x</a>",
    "<template><canary></template>",
    "<table><tr><td>x",
    "<plaintext>",
    "<noscript><p title='</noscript><canary>'>",
    "<!-- x",
    "--><canary>",
    "<![CDATA[<canary>]]>",
    "<?canary?>",
    "&lt;canary&gt;",
    "&#60;canary&#62;",
    "%3Ccanary%3E",
)
_WAYS_OUT = ("", "'", '"', "`", "</", "'>", '">', "</title>", "</textarea>", "</option></select>", "</button>", "]]>")
_ATTRIBUTES = (
    '" onmouseover="canary()',
    "' onfocus='canary()' autofocus='",
    '" style="display:none',
    '"autofocus onfocus=canary() canary="',
    "` onclick=canary() `",
    '" href="javascript:canary()',
)
_TEMPLATES = ("{{ 7*7 }}", "{% raw %}", "{# x #}", "{0.__class__}", "{x}", "{", "}", "%s %(x)s %n", "${7*7}", "#{7*7}")
_FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", '=HYPERLINK("//canary.example")', "|calc", "＝1+1")
_ODD = (
    "\u202eevil\u202c",
    "\u2066x\u2069\u2067y",
    "\u200f\u061c\u200e",
    "Z\u0351\u0344\u036b\u0300\u0301\u0302\u0303\u0304\u0305\u0306a\u0351\u0344\u036b",
    "\u0000\u0001\u001b[31m",
    "\ufeff\u200b\u200c\u200d\u2060",
    "\u2028\u2029",
    "x\ny\r\nz\u0085",
    "👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "\U000e0041\U000e007f",
    "ﷺ𒐫꧅",
    "\ud7ff\ue000\uffff",
    "W" * 400,
    "words " * 60,
    "-" * 200,
    "/../../etc/passwd",
    "javascript:canary()",
    "data:text/html,<canary>",
    "//canary.example",
    "\\\\canary.example",
    "None",
    "<" * 50,
    '"' * 50,
    "&" * 50,
    "'; DROP TABLE plans; --",
    "**bold** [x](javascript:canary())",
    "@everyone <@&1> <#2>",
)


def payloads() -> Sequence[str]:
    """Return all of them, always the same."""
    plain = (*_ATTRIBUTES, *_TEMPLATES, *_FORMULAS, *_ODD)
    broken_out = [way + text for text, way in product(_MARKUP, _WAYS_OUT)]
    return (*plain, *islice(broken_out, 0, None, 2))[:200]
