"""Roles as people choose them on the pages: their list, and what keeps one from being given."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from locales.catalogue import Words, translatable
from membership.model import RoleId
from membership.plan_effects import NEW_ROLE
from membership.ports import GuildRole

Option = tuple[str, str, str]
"""What a form sends, what people read, and why it cannot be chosen, "" when it can."""

_REFUSALS: Mapping[str, str] = {
    "booster": translatable("only Discord gives it, to boosters"),
    "linked": translatable("members give it to themselves by linking an account"),
    "for_sale": translatable("Discord itself sells it"),
    "managed": translatable("it belongs to another bot or service"),
    "self_selectable": translatable("everybody can choose it in the onboarding"),
    "no_permission": translatable("the bot is missing Manage Roles"),
    "above_bot": translatable("it is above the bot's own role"),
}
_OTHERWISE = translatable("Discord does not let the bot give it")
_EVERYONE = "everyone"


def refusal_text(role: GuildRole, words: Words) -> str:
    """Say why a role cannot be given, "" when it can."""
    return words.say(_REFUSALS.get(role.refusal, _OTHERWISE)) if role.refusal else ""


def options(roles: Mapping[RoleId, GuildRole], chosen: Collection[RoleId], words: Words) -> Sequence[Option]:
    """Return a server's roles to choose from: those that can be given, then the others with the reason.

    What is chosen already can always be taken out, in whatever state it is; a deleted one is named as that.
    """
    listed = [role for role in roles.values() if role.refusal != _EVERYONE]
    listed.sort(key=lambda role: (bool(role.refusal), role.name.casefold(), role.role_id))
    found = [
        (str(role.role_id), _label(role, words), "" if role.role_id in chosen else refusal_text(role, words))
        for role in listed
    ]
    gone = sorted(role for role in chosen if role not in roles and role != NEW_ROLE)
    return [*found, *((str(role), words.say("a deleted role"), "") for role in gone)]


def name_of(role_id: RoleId, roles: Mapping[RoleId, GuildRole], words: Words, plan_name: str = "") -> str:
    """Name a role as people know it; the one that is made with a plan by the name it will have."""
    if role_id == NEW_ROLE:
        return words.say("@{name} (new)", name=plan_name) if plan_name else words.say("a new role")
    return f"@{roles[role_id].name}" if role_id in roles else words.say("a deleted role")


def _label(role: GuildRole, words: Words) -> str:
    if not role.dangers:
        return f"@{role.name}"
    return words.say("@{name} (has {powers})", name=role.name, powers=", ".join(role.dangers))
