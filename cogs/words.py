"""Small pieces of text for Discord: dates, money, mentions, and reasons as staff read them. Pure, no discord.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from membership.errors import Reason
from membership.model import minor_digits

_MARKUP = re.compile(r"([\\*_~`|>\[\]()#-])")

_REASONS: Mapping[Reason, str] = {
    Reason.PAID: "paid",
    Reason.TRIAL: "in trial",
    Reason.COMP: "given by staff",
    Reason.PAYMENT_FAILED: "the payment failed",
    Reason.PAUSED: "paused",
    Reason.WAITING_FOR_PAYMENT: "the payment has not arrived yet",
    Reason.NOT_LINKED: "paid, but no Discord account is connected yet",
    Reason.NOT_IN_SERVER: "paid and linked, but not in the server",
    Reason.RULES_NOT_ACCEPTED: "has not accepted the server's rules",
    Reason.REVOKED: "ended by staff",
    Reason.CANCELLED: "cancelled",
    Reason.EXPIRED: "expired",
    Reason.UNPAID: "not paid",
    Reason.REFUNDED: "refunded",
    Reason.DISPUTED: "the payment is disputed",
    Reason.DISPUTE_LOST: "the dispute was lost",
    Reason.PLAN_CHANGED: "the plan changed",
    Reason.PLAN_UNMAPPED: "the plan no longer gives this",
    Reason.MOVED: "moved to another account",
    Reason.DISCONNECTED: "disconnected by the member",
    Reason.STATUS_UNKNOWN: "the payment provider sent a status that Doorlist does not know; nothing was changed",
    Reason.BRAKE: "held until a person decides",
    Reason.HAND_REMOVED: "somebody keeps removing the role by hand",
    Reason.GUILD_UNAVAILABLE: "Discord shows the server as unavailable",
    Reason.BOT_NOT_IN_SERVER: "I am no longer in the server",
    Reason.ROLE_ABOVE_BOT: "Discord does not let me: the role is above my own role",
    Reason.ROLE_DELETED: "the role was deleted",
    Reason.MISSING_PERMISSION: "I am missing the permission Manage Roles",
    Reason.MISSING_ACCESS: "I cannot see this channel or server",
    Reason.BANNED: "the member is banned here",
    Reason.SERVER_LIMIT: "the member is in as many servers as Discord allows",
    Reason.JOIN_LIMITED: "Discord limits this member from joining servers",
    Reason.TOKEN_EXPIRED: "the member's Discord permission ran out, they have to connect again",
    Reason.SCOPE_MISSING: "the member did not allow being added to servers",
    Reason.ACCOUNT_GONE: "that Discord account no longer exists",
    Reason.TWO_FACTOR_REQUIRED: "the server demands two-factor sign-in and the bot's owner has none",
    Reason.DMS_CLOSED: "direct messages are closed",
    Reason.CREDENTIALS_REFUSED: "the credentials were refused",
    Reason.MAIL_REFUSED: "the mail was refused",
}


def reason_text(reason: object) -> str:
    """Say a reason of the catalogue in words; anything else is shown as it came, "" for none."""
    try:
        return _REASONS[Reason(str(reason))]
    except ValueError:
        return "" if reason is None else code_text(str(reason))


def code_text(text: str, longest: int = 200) -> str:
    """Make foreign text harmless: no markup, no mention, no link preview, one line of at most `longest` characters."""
    line = " ".join(text.split())[:longest]
    return _MARKUP.sub(r"\\\1", line).replace("@", "@\u200b").replace("://", ":\u200b//")


def date(moment: object) -> str:
    """Write a moment as Discord's date and distance, in the reader's own time zone."""
    value = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))
    seconds = int(value.timestamp())
    return f"<t:{seconds}:D> (<t:{seconds}:R>)"


def day(moment: datetime) -> str:
    """Write a moment as the reader's date alone."""
    return f"<t:{int(moment.timestamp())}:D>"


def clock_time(moment: datetime) -> str:
    """Write a moment as the reader's time of day."""
    return f"<t:{int(moment.timestamp())}:t>"


def role_mentions(role_ids: object) -> str:
    """Write roles as mentions, which do not ping anybody here."""
    if not isinstance(role_ids, list | tuple | set | frozenset):
        return ""
    return " ".join(f"<@&{role_id}>" for role_id in role_ids)


def money(facts: Mapping[str, object]) -> str:
    """Write `amount` (minor units) of `currency`."""
    currency = str(facts.get("currency") or "").upper()
    amount, digits = Decimal(str(facts["amount"])), minor_digits(currency)
    symbol = {"EUR": "€", "USD": "$", "GBP": "£"}.get(currency, currency)
    return f"{amount.scaleb(-digits):.{digits}f} {symbol}".strip()
