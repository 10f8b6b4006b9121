"""What staff change in words: the names of facts before and after, and what plain values mean. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from locales.catalogue import Words, translatable
from web.admin.plan_form import ENDS, LATE
from web.admin.setting_words import Kind, every_setting

_SETTINGS = {setting.name: setting for setting in every_setting()}
_NAMES: Mapping[str, str] = {
    "name": translatable("Name"),
    "slug": translatable("Address"),
    "roles": translatable("Roles"),
    "products": translatable("What unlocks it"),
    "on_end": translatable("When a purchase ends"),
    "on_refund": translatable("After a full refund or a lost dispute"),
    "on_past_due": translatable("When a payment fails"),
    "grace_days": translatable("Days of grace"),
    "past_due_role_id": translatable("Past-due role"),
    "trial_role_id": translatable("Role in a trial"),
    "paused_grants": translatable("A paused subscription keeps access"),
    "duration_days": translatable("Days that a one-time purchase lasts"),
    "is_archived": translatable("Archived"),
    "event": translatable("Event"),
    "mode": translatable("How it is told"),
    "channel_id": translatable("Channel"),
    "ping_role_id": translatable("Role that is pinged"),
    "user_id": translatable("Member"),
    "until": translatable("Until"),
    "reason": translatable("Reason"),
    "role_id": translatable("Role"),
    "policy": translatable("What was decided"),
    "notice_until": translatable("Notice until"),
    "grant_id": translatable("Membership"),
    "revoke_at": translatable("Taken back at"),
    "purchase_id": translatable("Purchase"),
    "status": translatable("Status"),
    "ends_at": translatable("Ends"),
    "customer_id": translatable("Customer"),
    "template": translatable("Mail"),
    "subject": translatable("Subject"),
    "intro": translatable("A paragraph at the head"),
}
_CHOICES: Mapping[str, Mapping[str, str]] = {
    "on_end": {end.value: texts[0] for end, texts in ENDS.items()},
    "on_refund": {end.value: texts[0] for end, texts in ENDS.items()},
    "on_past_due": {late.value: text for late, text in LATE.items()},
} | {name: dict(setting.choices) for name, setting in _SETTINGS.items() if setting.kind is Kind.CHOICE}


def fact_name(words: Words, name: str) -> str:
    """Name what changed as the forms of these pages do; as it is stored where no page shows it."""
    if name in _SETTINGS:
        return words.say(_SETTINGS[name].title)
    return words.say(_NAMES[name]) if name in _NAMES else name.replace("_", " ")


def fact_value(words: Words, name: str, value: object) -> object:
    """Word a switch, and what is chosen from a list; return everything else as it is."""
    if isinstance(value, bool):
        return words.say("yes") if value else words.say("no")
    chosen = _CHOICES.get(name, {}).get(str(value))
    return value if chosen is None else words.say(chosen)
