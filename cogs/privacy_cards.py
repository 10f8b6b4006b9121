"""The cards of `/doorlist privacy`. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cogs.cards import Attachment, Button, Buttons, Card, Download, Style, Text, Tone
from cogs.words import code_text
from membership.privacy import MOST_ROWS, Held

FILE_NAME = "person.json"
_WORDS: Mapping[str, tuple[str, str]] = {
    "customers": ("payer", "payers"),
    "purchases": ("purchase", "purchases"),
    "purchase_items": ("thing bought", "things bought"),
    "payments": ("payment", "payments"),
    "grants": ("grant of a plan", "grants of plans"),
    "links": ("connection", "connections"),
    "claim_codes": ("claim code", "claim codes"),
    "link_tokens": ("link to connect", "links to connect"),
    "outbox_messages": ("mail", "mails"),
    "deliveries": ("try to send a mail", "tries to send a mail"),
    "members": ("look at their roles", "looks at their roles"),
    "holdings": ("role that we put", "roles that we put"),
    "exemptions": ("exemption", "exemptions"),
    "plan_code_uses": ("code redeemed", "codes redeemed"),
    "member_settings": ("choice of language and messages", "choices of language and messages"),
    "claim_failures": ("wrong code", "wrong codes"),
    "audit_entries": ("line of history", "lines of history"),
}
"""What each kind of rows is called, for one and for many."""


def export_card(held: Held) -> Card:
    """Hand everything out as a file."""
    content = json.dumps(held.rows, ensure_ascii=False, indent=2).encode()
    cut = max(map(len, held.rows.values()), default=0) >= MOST_ROWS
    more = f"\n⚠️ Only the first {MOST_ROWS:,} rows of each kind are in it." if cut else ""
    return Card(
        title="Everything held about one person",
        lines=(
            Text(f"{_whom(held)}\n{_listed(held)}{more}"),
            Download(FILE_NAME),
            Text("-# As this server sees them, without codes and links. That it was handed out is in the record."),
        ),
        tone=Tone.NEWS,
        files=(Attachment(file_name=FILE_NAME, content=content, alt=_rows(held)),),
    )


def erase_card(held: Held) -> Card:
    """Ask once more, with what it is about."""
    sure = Button(
        label=f"Erase this person ({_rows(held)})",
        action="privacy-erase",
        args=(held.subject,),
        style=Style.SHARP,
    )
    return Card(
        title="Erase one person?",
        lines=(
            Text(f"{_whom(held)}\n{_listed(held)}"),
            Text(
                "Name, e-mail, notes, codes and waiting mails go for good, also when the payment provider tells of them"
                " again. The Discord account is disconnected, so its paid roles go. What happened stays in the record "
                "without who it was. **This cannot be undone, and it cancels no subscription.**"
            ),
            Buttons((sure,)),
        ),
        tone=Tone.BAD,
    )


def erased_card(held: Held) -> Card:
    """Say that it was done."""
    text = (
        f"{_rows(held)} cleared of name, e-mail and notes, or deleted. A subscription that is still running "
        "goes on at the payment provider: cancel and erase it there, too."
    )
    return Card(title="✅ Erased", lines=(Text(text),), tone=Tone.GOOD)


def _whom(held: Held) -> str:
    """Name a person for somebody who may see data."""
    names = [code_text(customer.email or customer.external_id) for customer in held.person.customers]
    user = [] if held.person.user_id is None else [f"<@{held.person.user_id}>"]
    return " · ".join([*user, *names])


def _listed(held: Held) -> str:
    return ", ".join(_counted(table, len(rows)) for table, rows in held.rows.items())


def _counted(table: str, number: int) -> str:
    name = table.replace("_", " ")
    one, many = _WORDS.get(table, (name, name))
    return f"{number:,} {one if number == 1 else many}"


def _rows(held: Held) -> str:
    return "1 row" if held.count == 1 else f"{held.count:,} rows"
