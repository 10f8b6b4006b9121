"""Who may do what in Discord: one table for commands, one for what is pressed, and the permissions behind the words.

Discord's own `default_member_permissions` only decides who sees a command; this table decides who may use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import discord

from membership.actors import Actor


class Right(StrEnum):
    """What a person has to be. Each of the first four includes those before it; the operator stands beside them."""

    MEMBER = "member"
    STAFF = "staff"
    MANAGER = "manager"
    DATA = "data"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one command or action asks for.

    `needs_active`: only in a server that was set up. `opens_form`: answers with a form, which Discord takes only as the
    first answer, so that nothing is deferred before it. `is_everywhere`: also in direct messages.
    """

    right: Right
    needs_active: bool = True
    opens_form: bool = False
    is_everywhere: bool = False


_MEMBER = Rule(right=Right.MEMBER, needs_active=False, is_everywhere=True)
_MEMBER_FORM = Rule(right=Right.MEMBER, needs_active=False, opens_form=True, is_everywhere=True)
_STAFF = Rule(right=Right.STAFF)
_STAFF_FORM = Rule(right=Right.STAFF, opens_form=True)
_MANAGER = Rule(right=Right.MANAGER)
_MANAGER_FORM = Rule(right=Right.MANAGER, opens_form=True)
_DATA = Rule(right=Right.DATA)
_BEFORE_SET_UP = Rule(right=Right.MANAGER, needs_active=False)
_OPERATOR = Rule(right=Right.OPERATOR, needs_active=False, is_everywhere=True)

COMMANDS: Mapping[str, Rule] = {
    "membership": _MEMBER,
    "claim": _MEMBER_FORM,
    "buy": Rule(right=Right.MEMBER),
    "doorlist setup": _BEFORE_SET_UP,
    "doorlist settings": _MANAGER,
    "doorlist panel": _MANAGER,
    "doorlist brake": _MANAGER,
    "doorlist pause": _MANAGER,
    "doorlist resume": _MANAGER,
    "doorlist undo": _MANAGER,
    "doorlist about": _MANAGER,
    "doorlist dashboard": Rule(right=Right.STAFF, needs_active=False),
    "doorlist doctor": _MANAGER,
    "doorlist notify": _MANAGER,
    "doorlist digest": _MANAGER,
    "report members": _MANAGER,
    "report revenue": _MANAGER,
    "report delivery": _MANAGER,
    "data import": _DATA,
    "data export": _DATA,
    "doorlist privacy": _DATA,
    "plan list": _MANAGER,
    "plan show": _MANAGER,
    "plan create": _MANAGER_FORM,
    "plan edit": _MANAGER_FORM,
    "plan rules": _MANAGER,
    "plan preview": _MANAGER,
    "plan test": _MANAGER,
    "plan archive": _MANAGER,
    "plan restore": _MANAGER,
    "sync now": _MANAGER,
    "sync status": _MANAGER,
    "sync drift": _MANAGER,
    "sync adopt": _MANAGER,
    "code create": _MANAGER,
    "code list": _MANAGER,
    "code void": _MANAGER,
    "member find": _STAFF,
    "member card": _STAFF,
    "member why": _STAFF,
    "member history": _STAFF,
    "member refresh": _STAFF,
    "member link": _STAFF,
    "member unlink": _STAFF,
    "member move": _STAFF,
    "member grant": _STAFF,
    "member extend": _STAFF,
    "member revoke": _STAFF,
    "member resend": _STAFF,
    "member exempt": _STAFF,
    "member note": _STAFF,
    "Membership card": _STAFF,
    "Why these roles?": _STAFF,
}
"""By qualified name; a context menu goes by its name. What is not here is refused."""

