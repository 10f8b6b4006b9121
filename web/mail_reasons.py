"""Why something ended or did not arrive, and how often is paid, as mails say it to a customer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jinja2

from locales.catalogue import Words, translatable
from membership.errors import Reason

_ENDED: Mapping[Reason, str] = {
    Reason.CANCELLED: translatable("It was cancelled."),
    Reason.EXPIRED: translatable("The time you paid for is over."),
    Reason.UNPAID: translatable("The last payment did not go through."),
    Reason.PAYMENT_FAILED: translatable("The last payment did not go through."),
    Reason.REFUNDED: translatable("The payment was refunded."),
    Reason.DISPUTED: translatable("The payment is disputed at your bank."),
    Reason.DISPUTE_LOST: translatable("The payment was taken back by your bank."),
    Reason.PAUSED: translatable("It is paused."),
    Reason.PLAN_CHANGED: translatable("You changed to another membership."),
    Reason.MOVED: translatable("It was moved to another Discord account."),
    Reason.DISCONNECTED: translatable("The Discord account was disconnected."),
}
_JUST_ENDED = translatable("It has ended.")

_NOT_GIVEN: Mapping[Reason, str] = {
    Reason.NOT_IN_SERVER: translatable("The Discord account that you connected is not in the server yet."),
    Reason.RULES_NOT_ACCEPTED: translatable("You have not accepted the server's rules yet."),
    Reason.BANNED: translatable("The Discord account that you connected is banned from the server."),
    Reason.SERVER_LIMIT: translatable("You are in as many servers as Discord allows."),
    Reason.JOIN_LIMITED: translatable("Discord did not let us add you to the server."),
    Reason.TOKEN_EXPIRED: translatable("Discord did not let us add you to the server."),
    Reason.SCOPE_MISSING: translatable("Discord did not let us add you to the server."),
    Reason.ACCOUNT_GONE: translatable("The Discord account that you connected no longer exists."),
}
_NOT_YOURS = translatable("Something on the server has to be put right first. It is not your doing.")

_JOIN = translatable("Join the server with that account, and you get it at once.")
_NEXT: Mapping[Reason, str] = {
    Reason.NOT_IN_SERVER: _JOIN,
    Reason.JOIN_LIMITED: _JOIN,
    Reason.TOKEN_EXPIRED: _JOIN,
    Reason.SCOPE_MISSING: _JOIN,
    Reason.RULES_NOT_ACCEPTED: translatable("Open the server in Discord and accept them, and you get it at once."),
    Reason.BANNED: translatable("Only the staff of the server can change that: answer this mail."),
    Reason.SERVER_LIMIT: translatable("Leave a server that you no longer need and join this one, and you get it."),
    Reason.ACCOUNT_GONE: translatable("Connect another account: answer this mail, or open your membership page."),
}
_WAIT = translatable("You need to do nothing: the staff see it, and you get it as soon as it is put right.")

_RHYTHMS: Mapping[str, str] = {
    "": translatable("{amount} once"),
    "day": translatable("{amount} per day"),
    "week": translatable("{amount} per week"),
    "month": translatable("{amount} per month"),
    "year": translatable("{amount} per year"),
}


def filters() -> Mapping[str, Callable[..., Any]]:
    """Return the filters with which a letter says a Reason's value."""
    return {"ended_because": _ended_because, "not_given": _not_given, "what_next": _what_next}


def rhythm(words: Words, amount: str, interval: str) -> str:
    """Say what is paid how often: "9.00 EUR per month"; a rhythm that we have no words for is named after a stroke."""
    said = _RHYTHMS.get(interval)
    return f"{amount} / {interval}" if said is None else words.say(said, amount=amount)


@jinja2.pass_context
def _ended_because(context: jinja2.runtime.Context, reason: str) -> str:
    return _said(context, _ENDED.get(Reason(reason), _JUST_ENDED))


@jinja2.pass_context
def _not_given(context: jinja2.runtime.Context, reason: str) -> str:
    return _said(context, _NOT_GIVEN.get(Reason(reason), _NOT_YOURS))


@jinja2.pass_context
def _what_next(context: jinja2.runtime.Context, reason: str) -> str:
    return _said(context, _NEXT.get(Reason(reason), _WAIT))


def _said(context: jinja2.runtime.Context, text: str) -> str:
    words: Words = context["words"]
    return words.say(text)
