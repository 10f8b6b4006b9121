"""What `/data` answers: an import before and after it is done, and files. Pure."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence

from cogs.cards import Attachment, Button, Buttons, Card, Choice, Divider, Download, Line, Option, Style, Text, Tone
from cogs.words import code_text
from membership import csv_text
from membership.import_formats import Entry, Format
from membership.importing import LEFT_OUT, Ordered, Shown, Tier
from membership.model import Plan

FORMATS = {
    Format.GENERIC: "any other list",
    Format.STRIPE: "Stripe",
    Format.PATREON: "Patreon",
    Format.MEMBERFUL: "Memberful",
    Format.WHOP: "Whop",
    Format.LAUNCHPASS: "LaunchPass",
}
MOST_TIERS = 4
MOST_TIERS_SHOWN = 8
MOST_PLANS = 24
MOST_PROBLEMS = 3
LARGEST_PLAIN = 7_000_000
"""What is larger is sent packed: Discord takes ten million bytes."""
PROBLEMS = "problems.csv"


def dry_run_card(shown: Shown, plans: Sequence[Plan]) -> Card:
    """Show what an import would do, ask what unknown tiers become, and offer to do exactly this."""
    # Those that nobody has decided about come first; the others can be decided anew.
    asked = sorted(enumerate(shown.tiers), key=lambda each: each[1].plan is not None or each[1].is_left_out)
    lines: list[Line] = [Text("\n".join(_counts(shown)))]
    lines += [Text("\n".join(map(_tier_line, shown.tiers[:MOST_TIERS_SHOWN])))] if shown.tiers else []
    lines += [Text("\n".join(_doubts(shown)))] if shown.problems else []
    lines += [_question(shown, number, tier, plans) for number, tier in asked[:MOST_TIERS]]
    if len(asked) > MOST_TIERS:
        lines.append(Text(f"-# {len(asked) - MOST_TIERS} more tiers: those without a plan come up as you decide."))
    lines += [Divider(), Text("\n".join(_hints(shown))), Buttons(tuple(_buttons(shown)))]
    title = f"Import from {code_text(shown.file_name)} — nothing is done yet"
    return Card(title=title, lines=tuple(lines), tone=Tone.NEWS)


def running_card(ordered: Ordered) -> Card:
    """Say that the import goes on by itself."""
    text = (
        f"Importing {people(ordered.number)} now. It goes on by itself, also when you close this or Doorlist restarts; "
        "roles follow within minutes."
    )
    return Card(lines=(Text(text), Buttons((_undo(ordered),))), tone=Tone.NEWS)


def done_card(ordered: Ordered) -> Card:
    """Say what became of the import."""
    text = (
        f"**{people(ordered.number)} imported.** Who is connected to Discord gets the roles within minutes; the others "
        "when they connect. The same list again changes nothing."
    )
    return Card(lines=(Text(text), Buttons((_undo(ordered),))), tone=Tone.GOOD)


def problems_card(shown: Shown) -> Card:
    """Offer every row that is not clear as a file."""
    rows = [("row", "why"), *((each.row, each.text) for each in shown.problems)]
    attachment = Attachment(file_name=PROBLEMS, content=csv_text.write(rows))
    count, name = len(shown.problems), code_text(shown.file_name)
    text = f"{count:,} rows of {name} are not imported. Correct them and send the file again."
    return Card(lines=(Text(text), Download(PROBLEMS)), files=(attachment,))


def export_card(content: bytes, number: int, name: str) -> Card:
    """Offer the exported members as a file, packed where it is large."""
    if len(content) > LARGEST_PLAIN:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{name}.csv", content)
        attachment = Attachment(file_name=f"{name}.zip", content=packed.getvalue())
    else:
        attachment = Attachment(file_name=f"{name}.csv", content=content)
    count = f"{number:,} {'membership' if number == 1 else 'memberships'}"
    text = f"**{count}**, with whole e-mail addresses: keep the file safe.\n-# `/data import` reads it again."
    return Card(lines=(Text(text), Download(attachment.file_name)), files=(attachment,))


def people(number: int) -> str:
    """Count members in words."""
    return f"{number:,} {'member' if number == 1 else 'members'}"


def _counts(shown: Shown) -> Iterator[str]:
    ready = len(shown.ready)
    same = ready - shown.fresh - shown.changed
    yield (
        f"{shown.rows:,} rows, read as {FORMATS[shown.format]}: **{people(ready)}** would be imported "
        f"({shown.fresh:,} new, {shown.changed:,} changed, {same:,} there already)"
    )
    if shown.over:
        yield f"{shown.over:,} are over, never began or are free: left out"


def _tier_line(tier: Tier) -> str:
    name = f"“{code_text(tier.name)}”" if tier.name else "Without a tier"
    if tier.plan is not None:
        return f"{name} → **{code_text(tier.plan.name)}**: {tier.count:,}"
    return f"{name}: {tier.count:,} {'left out' if tier.is_left_out else '— which plan is that?'}"


def _doubts(shown: Shown) -> Iterator[str]:
    yield f"**{len(shown.problems):,} rows are unclear** and left out:"
    for each in shown.problems[:MOST_PROBLEMS]:
        yield f"• row {each.row}: {code_text(each.text)}"
    if len(shown.problems) > MOST_PROBLEMS:
        yield f"• … and {len(shown.problems) - MOST_PROBLEMS:,} more in the file"


def _question(shown: Shown, number: int, tier: Tier, plans: Sequence[Plan]) -> Choice:
    chosen = None if tier.plan is None else tier.plan.id
    options = [Option(label=plan.name, value=str(plan.id), is_chosen=plan.id == chosen) for plan in plans[:MOST_PLANS]]
    leave = Option(label="Leave these out", value=str(int(LEFT_OUT)), is_chosen=tier.is_left_out)
    return Choice(
        action="data-tier",
        args=(shown.id, number),
        placeholder=f"What does “{tier.name or 'no tier'}” become?",
        options=(*options, leave),
    )


def _hints(shown: Shown) -> Iterator[str]:
    ready = shown.ready
    tied = sum(each.user_id is not None for each in ready)
    endless = sum(each.until is None for each in ready)
    yield f"{tied:,} come with a Discord id and are connected at once, {_mailable(ready):,} with an address alone."
    if endless:
        yield f"⚠️ {endless:,} have no end date: they keep the plan until you take it back."
    yield "-# Payments stay where they are: Doorlist does not see whether people go on paying there."


def _buttons(shown: Shown) -> Iterator[Button]:
    number, mailed = len(shown.ready), _mailable(shown.ready)
    if number:
        stamp = shown.set_hash[:16]
        yield Button(
            label=f"Import {people(number)}", action="data-import", args=(shown.id, stamp, "quiet"), style=Style.MAIN
        )
        if mailed:
            label = f"Import {people(number)} and mail {mailed:,}"
            yield Button(label=label, action="data-import", args=(shown.id, stamp, "mail"))
    if shown.problems:
        yield Button(label="Download unclear rows", action="data-problems", args=(shown.id,))


def _mailable(entries: Sequence[Entry]) -> int:
    return sum(bool(each.email) and each.user_id is None for each in entries)


def _undo(ordered: Ordered) -> Button:
    return Button(label="Undo", action="undo", args=(int(ordered.change_id),))
