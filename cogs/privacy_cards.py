"""The cards of `/doorlist privacy`. Pure."""

from __future__ import annotations

import json

from cogs.cards import Attachment, Button, Buttons, Card, Download, Style, Text, Tone
from cogs.words import code_text
from membership.privacy import MOST_ROWS, Held

FILE_NAME = "person.json"


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
        files=(Attachment(file_name=FILE_NAME, content=content, alt=f"{held.count} rows"),),
    )


def erase_card(held: Held) -> Card:
    """Ask once more, with what it is about."""
    sure = Button(
        label=f"Erase this person ({held.count:,} rows)",
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
        f"{held.count:,} rows were cleared of name, e-mail and notes, or deleted. A subscription that is still running "
        "goes on at the payment provider: cancel and erase it there, too."
    )
    return Card(title="✅ Erased", lines=(Text(text),), tone=Tone.GOOD)


def _whom(held: Held) -> str:
    """Name a person for somebody who may see data."""
    names = [code_text(customer.email or customer.external_id) for customer in held.person.customers]
    user = [] if held.person.user_id is None else [f"<@{held.person.user_id}>"]
    return " · ".join([*user, *names])


def _listed(held: Held) -> str:
    return ", ".join(f"{len(rows):,} {table.replace('_', ' ')}" for table, rows in held.rows.items())
