"""Renders mails: from one letter in templates/mail come the subject, the text and the HTML, in the mail's language.

A letter says its sentences once; parts.html and parts.txt make paragraphs, buttons and codes of them. The facts that
letters need are listed in docs/mails.md.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jinja2

from locales.catalogue import Words, words_for
from membership.colours import OURS, accent_of
from web import mail_reasons, speaking, wording

TEMPLATES = (
    "connect",
    "connect_reminder",
    "delivered",
    "failed",
    "signin",
    "past_due",
    "grace_last_day",
    "trial_ending",
    "cancelled",
    "ended",
    "refunded",
    "moved",
    "link_again",
    "billing",
    "staff_alert",
    "test",
)
LONGEST_SUBJECT = 50
LINE_LENGTH = 72

_LOADER = jinja2.FileSystemLoader(Path(__file__).parent / "templates" / "mail")
_OPTIONS: Mapping[str, Any] = {
    "undefined": jinja2.StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}
_NO_MOMENT = datetime.fromtimestamp(0, UTC)
"""Mails are read whenever it suits: no letter says how long ago something was."""
_SHORTEST_PLAN = 8
_LONGEST_NAME = 40
_PARTS = ("heading", "p", "button", "code_box", "big_code", "small", "strong", "address")
_OPTIONAL: Mapping[str, object] = {
    "plan": "",
    "name": "",
    "manage_url": "",
    "imprint": "",
    "support_address": "",
    "receipt_by": "",
    "amount": 0,
    "currency": "",
    "interval": "",
    "claim_channel": "",
    "invite_url": "",
    "unsubscribe_url": "",
    "open_url": "",
    "roles": (),
    "is_still_member": False,
    "return_url": "",
    "failed_at": "",
    "repair_url": "",
    "retry_at": "",
    "until": "",
    "link": "",
    "number": 0,
    "platform": "",
    "scheme": "auto",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A mail as it is read."""

    subject: str
    text: str
    html: str
    language: str


class MailWords:
    """The mails' texts in every language."""

    def __init__(self, claim_command: str) -> None:
        """Load the letters; `claim_command` is what people type before a code."""
        self._claim_command = claim_command
        self._html = _Medium("html", jinja2.Environment(loader=_LOADER, autoescape=True, **_OPTIONS))
        # Plain text is no markup: escaping would show people &amp; and the like.
        self._text = _Medium("txt", jinja2.Environment(loader=_LOADER, autoescape=False, **_OPTIONS))  # noqa: S701

    def render(self, template: str, facts: Mapping[str, object]) -> Rendered:
        """Return a mail's texts. Raises KeyError for an unknown template, UndefinedError for a missing fact.

        `facts["languages"]` are those that are wanted, the dearest first; `facts["own_words"]` a server's own subject
        and intro by language.
        """
        if template not in TEMPLATES:
            raise KeyError(template)
        wanted = facts.get("languages", ())
        words = words_for(*[str(each) for each in wanted] if isinstance(wanted, list | tuple) else ())
        own = _own_words(facts, words.locale)
        filled = self._filled(words, {**_OPTIONAL, **facts, "intro": own.get("intro", "")})

        def subject_with(plan: str) -> str:
            if own.get("subject"):
                written = own["subject"].replace("{plan}", plan).replace("{server}", str(filled["server"]))
            else:
                written = str(self._text.letter(template, words, {**filled, "plan": plan}).subject)
            return wording.single_line(written)

        filled["subject"] = subject = _fitting(subject_with, str(filled["plan"]))
        return Rendered(
            subject=subject,
            text=re.sub(r"\n{3,}", "\n\n", self._text.mail(template, words, filled)).strip() + "\n",
            html=self._html.mail(template, words, filled),
            language=words.locale,
        )

    def _filled(self, words: Words, facts: Mapping[str, object]) -> dict[str, object]:
        # Names come from outside: on one line they can neither break a header nor fake a paragraph of ours.
        filled = {name: _tidy(value) for name, value in facts.items()}
        return filled | {
            "name": _callable_name(str(filled["name"])),
            "price": _price(words, filled),
            "claim_command": self._claim_command,
            "zone": _zone(filled.get("time_zone")),
            "accent": accent_of(str(filled.get("accent", ""))) or accent_of(OURS),
        }


