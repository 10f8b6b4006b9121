"""The facts of a mail, as delivery gives them, for the tests of what mails look like."""

from __future__ import annotations

UNTIL = "2026-12-21T00:00:00+00:00"
FACTS: dict[str, object] = {
    "server": "Ada's Trading Room",
    "plan": "VIP",
    "name": "Ada",
    "link": "https://gate.example.com/connect/0hK",
    "link_until": UNTIL,
    "code": "K7QF-2M9X-4TRW-8HNB",
    "reason": "cancelled",
    "ended_at": UNTIL,
    "refunded_at": UNTIL,
    "until": UNTIL,
    "account": "@ada_new",
    "moved_at": UNTIL,
    "trouble": "brake",
    "review_url": "https://gate.example.com/admin/1/brake",
}
