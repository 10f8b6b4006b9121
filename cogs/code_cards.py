"""The cards of `/code`. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from cogs.cards import Attachment, Button, Buttons, Card, Download, Line, Row, Style, Text, Tone
from cogs.words import code_text, date, day
from membership import codes
from membership.desk import PlanCodeLabel
from membership.plan_codes import PAGE, USES_SHOWN, Created, Listed, Listing, Target, Voided, label_name

FILE_NAME = "codes.txt"
SHOWN_IN_ANSWER = 10
LABELS_SHOWN = 10


def created_card(created: Created) -> Card:
    """Show new codes for the only time: some of them here, all of them in a file."""
    terms, number = created.terms, len(created.codes)
    written = [codes.grouped(code) for code in created.codes]
    content = "\n".join(written) + "\n"
    uses = "once" if terms.max_uses == 1 else f"by {terms.max_uses:,} people"
    expires = "" if terms.expires_at is None else f" They are valid until {date(terms.expires_at)}."
    more = f"\n… and {number - SHOWN_IN_ANSWER:,} more in the file" if number > SHOWN_IN_ANSWER else ""
    return Card(
        title=f"🎁 {_codes(number)} for {code_text(created.plan.name)}, {duration_text(terms.days)}",
        lines=(
            Text("```\n" + "\n".join(written[:SHOWN_IN_ANSWER]) + "\n```" + more),
            Text(f"Each can be used {uses}, with `/claim`.{expires} Label: {code_text(terms.label)}"),
            Download(FILE_NAME),
            Text("-# Only this answer shows them: I keep no code that could be read. Save the file now."),
            Buttons((Button(label="Undo", action="undo", args=(created.change_id,)),)),
        ),
        tone=Tone.GOOD,
        files=(Attachment(file_name=FILE_NAME, content=content.encode(), alt=_codes(number)),),
    )


def labels_card(found: Sequence[PlanCodeLabel]) -> Card:
    """List the labels, each with what its codes come to."""
    if not found:
        return Card(lines=(Text("There are no codes yet. `/code create` makes some."),))
    rows: list[Line] = [
        Row(
            f"**{code_text(label.label)}** · {_sums(label)}",
            Button(label="Show", action="code-list", args=(label_name(label.label), 0)),
        )
        for label in found[:LABELS_SHOWN]
    ]
    if len(found) > LABELS_SHOWN:
        rows.append(Text(f"… and {len(found) - LABELS_SHOWN} more: type a label into `/code list`."))
    return Card(title="Codes", lines=tuple(rows))


def listing_card(listing: Listing) -> Card:
    """List a page of the codes with one label."""
    name, page = label_name(listing.label.label), listing.page
    turns = (
        Button(label="Previous", action="code-list", args=(name, page - 1), is_off=page == 0),
        Button(label="Next", action="code-list", args=(name, page + 1), is_off=page + 1 >= listing.pages),
        *(
            (Button(label="Void all", action="code-ask", args=(name,), style=Style.SHARP),)
            if listing.label.void < listing.label.codes
            else ()
        ),
    )
    lines = (
        Text(_sums(listing.label)),
        *(_row(number, each) for number, each in enumerate(listing.codes, page * PAGE + 1)),
        Text(f"-# Page {page + 1} of {listing.pages}. The codes themselves are not kept."),
        Buttons(turns),
    )
    return Card(title=f"Codes: {code_text(listing.label.label)}", lines=lines)


def void_card(target: Target) -> Card:
    """Ask once more before codes are switched off."""
    what = "This code" if target.kind == "code" else f"All codes with the label **{code_text(target.label)}**"
    used = "nobody has used them" if target.uses == 0 else f"{target.uses:,} uses so far, which keep what they gave"
    sure = Button(
        label=f"Void {_codes(target.count)}",
        action="code-void",
        args=(target.name, target.count),
        style=Style.SHARP,
    )
    text = f"{what}: {_codes(target.count)}, {used}. Nobody can redeem them any more."
    return Card(title="Switch off codes?", lines=(Text(text), Buttons((sure,))), tone=Tone.WARN)


def voided_card(voided: Voided) -> Card:
    """Say what was switched off, and offer to take it back."""
    target = voided.target
    text = f"{_codes(target.count)} switched off, label {code_text(target.label)}. What was redeemed stays."
    undo = Buttons((Button(label="Undo", action="undo", args=(voided.change_id,)),))
    return Card(title="Codes switched off", lines=(Text(text), undo), tone=Tone.GOOD)


def duration_text(days: int | None) -> str:
    """Say for how long: 30 days, for ever."""
    if days is None:
        return "for ever"
    return "1 day" if days == 1 else f"{days:,} days"


def _row(number: int, listed: Listed) -> Line:
    code = listed.code
    state = "switched off" if code.is_void else "no end" if code.expires_at is None else f"until {day(code.expires_at)}"
    text = (
        f"**No. {number}** · {code_text(listed.plan.name)} {duration_text(code.duration_days)} · "
        f"{code.uses:,} of {code.max_uses:,} used · {state}"
    )
    if listed.uses:
        named = " ".join(f"<@{use.user_id}>" for use in listed.uses)
        more = f" and {code.uses - USES_SHOWN:,} more" if code.uses > USES_SHOWN else ""
        text += f"\n{named}{more}, last {day(listed.uses[0].used_at)}"
    if code.is_void:
        return Text(text)
    return Row(text, Button(label="Void", action="code-ask", args=(code.digest,)))


def _sums(label: PlanCodeLabel) -> str:
    off = f" · {label.void:,} switched off" if label.void else ""
    return f"{_codes(label.codes)} · {label.uses:,} of {label.max_uses:,} uses{off}"


def _codes(number: int) -> str:
    return "1 code" if number == 1 else f"{number:,} codes"
