"""The states of EXPERIENCE 3.3 in words, for members and staff alike: an icon, a word, and until when. Pure.

Never a colour alone; which state a grant is in is decided in membership/shown.
"""

from __future__ import annotations

from collections.abc import Mapping

from cogs.words import date, day
from locales.catalogue import Words, translatable
from locales.member_reasons import member_reason
from membership.shown import ShownGrant, ShownState


def grant_line(words: Words, shown: ShownGrant, *, reason: str = "") -> str:
    """Say a grant's state as in "✅ Active, renews 21 December". `reason`: words for staff, the member's own when "".

    The moments are Discord's own dates with their distance, in the reader's time zone.
    """
    why = reason or member_reason(words, shown.reason)
    at = "" if shown.at is None else date(shown.at)
    match shown.state:
        case ShownState.ACTIVE:
            return _active(words, shown)
        case ShownState.TRIALING if at:
            return words.say("✅ Trial until {at}", at=at)
        case ShownState.ENDING if at:
            return words.say("🔵 Ends {at}", at=at)
        case ShownState.PAST_DUE if at:
            return words.say("🟠 Payment failed, access until {at}", at=at)
        case ShownState.FAILED:
            return words.say("⚠️ Not delivered: {reason}", reason=why)
        case ShownState.REMOVING:
            return words.say("… Taking the role back: {reason}", reason=why)
        case ShownState.REVOKED if shown.at is not None:
            return words.say("⚪ Ended {day}: {reason}", day=day(shown.at), reason=why)
        case ShownState.REVOKED:
            return words.say("⚪ Ended: {reason}", reason=why)
        case _:
            return words.say(_PLAIN[shown.state])


def _active(words: Words, shown: ShownGrant) -> str:
    if shown.at is None:
        return words.say("✅ Active")
    if shown.is_renewing:
        return words.say("✅ Active, renews {at}", at=date(shown.at))
    return words.say("✅ Active until {at}", at=date(shown.at))


_PLAIN: Mapping[ShownState, str] = {
    ShownState.PENDING_PAYMENT: translatable("⏳ Waiting for the payment"),
    ShownState.PENDING_LINK: translatable("⏳ Waiting for Discord"),
    ShownState.PENDING_JOIN: translatable("⏳ Waiting to join"),
    ShownState.PENDING_RULES: translatable("⏳ Rules not accepted"),
    ShownState.DELIVERING: translatable("… Giving the role"),
    ShownState.TRIALING: translatable("✅ Trial"),
    ShownState.ENDING: translatable("🔵 Ending"),
    ShownState.PAST_DUE: translatable("🟠 Payment failed"),
    ShownState.PAUSED: translatable("⏸️ Paused"),
    ShownState.HELD: translatable("🛑 Removal held"),
    ShownState.HAND_REMOVED: translatable("🛑 The role was taken by hand"),
    ShownState.DISPUTED: translatable("🔴 Disputed"),
    ShownState.UNCLEAR: translatable("🛑 Left as it is: the payment provider's answer is not clear"),
}
"""What needs no moment and no reason, or lacks the one it should have."""
