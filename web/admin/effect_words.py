"""What a preview says of people: what happens to them, and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from locales.catalogue import Words, translatable
from membership.errors import Reason
from membership.plan_effects import EXEMPT, Fate

FATES: Mapping[Fate, tuple[str, str, str]] = {
    Fate.GET: ("ok", "+", translatable("get something")),
    Fate.LOSE: ("bad", "−", translatable("lose something")),
    Fate.MOVE: ("info", "↔", translatable("get one thing and lose another")),
    Fate.BLOCKED: ("warn", "!", translatable("cannot be served now")),
}
"""The tone, the sign and the words for each kind of thing that happens."""

_WHY: Mapping[str, str] = {
    Reason.PAID: translatable("paid"),
    Reason.TRIAL: translatable("in trial"),
    Reason.COMP: translatable("given by staff"),
    Reason.PAYMENT_FAILED: translatable("the payment failed"),
    Reason.PAUSED: translatable("paused"),
    Reason.WAITING_FOR_PAYMENT: translatable("the payment has not arrived yet"),
    Reason.REVOKED: translatable("ended by staff"),
    Reason.CANCELLED: translatable("cancelled"),
    Reason.EXPIRED: translatable("expired"),
    Reason.UNPAID: translatable("not paid"),
    Reason.REFUNDED: translatable("refunded"),
    Reason.DISPUTED: translatable("the payment is disputed"),
    Reason.DISPUTE_LOST: translatable("the dispute was lost"),
    Reason.PLAN_CHANGED: translatable("the plan changed"),
    Reason.PLAN_UNMAPPED: translatable("the plan no longer gives this"),
    Reason.MOVED: translatable("moved to another account"),
    Reason.DISCONNECTED: translatable("disconnected by the member"),
    Reason.NOT_IN_SERVER: translatable("not in the server"),
    Reason.ROLE_DELETED: translatable("the role was deleted"),
    EXEMPT: translatable("exempt: left alone"),
    "above_bot": translatable("the role is above the bot's own"),
    "no_permission": translatable("the bot is missing Manage Roles"),
    "": translatable("nothing gives it any more"),
}


def why_text(why: str, words: Words) -> str:
    """Say why something happens to somebody, or what is in the way."""
    return words.say(_WHY[why]) if why in _WHY else why.replace("_", " ")
