"""Why a membership is as it is, said to its member in Discord and on pages: short phrases that follow a colon. Pure.

By the values of membership.errors.Reason, since what is said knows no rules (EXPERIENCE 3.3). What staff read is worded
where they read it.
"""

from __future__ import annotations

from collections.abc import Mapping

from locales.catalogue import Words, translatable

_NOT_ALLOWED = translatable("the bot is not allowed to, staff have been told")
_LOOKED_AT = translatable("the staff are looking at it")


def member_reason(words: Words, reason: object) -> str:
    """Say a reason to the person it concerns; what is not in the table is not theirs to know."""
    return words.say(REASONS.get(str(reason), _LOOKED_AT))


REASONS: Mapping[str, str] = {
    "paid": translatable("paid"),
    "trial": translatable("in trial"),
    "comp": translatable("given by the staff"),
    "payment_failed": translatable("the payment failed"),
    "paused": translatable("the subscription is paused"),
    "waiting_for_payment": translatable("the payment has not arrived yet"),
    "not_linked": translatable("not connected to a Discord account yet"),
    "not_in_server": translatable("you are not in the server yet"),
    "rules_not_accepted": translatable("you have not accepted the server's rules yet"),
    "revoked": translatable("ended by the staff"),
    "cancelled": translatable("the subscription was cancelled"),
    "expired": translatable("its time is over"),
    "unpaid": translatable("it was not paid"),
    "refunded": translatable("the payment was refunded"),
    "disputed": translatable("the payment is disputed at the bank"),
    "dispute_lost": translatable("the bank took the payment back"),
    "plan_changed": translatable("you changed to another plan"),
    "plan_unmapped": translatable("the plan no longer gives this"),
    "moved": translatable("moved to another Discord account"),
    "disconnected": translatable("you disconnected this Discord account"),
    "status_unknown": _LOOKED_AT,
    "brake": _LOOKED_AT,
    "hand_removed": translatable("a moderator removed the role"),
    "guild_unavailable": translatable("Discord is having trouble"),
    "bot_not_in_server": translatable("the bot is no longer in the server"),
    "role_above_bot": _NOT_ALLOWED,
    "role_deleted": translatable("the role no longer exists, staff have been told"),
    "missing_permission": _NOT_ALLOWED,
    "missing_access": _NOT_ALLOWED,
    "banned": translatable("you are banned from the server"),
    "server_limit": translatable("you are in as many servers as Discord allows"),
    "join_limited": translatable("Discord does not let you join servers at the moment"),
    "token_expired": translatable("your permission at Discord ran out"),
    "scope_missing": translatable("you did not allow being added to servers"),
    "account_gone": translatable("that Discord account no longer exists"),
    "two_factor_required": _NOT_ALLOWED,
    "dms_closed": translatable("your direct messages are closed"),
    "credentials_refused": _NOT_ALLOWED,
    "mail_refused": translatable("your mail address refused our mail"),
}
