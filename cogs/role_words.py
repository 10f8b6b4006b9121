"""Why a role cannot be sold, as one cause and one fix, for whoever picked it. Pure; what is refused is in roles.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from cogs.roles import Refusal
from cogs.words import code_text
from membership.ports import GuildRole


class RoleRefusal(NamedTuple):
    """One sentence each."""

    cause: str
    fix: str


def role_refusal(role: GuildRole, bot_role: str) -> RoleRefusal | None:
    """Say why nobody can sell this role, None when they can. `bot_role` is the name of the bot's own highest role."""
    if not role.refusal:
        return None
    words = _WORDS.get(role.refusal)
    return words(_name(role), code_text(bot_role)) if words else _unknown(_name(role))


def danger_warning(role: GuildRole) -> str:
    """Say what power over others a role would sell, "" for none. It can be sold once somebody confirms that."""
    if not role.dangers:
        return ""
    return (
        f"{_name(role)} carries **{', '.join(role.dangers)}**. Whoever buys it gets that power over your server. "
        "Take these permissions off the role first, or confirm that you mean it."
    )


def _name(role: GuildRole) -> str:
    return f"@{code_text(role.name.removeprefix('@'))}"


def _unknown(name: str) -> RoleRefusal:
    return RoleRefusal(f"Discord does not let me give {name}.", "Choose another role, or let me make one.")


_MAKE_ONE = "Choose another role, or leave it empty and I make one."

_WORDS: Mapping[str, Callable[[str, str], RoleRefusal]] = {
    Refusal.EVERYONE: lambda _role, _bot: RoleRefusal("@everyone cannot be sold: everybody has it.", _MAKE_ONE),
    Refusal.BOOSTER: lambda role, _bot: RoleRefusal(
        f"{role} belongs to server boosting, and only Discord gives it.", _MAKE_ONE
    ),
    Refusal.LINKED: lambda role, _bot: RoleRefusal(
        f"{role} is a linked role: members earn it at another service, and only Discord gives it.",
        "Take its link requirements off under Server Settings → Roles → Links, or choose another role.",
    ),
    Refusal.FOR_SALE: lambda role, _bot: RoleRefusal(
        f"{role} is sold by Discord itself, which also takes it back.", _MAKE_ONE
    ),
    Refusal.MANAGED: lambda role, _bot: RoleRefusal(
        f"{role} belongs to a bot or another integration, and only that gives it.", _MAKE_ONE
    ),
    Refusal.SELF_SELECTABLE: lambda role, _bot: RoleRefusal(
        f"{role} can be picked by everybody in Onboarding, so nobody would have to pay.",
        "Take it out of Server Settings → Onboarding, or choose another role.",
    ),
    Refusal.NO_PERMISSION: lambda role, _bot: RoleRefusal(
        f"I cannot give {role}: I am missing the permission Manage Roles.",
        "Press Add permission in /doorlist setup, or switch Manage Roles on for my role.",
    ),
    Refusal.ABOVE_BOT: lambda role, bot: RoleRefusal(
        f"I cannot give {role}: it is above my own role “{bot}”.",
        f"Server Settings → Roles → drag “{bot}” above {role}, then Save Changes.",
    ),
}
