"""Why a membership is as it is, said to its customer: short phrases that follow a colon. Pure (EXPERIENCE 3.3)."""

from __future__ import annotations

from collections.abc import Mapping

from locales.catalogue import Words, translatable
from membership.errors import Reason

_NOT_ALLOWED = translatable("the bot is not allowed to, staff have been told")
_LOOKED_AT = translatable("the staff are looking at it")


def reason_words(words: Words, reason: object) -> str:
    """Say a reason; what is not in the catalogue is not theirs to know."""
    try:
        return words.say(_REASONS[Reason(str(reason))])
    except (ValueError, KeyError):
        return words.say(_LOOKED_AT)


_REASONS: Mapping[Reason, str] = {
    Reason.PAID: translatable("paid"),
    Reason.TRIAL: translatable("in trial"),
    Reason.COMP: translatable("given by the staff"),
    Reason.PAYMENT_FAILED: translatable("the payment failed"),
    Reason.PAUSED: translatable("the subscription is paused"),
    Reason.WAITING_FOR_PAYMENT: translatable("the payment has not arrived yet"),
    Reason.NOT_LINKED: translatable("not connected to a Discord account yet"),
    Reason.NOT_IN_SERVER: translatable("you are not in the server yet"),
    Reason.RULES_NOT_ACCEPTED: translatable("you have not accepted the server's rules yet"),
    Reason.REVOKED: translatable("ended by the staff"),
    Reason.CANCELLED: translatable("the subscription was cancelled"),
    Reason.EXPIRED: translatable("its time is over"),
    Reason.UNPAID: translatable("it was not paid"),
    Reason.REFUNDED: translatable("the payment was refunded"),
    Reason.DISPUTED: translatable("the payment is disputed at the bank"),
    Reason.DISPUTE_LOST: translatable("the bank took the payment back"),
    Reason.PLAN_CHANGED: translatable("you changed to another plan"),
    Reason.PLAN_UNMAPPED: translatable("the plan no longer gives this"),
    Reason.MOVED: translatable("moved to another Discord account"),
    Reason.DISCONNECTED: translatable("you disconnected this Discord account"),
    Reason.STATUS_UNKNOWN: _LOOKED_AT,
    Reason.BRAKE: _LOOKED_AT,
    Reason.HAND_REMOVED: translatable("a moderator removed the role"),
    Reason.GUILD_UNAVAILABLE: translatable("Discord is having trouble"),
    Reason.BOT_NOT_IN_SERVER: translatable("the bot is no longer in the server"),
    Reason.ROLE_ABOVE_BOT: _NOT_ALLOWED,
    Reason.ROLE_DELETED: translatable("the role no longer exists, staff have been told"),
    Reason.MISSING_PERMISSION: _NOT_ALLOWED,
    Reason.MISSING_ACCESS: _NOT_ALLOWED,
    Reason.BANNED: translatable("you are banned from the server"),
    Reason.SERVER_LIMIT: translatable("you are in as many servers as Discord allows"),
    Reason.JOIN_LIMITED: translatable("Discord does not let you join servers at the moment"),
    Reason.TOKEN_EXPIRED: translatable("your permission at Discord ran out"),
    Reason.SCOPE_MISSING: translatable("you did not allow being added to servers"),
    Reason.ACCOUNT_GONE: translatable("that Discord account no longer exists"),
    Reason.TWO_FACTOR_REQUIRED: _NOT_ALLOWED,
    Reason.DMS_CLOSED: translatable("your direct messages are closed"),
    Reason.CREDENTIALS_REFUSED: _NOT_ALLOWED,
    Reason.MAIL_REFUSED: translatable("your mail address refused our mail"),
}
