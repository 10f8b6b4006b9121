"""Made-up facts for showing a mail to staff: what somebody called Ada would be told. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from membership.errors import Reason


def facts(public_url: str, now: datetime, *, plan: str) -> Mapping[str, object]:
    """Return every fact that some mail needs; its links lead to pages that know no such secret."""
    soon = (now + timedelta(days=3)).isoformat()
    return {
        "name": "Ada",
        "plan": plan,
        "amount": 900,
        "currency": "eur",
        "interval": "month",
        "link": f"{public_url}/connect/sample",
        "link_until": (now + timedelta(days=30)).isoformat(),
        "code": "SAMP-LEC0-DE00-0000",
        "repair_url": f"{public_url}/billing/sample",
        "manage_url": f"{public_url}/portal",
        "return_url": f"{public_url}/",
        "roles": [plan],
        "is_still_member": True,
        "reason": Reason.CANCELLED.value,
        "account": "@ada",
        "until": soon,
        "failed_at": now.isoformat(),
        "ended_at": now.isoformat(),
        "moved_at": now.isoformat(),
        "refunded_at": now.isoformat(),
        "trouble": "brake",
        "number": 38,
        "platform": "Stripe",
    }


def of(template: str, public_url: str, now: datetime, *, plan: str) -> Mapping[str, object]:
    """Return the facts of one template: a code to sign in looks unlike one to claim, a failure unlike an end."""
    known = dict(facts(public_url, now, plan=plan))
    match template:
        case "signin":
            known |= {"code": "482 913", "link": f"{public_url}/sign-in/sample"}
        case "failed":
            known |= {"reason": Reason.NOT_IN_SERVER.value}
        case "connect_reminder":
            known |= {"unsubscribe_url": f"{public_url}/mail/unsubscribe/sample"}
        case "delivered":
            known |= {"until": ""}
        case _:
            pass
    return known
