"""The words of direct messages, one template each (EXPERIENCE 2.4). Pure; never marketing.

Facts are plain JSON values: `plan`, `server`; `until` (adoption_notice; delivered, past_due and ending
may lack it), `kick_at` (kick), `reason` (ended). Moments are ISO texts or datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping

from cogs.words import code_text, date
from locales.catalogue import Words, translatable
from locales.member_reasons import member_reason


def direct_text(words: Words, template: str, facts: Mapping[str, object]) -> str:
    """Word a direct message. Raises KeyError for a template without words: that is a bug of ours."""
    text = _WITH_AN_END[template] if template in _WITH_AN_END and facts.get("until") else _TEMPLATES[template]
    return words.say(
        text,
        plan=code_text(str(facts.get("plan") or words.say("your membership"))),
        server=code_text(str(facts.get("server") or words.say("the server"))),
        until=date(facts["until"]) if facts.get("until") else "",
        kick_at=date(facts["kick_at"]) if facts.get("kick_at") else "",
        reason=member_reason(words, facts.get("reason")),
    )


_TEMPLATES: Mapping[str, str] = {
    "delivered": translatable("✅ You now have **{plan}** in {server}. There is nothing more to do."),
    "past_due": translatable(
        "🟠 The payment for **{plan}** in {server} failed. Update your payment method, and nothing changes."
    ),
    "ending": translatable("🔵 **{plan}** in {server} ends soon. Until then you keep everything."),
    "ended": translatable("⚪ **{plan}** in {server} has ended: {reason}. Ask the staff if that is wrong."),
    "moved": translatable(
        "**{plan}** in {server} was moved to another Discord account, so this account no longer has its roles. "
        "If that was not you, tell the staff at once."
    ),
    "kick": translatable(
        "**{plan}** in {server} has ended, so its roles are gone. "
        "You will be removed from the server on {kick_at}, unless you buy again before. "
        "You can always come back with an invite."
    ),
    "adoption_notice": translatable(
        "You have a role of **{plan}** in {server} without a membership. From {until} on the role is for members "
        "with **{plan}** only. Buy it before then to keep the role, or ask the staff if you should have it."
    ),
}

_WITH_AN_END: Mapping[str, str] = {
    "delivered": translatable("✅ You now have **{plan}** in {server}, until {until}. There is nothing more to do."),
    "past_due": translatable(
        "🟠 The payment for **{plan}** in {server} failed. You keep your access until {until}. "
        "Update your payment method before, and nothing changes."
    ),
    "ending": translatable("🔵 **{plan}** in {server} ends on {until}. Until then you keep everything."),
}
