"""The kinds of changes that can be taken back, and the shape of their `before` and `after`. Taking back is undo.py's.

A change is written in the transaction that makes it: `tx.changes.add(Change(...))`, and its id goes into the Undo
button (action "undo"). Undo compares the present state with `after` and refuses when somebody changed it meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from typing import cast

from membership.browsing import MailText
from membership.desk import Adoption, Exemption, NotificationRule
from membership.model import (
    AccountId,
    GuildId,
    OnEnd,
    OnPastDue,
    Plan,
    PlanId,
    PlanProduct,
    RoleId,
)

Json = dict[str, object]


class ChangeKind(StrEnum):
    """What was changed. `{}` stands for "there was none"; ids are numbers, moments ISO texts.

    GUILD         the changed fields of a server's settings alone, by their names in records.Guild: {"dms": false}
    PLAN          a whole plan (`plan_json`); {} before: it was made, and undo archives it
    RULE          a notification rule (`rule_json`); {}: the default
    EXEMPTION     an exemption (`exemption_json`), {}: none
    ADOPTION      a decision about a role (`adoption_json`), {}: none
    REVOKE        {"grant_id", "revoke_at"}; revoke_at null: not revoked
    COMP          {"purchase_id", "status", "ends_at"} of a comp that was given ({} before) or extended
    LINK          {"customer_id", "user_id"}; user_id null: not linked
    PLAN_CODE     {"digests", "is_void"} of codes that were switched off, or made ({} before; undo switches them off)
    MAIL_TEXT     a server's own words in one mail (`mail_text_json`); empty ones are ours
    """

    GUILD = "guild"
    PLAN = "plan"
    RULE = "rule"
    EXEMPTION = "exemption"
    ADOPTION = "adoption"
    REVOKE = "revoke"
    COMP = "comp"
    LINK = "link"
    PLAN_CODE = "plan_code"
    IMPORT = "import"
    MAIL_TEXT = "mail_text"


def plan_json(plan: Plan) -> Json:
    """Return a plan as it stands in a change."""
    plain = {each.name: getattr(plan, each.name) for each in fields(plan)}
    products = [[product.account_id, product.product_id, product.price_id] for product in plan.products]
    return plain | {"roles": list(plan.roles), "products": products}


def plan_of(written: Mapping[str, object]) -> Plan:
    """Read back what `plan_json` wrote."""
    known = {each.name: written[each.name] for each in fields(Plan) if each.name in written}
    roles, products = cast(list[int], known["roles"]), cast(list[tuple[int, str, str | None]], known["products"])
    read: Json = {
        "id": PlanId(int(str(known["id"]))),
        "guild_id": GuildId(int(str(known["guild_id"]))),
        "roles": tuple(RoleId(role) for role in roles),
        "products": tuple(
            PlanProduct(account_id=AccountId(account), product_id=product, price_id=price)
            for account, product, price in products
        ),
        "on_end": OnEnd(str(known["on_end"])),
        "on_refund": OnEnd(str(known["on_refund"])) if known["on_refund"] else None,
        "on_past_due": OnPastDue(str(known["on_past_due"])),
    }
    return Plan(**(known | read))  # type: ignore[arg-type]  # the rest are texts, numbers and booleans as JSON has them


def rule_json(rule: NotificationRule) -> Json:
    """Return a notification rule as it stands in a change."""
    return {
        "event": rule.event,
        "mode": rule.mode.value,
        "channel_id": rule.channel_id,
        "ping_role_id": rule.ping_role_id,
    }


def exemption_json(exemption: Exemption) -> Json:
    """Return an exemption as it stands in a change."""
    return {
        "user_id": exemption.key.user_id,
        "until": moment_json(exemption.until),
        "reason": exemption.reason,
    }


def adoption_json(adoption: Adoption) -> Json:
    """Return a decision about a role as it stands in a change."""
    return {
        "role_id": adoption.role_id,
        "policy": adoption.policy.value,
        "notice_until": moment_json(adoption.notice_until),
    }


def mail_text_json(text: MailText) -> Json:
    """Return a server's own words in a mail as they stand in a change."""
    return {"template": text.template, "language": text.language, "subject": text.subject, "intro": text.intro}


def moment_json(moment: datetime | None) -> str | None:
    """Return a moment as it stands in a change."""
    return None if moment is None else moment.isoformat()


def moment_of(written: object) -> datetime | None:
    """Read a moment of a change back."""
    return None if written is None else datetime.fromisoformat(str(written))
