"""The visitor's language: which one, and how templates speak it. What is said stands in the templates themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import jinja2
from aiohttp import web
from markupsafe import Markup, escape

from locales.catalogue import Words, locales, words_for
from web import wording

LANGUAGE_COOKIE = "doorlist-language"
_MOST_WISHES = 8
_JUST_NOW = timedelta(seconds=3)
_WORDS = web.RequestKey("words", Words)


def words_of(request: web.Request, *others: str, saved: str = "") -> Words:
    """Return the visitor's words: chosen in this browser, `saved`, asked for by it, then the others; else English."""
    if _WORDS not in request:
        chosen = request.cookies.get(LANGUAGE_COOKIE, "")
        wishes = _wishes(request.headers.get("Accept-Language", ""))
        request[_WORDS] = words_for(chosen if chosen in locales() else "", saved, *wishes, *others)
    return request[_WORDS]


def speak(words: Words, zone: tzinfo | None, now: datetime) -> Mapping[str, object]:
    """Return what a template needs to speak: `say` and `count`, and what its filters read."""
    return {"say": _sayer(words), "count": _counter(words), "words": words, "zone": zone or UTC, "now": now}


def filters() -> Mapping[str, Callable[..., Any]]:
    """Return the filters of all pages."""
    return {
        "money": _money,
        "day": _day,
        "short_day": _short_day,
        "moment": _moment,
        "ago": _ago,
        "listed": _listed,
        "number": _number,
    }


def _sayer(words: Words) -> Callable[..., Markup]:
    """Return `say`: its text is escaped, and so is every fact that is not markup of ours."""

    def say(text: str, /, **facts: object) -> Markup:
        return escape(words.unfilled(text)).format(**facts)

    return say


def _counter(words: Words) -> Callable[..., Markup]:
    def count(one: str, many: str, number: int, /, **facts: object) -> Markup:
        return escape(words.unfilled_count(one, many, number)).format(**{"number": number, **facts})

    return count


@jinja2.pass_context
def _money(context: jinja2.runtime.Context, amount: int, currency: str) -> str:
    return _words(context).amount(wording.money(amount, currency))


@jinja2.pass_context
def _day(context: jinja2.runtime.Context, value: datetime | str) -> str:
    return _words(context).day(wording.moment(value), _zone(context))


@jinja2.pass_context
def _short_day(context: jinja2.runtime.Context, value: datetime | str) -> str:
    return _words(context).short_day(wording.moment(value), _zone(context))


@jinja2.pass_context
def _moment(context: jinja2.runtime.Context, value: datetime | str) -> str:
    return _words(context).moment(wording.moment(value), _zone(context))


@jinja2.pass_context
def _ago(context: jinja2.runtime.Context, value: datetime | str) -> str:
    words, when, now = _words(context), wording.moment(value), context["now"]
    return words.say("just now") if abs(when - now) < _JUST_NOW else words.distance(when, now)


@jinja2.pass_context
def _listed(context: jinja2.runtime.Context, names: Sequence[str]) -> str:
    """Join names as a sentence does: "VIP", "VIP and Course", "VIP, Course and Lounge"."""
    if len(names) < 2:
        return "".join(names)
    return _words(context).say("{names} and {last}", names=", ".join(names[:-1]), last=names[-1])


@jinja2.pass_context
def _number(context: jinja2.runtime.Context, value: int) -> str:
    """Write a number with this language's mark between thousands."""
    return _words(context).number(value)


def _words(context: jinja2.runtime.Context) -> Words:
    words: Words = context["words"]
    return words


def _zone(context: jinja2.runtime.Context) -> tzinfo:
    zone: tzinfo = context["zone"]
    return zone


def _wishes(accept_language: str) -> Sequence[str]:
    """Read the languages that a browser asks for, the dearest first."""
    rated = []
    for place, part in enumerate(accept_language.split(",")[:_MOST_WISHES]):
        name, _, quality = part.partition(";q=")
        try:
            rated.append((-float(quality or 1), place, name.strip()))
        except ValueError:
            continue
    return [name for _, _, name in sorted(rated) if name and name != "*"]