class _Medium:
    """One of the two ways in which a mail is read: `kind` is how its parts and its layout end, "html" or "txt"."""

    def __init__(self, kind: str, environment: jinja2.Environment) -> None:
        environment.filters.update(speaking.filters())
        environment.filters.update(money=_money, wrapped=_wrapped, **mail_reasons.filters())
        self._kind = kind
        self._environment = environment

    def letter(self, template: str, words: Words, facts: Mapping[str, object]) -> Any:
        """Run a letter; the module that comes back is what it says, with what it sets: subject, preheader, because."""
        made = self._environment.get_template(f"parts.{self._kind}").make_module({"accent": facts["accent"]})
        parts = {name: getattr(made, name) for name in _PARTS}
        return self._environment.get_template(f"{template}.html").make_module({**self._spoken(words, facts), **parts})

    def mail(self, template: str, words: Words, facts: Mapping[str, object]) -> str:
        """Return a letter inside the layout."""
        letter = self.letter(template, words, facts)
        said = {
            "letter": letter,
            "preheader": letter.preheader,
            "because": getattr(letter, "because", ""),
            "is_for_staff": getattr(letter, "is_for_staff", False),
            "language": words.locale,
        }
        return self._environment.get_template(f"layout.{self._kind}").render({**self._spoken(words, facts), **said})

    def _spoken(self, words: Words, facts: Mapping[str, object]) -> dict[str, object]:
        zone = facts["zone"]
        spoken = {**facts, **speaking.speak(words, zone if isinstance(zone, ZoneInfo) else None, _NO_MOMENT)}
        return {**spoken, "say": words.say, "count": words.count} if self._kind == "txt" else spoken


def _fitting(subject_with: Callable[[str], str], plan: str) -> str:
    """Cut the plan's name, and if need be the end, so that a subject can be read in a list of mails."""
    subject = subject_with(plan)
    excess = len(subject) - LONGEST_SUBJECT
    if excess > 0:
        subject = subject_with(wording.shortened(plan, max(_SHORTEST_PLAN, len(plan) - excess)))
    return wording.shortened(subject, LONGEST_SUBJECT)


def _wrapped(text: str) -> str:
    """Break a paragraph into lines; an address is never broken."""
    return textwrap.fill(text.strip(), LINE_LENGTH, break_long_words=False, break_on_hyphens=False)


@jinja2.pass_context
def _money(context: jinja2.runtime.Context, amount: int, currency: str) -> str:
    words: Words = context["words"]
    return words.amount(wording.money_with_code(amount, currency))


def _price(words: Words, facts: Mapping[str, object]) -> str:
    """Write a price with its rhythm: "9.00 EUR per month"; "" where it is not known."""
    amount, currency, interval = int(str(facts["amount"])), str(facts["currency"]), str(facts["interval"])
    if not (amount and currency):
        return ""
    money = words.amount(wording.money_with_code(amount, currency))
    return mail_reasons.rhythm(words, money, interval)


def _callable_name(name: str) -> str:
    """Return a name to call somebody by, "" for what looks like an address or a sentence: buyers type it themselves."""
    is_strange = len(name) > _LONGEST_NAME or any(sign in name for sign in "/:@<>") or "www." in name.casefold()
    return "" if is_strange else name


def _own_words(facts: Mapping[str, object], language: str) -> Mapping[str, str]:
    written = facts.get("own_words", {})
    found = written.get(language, {}) if isinstance(written, Mapping) else {}
    return {name: str(text) for name, text in found.items()} if isinstance(found, Mapping) else {}


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(name or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _tidy(value: object) -> object:
    if isinstance(value, str):
        return wording.single_line(value)
    return tuple(_tidy(each) for each in value) if isinstance(value, Sequence) else value
