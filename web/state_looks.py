"""The states of a membership as everybody reads them: colour, sign, and a name of a word or two. Pure.

Signs are such as every font has. Which state it is in is decided in membership/shown.
"""

from __future__ import annotations

from collections.abc import Mapping

from locales.catalogue import translatable
from membership.shown import ShownState

LOOKS: Mapping[ShownState, tuple[str, str]] = {
    ShownState.PENDING_PAYMENT: ("info", "○"),
    ShownState.PENDING_LINK: ("info", "○"),
    ShownState.PENDING_JOIN: ("info", "○"),
    ShownState.PENDING_RULES: ("info", "○"),
    ShownState.DELIVERING: ("off", "…"),
    ShownState.ACTIVE: ("ok", "✓"),
    ShownState.TRIALING: ("ok", "✓"),
    ShownState.ENDING: ("info", "→"),
    ShownState.PAST_DUE: ("warn", "!"),
    ShownState.PAUSED: ("off", "‖"),
    ShownState.FAILED: ("bad", "!"),
    ShownState.HELD: ("warn", "■"),
    ShownState.HAND_REMOVED: ("warn", "■"),
    ShownState.DISPUTED: ("bad", "!"),
    ShownState.UNCLEAR: ("warn", "?"),
    ShownState.REMOVING: ("off", "…"),
    ShownState.REVOKED: ("off", "–"),
}
"""The tone (ok, info, warn, bad or off) and the sign that repeats it, so that colour is never alone."""

PLAIN_NAMES: Mapping[ShownState, str] = {
    ShownState.PENDING_PAYMENT: translatable("Waiting for the payment"),
    ShownState.PENDING_LINK: translatable("Waiting for Discord"),
    ShownState.PENDING_JOIN: translatable("Waiting to join"),
    ShownState.PENDING_RULES: translatable("Rules not accepted"),
    ShownState.DELIVERING: translatable("Giving the role"),
    ShownState.ACTIVE: translatable("Active"),
    ShownState.TRIALING: translatable("Trial"),
    ShownState.ENDING: translatable("Ending"),
    ShownState.PAST_DUE: translatable("Payment failed"),
    ShownState.PAUSED: translatable("Paused"),
    ShownState.FAILED: translatable("Not delivered"),
    ShownState.HELD: translatable("Removal held"),
    ShownState.HAND_REMOVED: translatable("The role was taken by hand"),
    ShownState.DISPUTED: translatable("Disputed"),
    ShownState.UNCLEAR: translatable("Left as it is: the payment provider's answer is not clear"),
    ShownState.REMOVING: translatable("Taking the role back"),
    ShownState.REVOKED: translatable("Ended"),
}
