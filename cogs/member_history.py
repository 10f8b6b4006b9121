"""A member's history in words, for staff: one line for each thing that happened. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from cogs.cards import Button, Buttons, Card, Line, Text
from cogs.member_words import summary_text
from cogs.words import code_text, money, reason_text, role_mentions
from membership.desk import Payment, PaymentKind
from membership.dossier import NOTE
from membership.events import EVENTS
from membership.model import Proof, UserId
from membership.notes import LONGEST_NOTE
from membership.records import AuditEntry
from membership.timeline import Page

_PAYMENTS = {
    PaymentKind.NEW: "✅ Paid {money}",
    PaymentKind.RENEWAL: "✅ Renewed, paid {money}",
    PaymentKind.REFUND: "⚪ Refunded {money}",
    PaymentKind.FAILED: "🟠 Payment of {money} failed",
}
_TITLES = {
    NOTE: "📝 Note",
    "grant.revoked": "⚪ Ended",
    "link.mailed": "🔵 Link mailed to whoever paid",
    "member.resent": "🔵 Delivery message sent again",
    "roles.stripped": "⚪ All roles taken",
    "link.created": "🔵 Purchase connected",
    "link.moved": "🔵 Purchase moved to another account",
    "link.removed": "⚪ Purchase disconnected",
    "code.redeemed": "🎁 Code redeemed",
    "privacy.exported": "🔵 Data handed out",
    "privacy.erased": "⚪ Erased",
}
_PROOFS = {Proof.OAUTH.value: "by Discord sign-in", Proof.CODE.value: "by a code", Proof.STAFF.value: "by staff"}


def history_card(page: Page, user_id: UserId, since: datetime | None) -> Card:
    """Show one page of a history, with the way to the others."""
    begin = "" if since is None else f" since <t:{int(since.timestamp())}:D>"
    lines: list[Line] = [Text(f"<@{user_id}>{begin}")]
    if not page.happenings:
        lines.append(Text("Nothing happened." if page.number == 0 else "There is nothing older."))
    lines += [Text("\n".join(happening_line(each.at, each.what) for each in page.happenings))] * bool(page.happenings)
    seconds = 0 if since is None else int(since.timestamp())
    buttons = [
        Button(
            label="Newer", action="member-history", args=(user_id, page.number - 1, seconds), is_off=not page.number
        ),
        Button(label="Older", action="member-history", args=(user_id, page.number + 1, seconds), is_off=page.is_last),
        Button(label="Card", action="member-card", args=(user_id,)),
    ]
    lines.append(Buttons(tuple(buttons)))
    return Card(title="History", lines=tuple(lines))


def happening_line(at: datetime, what: AuditEntry | Payment) -> str:
    """Say one thing that happened, with when."""
    text = _payment(what) if isinstance(what, Payment) else entry_text(what)
    return f"<t:{int(at.timestamp())}:f> {text}"


def entry_text(entry: AuditEntry) -> str:
    """Say one audit entry: what, which roles or plan, why, and by whom."""
    detail: Mapping[str, object] = entry.detail or {}
    summary = summary_text(str(detail.get("summary") or ""))
    undone = "undone: " if entry.event == "staff.undo" else ""
    title = f"🔵 {undone}{summary}" if summary else _title(entry.event)
    parts = [title, *_details(entry.event, detail), _actor(entry)]
    return " · ".join(part for part in parts if part)


def _title(event: str) -> str:
    known = EVENTS.get(event)
    return _TITLES.get(event) or (f"🔵 {known.title}" if known else f"🔵 {code_text(event)}")


def _details(event: str, detail: Mapping[str, object]) -> list[str]:
    if event == NOTE:
        return [code_text(str(detail.get("text", "")), LONGEST_NOTE)]
    reason = detail.get("reason")
    moved_from, moved_to = detail.get("from_user_id"), detail.get("to_user_id")
    return [
        code_text(str(detail["plan"])) if detail.get("plan") else "",
        role_mentions(detail.get("role_ids")),
        reason_text(reason) if reason else "",
        _PROOFS.get(str(detail.get("proof")), ""),
        f"before <@{moved_from}>" if moved_from else f"now with <@{moved_to}>" if moved_to else "",
        "⚠️ for themselves" if detail.get("is_self") else "",
    ]


def _actor(entry: AuditEntry) -> str:
    kind, _, user_id = entry.actor.partition(":")
    if kind == "staff" and user_id.isdecimal():
        return f"by <@{user_id}>"
    return "by the operator" if kind == "operator" else ""


def _payment(payment: Payment) -> str:
    if not payment.amount and payment.kind is PaymentKind.REFUND:
        return "⚪ Refunded in part"
    return _PAYMENTS[payment.kind].format(money=money({"amount": payment.amount, "currency": payment.currency}))