ACTIONS: Mapping[str, Rule] = {
    "claim": _MEMBER,
    "claim-form": _MEMBER_FORM,
    "claim-mail": _MEMBER,
    "verify": _MEMBER,
    "membership": _MEMBER,
    "membership-retry": _MEMBER,
    "membership-dms": _MEMBER,
    "membership-switch": _MEMBER,
    "membership-switch-mail": _MEMBER,
    "membership-billing": _MEMBER,
    "mail-link-form": _MEMBER_FORM,
    "mail-link": _MEMBER,
    "buy": _MEMBER,
    "buy-now": _MEMBER,
    "setup-open": _BEFORE_SET_UP,
    "setup-check": _MANAGER,
    "setup-payments": _MANAGER,
    "setup-channel": _MANAGER,
    "setup-post": _MANAGER,
    "setup-make": _MANAGER,
    "server-approve": _OPERATOR,
    "server-refuse": _OPERATOR,
    "settings-group": _MANAGER,
    "settings-edit": Rule(right=Right.MANAGER, opens_form=True),
    "settings-set": _MANAGER,
    "brake-show": _MANAGER,
    "brake-list": _MANAGER,
    "brake-release": _MANAGER,
    "brake-release-now": _MANAGER,
    "brake-release-one": _MANAGER,
    "brake-discard": _MANAGER,
    "resume": _MANAGER,
    "resume-now": _MANAGER,
    "undo": _STAFF,
    "doctor": _MANAGER,
    "notify-test": _MANAGER,
    "digest-change": _MANAGER,
    "retry": _STAFF,
    "doctor-report": _MANAGER,
    "report": _MANAGER,
    "data-tier": _DATA,
    "data-import": _DATA,
    "data-problems": _DATA,
    "plan-new": _MANAGER_FORM,
    "plan-show": _MANAGER,
    "plan-edit": _MANAGER_FORM,
    "plan-form": _MANAGER,
    "plan-preview": _MANAGER,
    "plan-look": _MANAGER,
    "plan-see": _MANAGER,
    "plan-csv": _MANAGER,
    "plan-apply": _MANAGER,
    "plan-archive": _MANAGER,
    "plan-archive-keep": _MANAGER,
    "plan-archive-end": _MANAGER,
    "plan-restore": _MANAGER,
    "role-again": _MANAGER,
    "adopt-ask": _MANAGER,
    "adopt-decide": _MANAGER,
    "sync-now": _MANAGER,
    "sync-status": _MANAGER,
    "sync-retry": _MANAGER,
    "privacy-erase": _DATA,
    "code-list": _MANAGER,
    "code-ask": _MANAGER,
    "code-void": _MANAGER,
    "member-card": _STAFF,
    "member-why": _STAFF,
    "member-history": _STAFF,
    "member-refresh": _STAFF,
    "member-grant-form": _STAFF_FORM,
    "member-grant": _STAFF,
    "member-extend-form": _STAFF_FORM,
    "member-extend": _STAFF,
    "member-revoke-form": _STAFF_FORM,
    "member-revoke": _STAFF,
    "member-revoke-now": _STAFF,
    "member-move-form": _STAFF_FORM,
    "member-move": _STAFF,
    "member-exempt-form": _STAFF_FORM,
    "member-exempt": _STAFF,
    "member-lift": _STAFF,
    "member-resend": _STAFF,
    "member-resend-customer": _STAFF,
}
"""By the name in the custom_id, for buttons, selects and forms. What is not here is refused."""


def has_right(actor: Actor, right: Right) -> bool:
    """Say whether a person may do what asks for a right."""
    match right:
        case Right.MEMBER:
            return True
        case Right.STAFF:
            return actor.can_staff
        case Right.MANAGER:
            return actor.can_manage
        case Right.DATA:
            return actor.can_data
        case Right.OPERATOR:
            return actor.is_operator


def permissions_of(right: Right) -> discord.Permissions | None:
    """Return who sees a command at first; None for everybody. The operator's commands are seen by managers."""
    match right:
        case Right.MEMBER:
            return None
        case Right.STAFF:
            return discord.Permissions(manage_roles=True)
        case Right.MANAGER | Right.OPERATOR:
            return discord.Permissions(manage_guild=True)
        case Right.DATA:
            return discord.Permissions(administrator=True)
